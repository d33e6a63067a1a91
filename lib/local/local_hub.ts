import { AmqpFaultState } from "./amqp/fault_state.ts";
import { LocalAmqpFaults } from "./amqp/faults.ts";
import { hubAmqpBackend } from "./amqp/hub_backend.ts";
import type { PolicyName } from "./auth/authorization.ts";
import { HubState } from "./hub_state.ts";
import type { LocalTokenCredential, LocalTokenCredentialOptions } from "./auth/jwt_authority.ts";
import { LocalDevice } from "./devices/local_device.ts";
import { Listeners, type ListenOptions, type LocalHubAddresses } from "./sockets/listeners.ts";
import { answerRest } from "./rest/router.ts";

/** The name ends where no other machine is, so that a client without `hub.clientOptions` reaches nobody. */
const DEFAULT_HOST_NAME = "local-hub.localhost";

/** How a local hub is to differ from the usual one. */
export interface LocalHubOptions {
  /** The host name of the hub, as in connection strings and tokens. Default: `"local-hub.localhost"`. */
  hostName?: string;
  /**
   * The clock of the hub, in milliseconds since the epoch: for expiry of tokens and messages, and for every time it
   * writes. Time-outs of direct methods go by the real clock. Default: `Date.now`.
   */
  now?: () => number;
  /** How long after its expiry a token is still good. Default: 0. */
  clockSkewInSeconds?: number;
  /**
   * How long the hub gathers feedback on messages before it tells back ends, unless 64 records are there earlier; the
   * first after a longer quiet goes out at once. In milliseconds, 0 for no wait. Default: 15000.
   */
  feedbackIntervalInMs?: number;
  /**
   * How long an AMQP connection may be silent before the hub drops it, in milliseconds; `Infinity` for no limit.
   * Default: 240000.
   */
  amqpIdleTimeoutInMs?: number;
}

/** What a client needs besides the connection string to reach a local hub in its own process. */
export interface LocalHubClientOptions {
  /** Answers requests in process; same shape as the global `fetch`. */
  fetch: (input: Request | URL | string, init?: RequestInit) => Promise<Response>;
  /** Opens the hub's loopback port for AMQP on first use and tells where it is. */
  amqpEndpoint: () => Promise<string>;
}

/**
 * An IoT hub in small, for tests and for work without a network: device and module identities, twins, queries, direct
 * methods and cloud-to-device messages, with the rules, the errors and the authorization of the real one.
 *
 * A new hub is empty, listens nowhere, and writes no file. Its keys are random.
 *
 * @example
 * ```ts
 * import { IoTHubRegistryManager } from "@iothub/registry-manager";
 * import { LocalHub } from "@iothub/registry-manager/local";
 * import assert from "node:assert/strict";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * const device = await registry.createDeviceWithSas("thermostat");
 * assert.equal(device.status, "enabled");
 * assert.equal((await registry.getDeviceRegistryStatistics()).totalDeviceCount, 1);
 * ```
 */
export class LocalHub {
  /** Switches that make the hub misbehave on its AMQP side. */
  readonly faults: LocalAmqpFaults;
  readonly #state: HubState;
  readonly #devices = new Map<string, LocalDevice>();
  readonly #listeners: Listeners;
  #amqpEndpoint: Promise<string> | undefined;
  #closed: Promise<void> | undefined;

  /**
   * Makes a hub.
   *
   * @param options host name, clock, tolerance for expired tokens, and how long the hub waits for what
   * @throws {RangeError} for a `feedbackIntervalInMs` or an `amqpIdleTimeoutInMs` that is no such time
   */
  constructor(options: LocalHubOptions = {}) {
    const { hostName = DEFAULT_HOST_NAME, now = Date.now, clockSkewInSeconds = 0 } = options;
    const { feedbackIntervalInMs, amqpIdleTimeoutInMs } = options;
    if (feedbackIntervalInMs !== undefined && !(feedbackIntervalInMs >= 0 && feedbackIntervalInMs < Infinity)) {
      throw new RangeError(`feedbackIntervalInMs must be 0 or a number of milliseconds, not ${feedbackIntervalInMs}`);
    }
    if (amqpIdleTimeoutInMs !== undefined && !(amqpIdleTimeoutInMs > 0)) {
      throw new RangeError(`amqpIdleTimeoutInMs must be a number of milliseconds over 0, not ${amqpIdleTimeoutInMs}`);
    }
    const clockSkew = clockSkewInSeconds * 1000;
    this.#state = new HubState({ hostName, now, clockSkew, feedbackIntervalInMs, amqpIdleTimeoutInMs });
    const faults = new AmqpFaultState();
    const backend = hubAmqpBackend(this.#state, clockSkew, faults);
    this.#listeners = new Listeners(hostName, (request) => this.fetch(request), backend);
    this.faults = new LocalAmqpFaults(faults, (downtimeInMs) => this.#listeners.restart(downtimeInMs));
  }

  /** The host name of the hub. */
  get hostName(): string {
    return this.#state.hostName;
  }

  /** The connection string of the policy `iothubowner`, which may do everything. */
  get connectionString(): string {
    return this.connectionStringFor("iothubowner");
  }

  /**
   * The connection string of a policy: `iothubowner`, `service`, `device`, `registryRead` or `registryReadWrite`.
   *
   * @param policyName the name of the policy
   * @param key which of its two keys. Default: `"primary"`
   * @throws {RangeError} where the hub has no such policy
   */
  connectionStringFor(policyName: PolicyName, key: "primary" | "secondary" = "primary"): string {
    const policy = this.#state.policies.get(policyName);
    if (policy === undefined) throw new RangeError(`The hub has no policy ${JSON.stringify(policyName)}`);
    const sharedAccessKey = key === "primary" ? policy.primaryKey : policy.secondaryKey;
    return `HostName=${this.hostName};SharedAccessKeyName=${policyName};SharedAccessKey=${sharedAccessKey}`;
  }

  /**
   * The options with which a client in this process reaches this hub: no socket for HTTP, and a loopback port for AMQP
   * that is opened with the first message.
   */
  get clientOptions(): LocalHubClientOptions {
    return {
      fetch: async (input, init) => {
        init?.signal?.throwIfAborted();
        return await this.fetch(new Request(input, init));
      },
      amqpEndpoint: () => this.#amqpEndpoint ??= this.#listeners.listenAmqp(),
    };
  }

  /**
   * Answers a request to the service API, whatever host it names. Operations that the local hub does not have yet are
   * answered with 501.
   *
   * @param request the request, with its `Authorization` header
   * @returns the answer; the hub reports its errors as answers, too
   * @throws {TypeError} once the hub is closed, as `fetch` does where nobody listens
   */
  async fetch(request: Request): Promise<Response> {
    if (this.#closed !== undefined) throw new TypeError("The local hub is closed");
    return await answerRest(this.#state, request);
  }

  /**
   * A credential whose access tokens the hub takes, in place of one from Microsoft Entra ID.
   *
   * @param options what to do wrong on purpose: another audience or issuer, an expired token, a foreign key
   *
   * @example
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * const expired = hub.tokenCredential({ expiresInSeconds: -60 });
   * await using registry = IoTHubRegistryManager.fromTokenCredential(hub.hostName, expired, hub.clientOptions);
   * await assert.rejects(registry.getDevices(), { code: "IotHubUnauthorized" });
   * ```
   */
  tokenCredential(options: LocalTokenCredentialOptions = {}): LocalTokenCredential {
    return this.#state.jwt.credential(options);
  }

  /**
   * Opens real sockets: HTTPS and AMQP with TLS on free ports, unless the options name others. May be called again.
   *
   * @param options ports, host name and certificate; a port of 0 picks a free one. Default host: `127.0.0.1`
   * @returns where the hub can be reached, and the certificate to be trusted
   * @throws {RangeError} for MQTT, which is not in this version
   *
   * @example
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * const { http } = await hub.listen({ http: 0 });
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, { endpoint: http });
   * assert.deepEqual(await registry.getDevices(), []);
   * ```
   */
  listen(options: ListenOptions = {}): Promise<LocalHubAddresses> {
    if (this.#closed !== undefined) return Promise.reject(new TypeError("The local hub is closed"));
    return this.#listeners.listen(options);
  }

  /**
   * A device in this process, the same object each time, whether or not its identity exists yet.
   *
   * @param deviceId the id of the device
   */
  device(deviceId: string): LocalDevice {
    let device = this.#devices.get(deviceId);
    if (device === undefined) this.#devices.set(deviceId, device = new LocalDevice(this.#state, deviceId));
    return device;
  }

  /** Closes every socket and ends every call that waits for a device. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** The same as {@linkcode LocalHub.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#state.close();
    await this.#listeners.close();
  }
}
