import type { LocalHubEventListener } from "./activity/hub_event.ts";
import { AmqpFaultState } from "./amqp/fault_state.ts";
import { hubAmqpBackend } from "./amqp/hub_backend.ts";
import type { ClientCertificate } from "./auth/client_certificate.ts";
import { POLICY_NAMES, type PolicyName } from "./auth/authorization.ts";
import { checkDeviceAuthorities } from "./auth/device_authorities.ts";
import { checkPolicyKeys, type LocalPolicyKeys } from "./auth/policy_keys.ts";
import { checkChoice, checkNumber, checkText, checkType, checkWhole } from "../values/checks.ts";
import { checkMembers } from "../values/members.ts";
import type { LocalHubFaultListener } from "./fault_listeners.ts";
import { LocalHubClock } from "./hub_clock.ts";
import { LocalHubFaults } from "./hub_faults.ts";
import { type HubAnswer, responseOf } from "./hub_answer.ts";
import type { HubRequest } from "./hub_request.ts";
import { HubState } from "./hub_state.ts";
import { HUB_TIERS, type HubTier } from "../timing/hub_tiers.ts";
import type { LocalTokenCredential, LocalTokenCredentialOptions } from "./auth/jwt_authority.ts";
import { nextTurn } from "./background_work.ts";
import { isBlobAddress } from "./blobs/blob_endpoint.ts";
import { LocalBlobContainer } from "./blobs/local_blob_container.ts";
import { LocalDevice } from "./devices/local_device.ts";
import { checkLocalDeviceOptions, type LocalDeviceOptions } from "./devices/local_device_options.ts";
import { checkEventOptions, type LocalEventOptions } from "./events/event_options.ts";
import { checkEventsOptions, type LocalEventsOptions, readEvents } from "./events/event_stream.ts";
import type { ReceivedEvent } from "../values/received_event.ts";
import { Listeners, type ListenOptions, type LocalHubAddresses } from "./sockets/listeners.ts";
import { answerRest } from "./device_rest/answer_rest.ts";
import { MqttFaultState } from "./mqtt/fault_state.ts";
import { hubMqttBackend } from "./mqtt/hub_backend.ts";
import { DeviceRequestFaults } from "./device_rest/fault_state.ts";
import { checkSnapshot, type LocalHubSnapshot } from "./storage/snapshot.ts";
import { checkStoragePath, openSqliteFile } from "./storage/sqlite_file.ts";

/** It leads every client on this machine to this machine, and to no other one. */
const DEFAULT_HOST_NAME = "localhost";
/** No scheme, port or path, and nothing that would end the value in a connection string. */
const HOST_NAME_REGEXP = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/;

/** The settings of a {@linkcode LocalHub}. Everything is optional. */
export interface LocalHubOptions {
  /**
   * The hub's host name, as it appears in connection strings, tokens and certificates. Clients that connect to a port of
   * the hub must be able to resolve it.
   * @default {"localhost"}
   */
  hostName?: string | undefined;
  /**
   * The hub's clock, in milliseconds since the epoch. Everything that the hub does in time goes by it, and so does every
   * timestamp that it writes. To move it in a test, rather use {@linkcode LocalHub.clock}, which needs no clock of yours:
   * what falls due by a clock that you move yourself happens with the next call, or with {@linkcode LocalHub.settled}.
   * @default {Date.now}
   */
  now?: (() => number) | undefined;
  /**
   * How long the hub still accepts a token after it has expired, in seconds.
   * @default {0}
   */
  clockSkewInSeconds?: number | undefined;
  /**
   * How long the hub collects feedback records before it delivers them as one message, in milliseconds; 0 delivers each
   * at once. A batch of 64 records goes out early, and so does the first record after a quiet period.
   * @default {15000}
   */
  feedbackIntervalInMs?: number | undefined;
  /**
   * How long an AMQP connection may be silent before the hub closes it, in milliseconds; `Infinity` for no limit.
   * @default {240000}
   */
  amqpIdleTimeoutInMs?: number | undefined;
  /**
   * How long it takes until queries see a write, in milliseconds of the hub's clock. Reads see it at once. A real hub
   * takes seconds, and for devices that were deleted up to half an hour.
   * @default {0}
   */
  queryLagInMs?: number | undefined;
  /**
   * Limits callers as hubs of a tier do, by the hub's clock. Each kind of request has a rate. Requests and messages
   * beyond it wait for up to ten seconds at first; when they would wait longer, they are refused with status 429, or
   * `com.microsoft:device-container-throttled` over AMQP. Devices that connect beyond it are refused at once. The tier also decides how many
   * scheduled jobs may wait or run at a time: 1 in F1 and S1, 5 in S2, 10 in S3, and none in B1 to B3. By default nothing
   * is limited but the number of jobs, to 10.
   */
  throttling?: LocalHubThrottling | undefined;
  /**
   * The keys of shared access policies, by their names: the primary key, or both. Connection strings with them then stay
   * good from one run to the next. A key is 16 to 64 bytes in standard base64. What is left out is random.
   * @default {{}}
   */
  policyKeys?: { [name in PolicyName]?: string | LocalPolicyKeys | undefined } | undefined;
  /**
   * The certificates of the authorities, in PEM, that sign those of devices. A device or module whose authentication has
   * the type `"certificateAuthority"` signs in with a certificate whose common name is `deviceId`, or
   * `deviceId/moduleId`, and that one of them has signed, be it by way of other authorities whose certificates the device
   * shows. Each has to be valid by the hub's clock. Lists of revoked certificates are not looked at.
   * @default {[]}
   */
  deviceAuthorities?: readonly string[] | undefined;
  /**
   * The path of a file, such as `"hub.sqlite"`, where the hub keeps everything it is told, so that the next hub with it
   * goes on where this one ended, however it ended. The file is made unless it exists. One hub has it open at a time. It
   * needs `node:sqlite`, which Deno, Bun and Node have, the latter from version 22.13 on. The file holds keys: treat it as
   * a secret.
   * @default in memory
   */
  storage?: string | undefined;
  /**
   * Which events back ends can read besides what devices send, in how many partitions they are, and how long they are kept.
   * @default {{}}
   */
  events?: LocalEventOptions | undefined;
}

/** The allowances of a {@linkcode LocalHub}. */
export interface LocalHubThrottling {
  /** The tier: free (F1), basic (B1 to B3), or standard (S1 to S3). */
  tier: HubTier;
  /**
   * How many units of it.
   * @default {1}
   */
  units?: number | undefined;
  /**
   * What a bulk request counts as: its devices, or one request. Azure does not say which.
   * @default {"devices"}
   */
  bulkCost?: "devices" | "request" | undefined;
}

/** The client options that connect a manager to a local hub in the same process. */
export interface LocalHubClientOptions {
  /** Answers requests in process. It has the shape of the global `fetch`. */
  fetch: (input: Request | URL | string, init?: RequestInit) => Promise<Response>;
  /** Returns the address of the hub's loopback port for AMQP, which the first call opens. */
  amqpEndpoint: () => Promise<string>;
}

/**
 * An embedded IoT hub for tests and for work without a network. It serves device and module identities, twins, digital
 * twins, queries, direct methods, jobs and cloud-to-device messages, and devices over AMQP and HTTPS, with the rules, errors
 * and authorization of the real service.
 *
 * A new hub is empty, opens no port and writes no files, unless it has storage. Its keys are random, unless they are given.
 *
 * @example Test against a hub in the same process
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
  /** Makes the hub misbehave over AMQP and MQTT, and towards devices over HTTPS, to test how a client copes. */
  readonly faults: LocalHubFaults;
  /** The hub's clock, which a test can set on: tokens, expiries, locks, jobs, lags and time-outs go by it. */
  readonly clock: LocalHubClock;
  readonly #requestFaults = new DeviceRequestFaults();
  readonly #state: HubState;
  readonly #devices = new Map<string, LocalDevice>();
  readonly #modelIds = new Map<string, string>();
  readonly #listeners: Listeners;
  #amqpEndpoint: Promise<string> | undefined;
  #closed: Promise<void> | undefined;
  readonly #ended = new AbortController();

  /**
   * Creates an empty hub, or one with what its storage holds.
   *
   * @param options The hub's host name, clock, time-outs, keys and storage.
   * @throws {TypeError} When an option has the wrong type.
   * @throws {RangeError} When an option's value is not legal.
   * @throws {Error} When the storage cannot be used: another hub has it open, a newer one has written it, it is damaged or
   * of something else, or the runtime has no `node:sqlite`. The file is then left as it is.
   *
   * @example Go on where an earlier hub ended
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   * import { mkdtempSync, rmSync } from "node:fs";
   * import { tmpdir } from "node:os";
   * import { join } from "node:path";
   *
   * const folder = mkdtempSync(join(tmpdir(), "hub-"));
   * const storage = join(folder, "hub.sqlite");
   * {
   *   await using hub = new LocalHub({ storage });
   *   await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *   await registry.createDeviceWithSas("thermostat");
   * }
   * {
   *   await using hub = new LocalHub({ storage });
   *   await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *   assert.equal((await registry.getDevice("thermostat")).status, "enabled");
   * }
   * rmSync(folder, { recursive: true });
   * ```
   */
  constructor(options: LocalHubOptions = {}) {
    checkLocalHubOptions(options);
    const { hostName = DEFAULT_HOST_NAME, now = () => Date.now(), clockSkewInSeconds = 0 } = options;
    const { feedbackIntervalInMs, amqpIdleTimeoutInMs, queryLagInMs, throttling } = options;
    const clockSkew = clockSkewInSeconds * 1000;
    this.clock = new LocalHubClock(now, () => this.#state);
    const file = options.storage === undefined ? undefined : openSqliteFile(options.storage);
    try {
      this.#state = new HubState({
        hostName,
        now: () => this.clock.now(),
        clockSkew,
        feedbackIntervalInMs,
        amqpIdleTimeoutInMs,
        queryLagInMs,
        throttling,
        policyKeys: options.policyKeys,
        deviceAuthorities: options.deviceAuthorities,
        events: options.events,
        file,
      });
    } catch (error) {
      file?.close();
      throw error;
    }
    const [amqpFaults, mqttFaults] = [new AmqpFaultState(), new MqttFaultState()];
    this.#listeners = new Listeners(this.#state.hosts, {
      fetch: (request, certificate) => this.#answer(request, certificate),
      amqp: hubAmqpBackend(this.#state, amqpFaults),
      mqtt: hubMqttBackend(this.#state, mqttFaults),
    });
    const restart = (downtimeInMs: number): Promise<void> => this.#listeners.restart(downtimeInMs);
    this.faults = new LocalHubFaults(amqpFaults, mqttFaults, this.#requestFaults, restart);
  }

  /** The hub's host name, without a port. */
  get hostName(): string {
    return this.#state.hostName;
  }

  /** The connection string of the policy `iothubowner`, which has every right. See {@linkcode connectionStringFor}. */
  get connectionString(): string {
    return this.connectionStringFor("iothubowner");
  }

  /**
   * Returns the connection string of one of the hub's policies. Once the hub listens for HTTPS at another port than 443,
   * the host name has that port, so that a client on this machine that trusts the certificate needs nothing else.
   *
   * @param policyName The policy: `iothubowner`, `service`, `device`, `registryRead` or `registryReadWrite`.
   * @param key Which of the policy's two keys to use, `"primary"` unless given.
   * @returns `HostName=…;SharedAccessKeyName=…;SharedAccessKey=…`. It holds the key: treat it as a secret.
   * @throws {TypeError} When an argument is not a string.
   * @throws {RangeError} When the hub has no such policy or key.
   *
   * @example Connect with fewer rights
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * const readOnly = hub.connectionStringFor("registryRead");
   * await using registry = IoTHubRegistryManager.fromConnectionString(readOnly, hub.clientOptions);
   * await assert.rejects(registry.createDeviceWithSas("thermostat"), { code: "IotHubUnauthorizedAccess" });
   * ```
   */
  connectionStringFor(policyName: PolicyName, key: "primary" | "secondary" = "primary"): string {
    checkType("policyName", policyName, "string");
    checkChoice("policyName", policyName, POLICY_NAMES);
    checkType("key", key, "string");
    checkChoice("key", key, ["primary", "secondary"]);
    const policy = this.#state.policies.get(policyName)!;
    const sharedAccessKey = key === "primary" ? policy.primaryKey : policy.secondaryKey;
    return `HostName=${this.#listeners.httpsHost};SharedAccessKeyName=${policyName};SharedAccessKey=${sharedAccessKey}`;
  }

  /**
   * The options that connect a manager in this process to this hub. HTTP needs no socket; AMQP uses a loopback port
   * that is opened for the first message.
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
   * Answers a request of a back end or of a device, or for a blob, whatever host its URL names. An operation that the
   * local hub does not have yet is answered with 501.
   *
   * @param request The request, with its `Authorization` header.
   * @returns The response, also when the hub reports an error.
   * @throws {TypeError} When the hub is closed, as `fetch` throws when nothing listens at an address.
   *
   * @example Call the service API without a client
   * ```ts
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * const url = `https://${hub.hostName}/devices?api-version=2021-04-12`;
   * assert.equal((await hub.fetch(new Request(url))).status, 401);
   *
   * const { token } = await hub.tokenCredential().getToken("https://iothubs.azure.net/.default");
   * const response = await hub.fetch(new Request(url, { headers: { authorization: `Bearer ${token}` } }));
   * assert.deepEqual(await response.json(), []);
   * ```
   */
  async fetch(request: Request): Promise<Response> {
    return responseOf(await this.#answer(request));
  }

  async #answer(request: HubRequest, certificate?: ClientCertificate): Promise<HubAnswer> {
    if (this.#closed !== undefined) throw new TypeError("The local hub is closed");
    if (isHealthAddress(request.url)) return HEALTHY;
    if (isBlobAddress(request.url)) return await this.#state.blobEndpoint.answer(request);
    return await this.#requestFaults.apply(request, () => answerRest(this.#state, request, certificate));
  }

  /**
   * Calls a listener with every exception inside the hub, which is a mistake of the hub, of a `now` that throws, or of a
   * listener of {@linkcode LocalHub.onEvent}. The caller gets status 500 over HTTP and `amqp:internal-error` over AMQP,
   * with a tracking id and without the reason; the hub goes on. What the listener itself throws is ignored.
   *
   * @param listener Is called with the exception and with the tracking id that its caller was given.
   * @returns A function that removes the listener.
   * @throws {TypeError} When the listener is not a function.
   *
   * @example Find the reason for a tracking id
   * ```ts
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub({
   *   now: () => {
   *     throw new Error("The clock has stopped");
   *   },
   * });
   * const reasons = new Map<string, unknown>();
   * hub.onFault(({ trackingId, error }) => reasons.set(trackingId, error));
   *
   * const response = await hub.fetch(new Request(`https://${hub.hostName}/devices?api-version=2021-04-12`));
   * assert.equal(response.status, 500);
   * const { ExceptionMessage } = await response.json();
   * const [trackingId = ""] = /[0-9a-f]{32}/.exec(ExceptionMessage) ?? [];
   * assert.match(String(reasons.get(trackingId)), /The clock has stopped/);
   * ```
   */
  onFault(listener: LocalHubFaultListener): () => void {
    checkType("listener", listener, "function");
    return this.#state.faults.add(listener);
  }

  /**
   * Calls a listener with what the hub does: operations of back ends, acts of devices, what becomes of messages, direct
   * methods, changes of desired properties, connections that come and go, and refused sign-ins. No event holds a key, a
   * token, the body or the properties of a message, the values of a twin, or the payload of a method.
   *
   * The listener is called right after the hub is done with what it is at, before the caller gets the answer, in the order
   * in which things were over. What it throws is told to {@linkcode LocalHub.onFault}, and does no harm.
   *
   * @param listener Is called with each event.
   * @returns A function that removes the listener.
   * @throws {TypeError} When the listener is not a function.
   *
   * @example Wait until a device has completed a message
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await registry.createDeviceWithSas("display");
   * hub.device("display").onMessage(() => {});
   *
   * const completed = new Promise<void>((resolve) => {
   *   hub.onEvent((event) => {
   *     if (event.kind === "deviceAct" && event.act === "completeMessage") resolve();
   *   });
   * });
   * await registry.sendC2dMessage("display", "hello");
   * await completed;
   * ```
   */
  onEvent(listener: LocalHubEventListener): () => void {
    checkType("listener", listener, "function");
    return this.#state.activity.add(listener);
  }

  /**
   * Creates a token credential that this hub accepts, in place of one from Microsoft Entra ID. Its tokens grant
   * every right for an hour, unless the options say otherwise.
   *
   * @param options How the tokens deviate from good ones, to test refusals: another audience, issuer, lifetime or key.
   * @returns A credential of the same shape as `TokenCredential` of `@azure/core-auth`.
   * @throws {TypeError} When an option has the wrong type.
   * @throws {RangeError} When `expiresInSeconds` is not a finite number.
   *
   * @example See a client refused for a token that is for another service
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * const foreign = hub.tokenCredential({ audience: "https://vault.azure.net" });
   * await using registry = IoTHubRegistryManager.fromTokenCredential(hub.hostName, foreign, hub.clientOptions);
   * await assert.rejects(registry.getDevices(), { code: "IotHubUnauthorized" });
   * ```
   */
  tokenCredential(options: LocalTokenCredentialOptions = {}): LocalTokenCredential {
    return this.#state.jwt.credential(options);
  }

  /**
   * Opens real ports, on `127.0.0.1` unless the options say otherwise. Without a port in the options it opens one for
   * HTTPS and one for AMQP over TLS. It may be called again to open more.
   *
   * @param options The ports, the address to listen at, and the certificate. A port of 0 picks a free one.
   * @returns The addresses of the open ports, and the certificate that clients have to trust.
   * @throws {TypeError} When an option has the wrong type, or when the hub is closed.
   * @throws {RangeError} When a port is not legal.
   *
   * @example Reach the hub through a real port
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
   * Returns a device that runs in this process. The same id gives the same object each time, whether or not the hub has
   * an identity for it yet.
   *
   * @param deviceId The device's id.
   * @param options The model that the device announces. A device that is told so connects, or connects anew.
   * @returns The device. It connects with its first handler, or when it is told to.
   * @throws {TypeError} When an argument has the wrong type.
   * @throws {RangeError} When the model id is not legal.
   *
   * @example Answer a direct method
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await registry.createDeviceWithSas("thermostat");
   *
   * const device = hub.device("thermostat");
   * device.onMethod("reboot", () => ({ status: 200, payload: "rebooting" }));
   * const { payload } = await registry.invokeDeviceMethod("thermostat", { methodName: "reboot" });
   * assert.equal(payload, "rebooting");
   * ```
   */
  device(deviceId: string, options: LocalDeviceOptions = {}): LocalDevice {
    checkType("deviceId", deviceId, "string");
    checkLocalDeviceOptions(options);
    const { modelId } = options;
    const device = this.#devices.get(deviceId) ??
      new LocalDevice(this.#state, deviceId, undefined, () => this.#modelIds.get(deviceId));
    this.#devices.set(deviceId, device);
    if (modelId !== undefined && modelId !== this.#modelIds.get(deviceId)) {
      this.#modelIds.set(deviceId, modelId);
      // A model is announced with a connection, and only with it.
      device.disconnect();
      device.connect();
    }
    return device;
  }

  /**
   * Reads what devices send, and what the hub tells by itself where the option `events` says so, without a socket. It takes
   * nothing away: each loop gets all events, as do back ends that read them over AMQP. Events that are no longer kept are
   * left out.
   *
   * @param options Where the loop begins, and when it ends. By default it begins with the oldest event that is kept, and
   * waits for the next one until the hub is closed.
   * @returns The events of all partitions, in the order in which they have come.
   * @throws {TypeError} When an option has the wrong type.
   * @throws {RangeError} When an option's value is not legal.
   *
   * @example See what a device has sent
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await registry.createDeviceWithSas("thermostat");
   *
   * await hub.device("thermostat").sendTelemetry({ temperature: 21.5 });
   * for await (const event of hub.events()) {
   *   assert.equal(event.deviceId, "thermostat");
   *   assert.deepEqual(event.json(), { temperature: 21.5 });
   *   break;
   * }
   * ```
   */
  events(options: LocalEventsOptions = {}): AsyncIterableIterator<ReceivedEvent> {
    checkEventsOptions(options);
    return readEvents(this.#state.events, options, this.#ended.signal);
  }

  /**
   * Returns a container of the hub's blob storage, which exports and imports of identities use. The container is created
   * with the first call for its name. Its blobs are held in memory, with storage too.
   *
   * @param name The name of the container: 3 to 63 characters of a-z0-9, with single hyphens between them.
   * @returns The container, with an address for jobs and for clients of Azure Storage.
   * @throws {TypeError} When the name is not a string.
   * @throws {RangeError} When the name is not legal.
   *
   * @example Read over HTTP what was written in process
   * ```ts
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * const container = hub.blobContainer("fleet");
   * container.write("devices.txt", '{"id":"thermostat","status":"enabled"}\n');
   *
   * const [address, signature] = container.url.split("?");
   * const response = await hub.fetch(new Request(`${address}/devices.txt?${signature}`));
   * assert.equal(JSON.parse(await response.text()).id, "thermostat");
   * ```
   */
  blobContainer(name: string): LocalBlobContainer {
    const origin = (): string => this.#listeners.origin ?? `https://${this.hostName}`;
    return new LocalBlobContainer(this.#state.blobs, name, origin);
  }

  /**
   * Returns everything that the hub has now: identities and twins, the keys of policies, messages, feedback and file
   * notifications, events, configurations, jobs, and blobs. Whether devices are connected is no part of it that lasts.
   *
   * @returns A plain value, which later writes do not change. It can be cloned, compared, and kept as a test likes. It holds
   * keys: treat it as a secret.
   *
   * @example Begin each test where the one before began
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await registry.createDeviceWithSas("thermostat");
   * const snapshot = hub.snapshot();
   *
   * await registry.deleteDevice("thermostat");
   * hub.restore(snapshot);
   * assert.equal((await registry.getDevice("thermostat")).status, "enabled");
   * ```
   */
  snapshot(): LocalHubSnapshot {
    return this.#state.storage.snapshot();
  }

  /**
   * Puts the hub where a snapshot says, one of its own or of another hub. What it had is gone, and a hub with storage keeps
   * what it has now.
   *
   * Devices lose their connections; those in this process connect again at once. Jobs that ran are stopped, and those of the
   * snapshot go on. Keys of policies become those of the snapshot, save those that the hub was given.
   *
   * @param snapshot What {@linkcode LocalHub.snapshot} has returned. It can be used again.
   * @throws {TypeError} When it is no snapshot, or when the hub is closed.
   * @throws {RangeError} When it is of another version of the hub.
   *
   * @example Give a hub the contents of another
   * ```ts
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using first = new LocalHub();
   * first.blobContainer("fleet").write("devices.txt", "");
   * await using second = new LocalHub();
   * second.restore(structuredClone(first.snapshot()));
   * assert.deepEqual(second.blobContainer("fleet").list(), ["devices.txt"]);
   * ```
   */
  restore(snapshot: LocalHubSnapshot): void {
    checkSnapshot(snapshot);
    if (this.#closed !== undefined) throw new TypeError("The local hub is closed");
    this.#state.restore(snapshot);
  }

  /**
   * Waits until everything is done that the hub does by itself and that is due: configurations are carried out, jobs have
   * ended, and what falls due on a clock of your own (`now`) that was set on has happened.
   *
   * @returns Resolves when nothing is left to do.
   * @throws {Error} When there is no end to it, such as where a device reports what changes the configuration that it
   * then gets, again and again.
   *
   * @example Configure devices by a tag
   * ```ts
   * import { createClient, createOrUpdateConfiguration } from "@iothub/registry-manager/gen";
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await registry.createDeviceWithSas("display");
   * await registry.updateTwin("display", { tags: { floor: 3 } });
   *
   * const { token } = (await hub.tokenCredential().getToken("https://iothubs.azure.net/.default"))!;
   * const client = createClient({
   *   baseUrl: `https://${hub.hostName}`,
   *   fetch: hub.clientOptions.fetch,
   *   headers: { Authorization: `Bearer ${token}` },
   * });
   * await createOrUpdateConfiguration({
   *   client,
   *   path: { id: "third-floor" },
   *   query: { "api-version": "2021-04-12" },
   *   body: {
   *     id: "third-floor",
   *     targetCondition: "tags.floor = 3",
   *     content: { deviceContent: { "properties.desired.brightness": 7 } },
   *   },
   * });
   *
   * await hub.settled();
   * assert.equal(hub.device("display").twin.desired["brightness"], 7);
   * ```
   */
  async settled(): Promise<void> {
    const { alarm, background } = this.#state;
    for (let turns = 0; alarm.isDue() || background.isBusy; turns++) {
      if (turns === MOST_TURNS) throw new Error(UNSETTLED);
      alarm.ring();
      await background.settled();
      // Devices have their turn: what they report may be a reason to do more.
      await nextTurn();
    }
  }

  /**
   * Closes every port and connection, and ends every call that waits for a device and every job. Calling it again has
   * no further effect.
   *
   * @returns Resolves when everything is closed.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** The same as {@linkcode LocalHub.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#ended.abort();
    this.#state.close();
    this.#requestFaults.close();
    await this.#listeners.close();
    await this.#state.background.settled();
    this.#state.storage.close();
  }
}

/** No hub has this: it is for those who start one, and wait until it is there. */
const HEALTHY: HubAnswer = {
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ status: "ok" }),
};

function isHealthAddress(url: string): boolean {
  return new URL(url).pathname === "/health";
}

/** Whatever comes to an end needs fewer turns: one for some thousand twins, and one for each answer of a device. */
const MOST_TURNS = 1_000;
const UNSETTLED = "The hub does not settle: each thing that it has done is a reason for the next. Look for " +
  "configurations and devices that change each other's properties in a circle, and for a clock (now) that moves on " +
  "with every reading";

/** Throws unless each option is what it should be. */
function checkLocalHubOptions(options: LocalHubOptions): void {
  checkMembers("options", options, [
    "hostName",
    "now",
    "clockSkewInSeconds",
    "feedbackIntervalInMs",
    "amqpIdleTimeoutInMs",
    "queryLagInMs",
    "throttling",
    "policyKeys",
    "deviceAuthorities",
    "storage",
    "events",
  ]);
  const { hostName, now, clockSkewInSeconds, feedbackIntervalInMs, amqpIdleTimeoutInMs, queryLagInMs, throttling } =
    options;
  if (hostName !== undefined) checkText("hostName", hostName, HOST_NAME_REGEXP, "a host name such as myhub.localhost");
  if (now !== undefined) checkType("now", now, "function");
  if (clockSkewInSeconds !== undefined) {
    checkNumber("clockSkewInSeconds", clockSkewInSeconds, (time) => time >= 0, "a number from 0 on");
  }
  for (const [name, time] of Object.entries({ feedbackIntervalInMs, queryLagInMs })) {
    if (time !== undefined) {
      checkNumber(name, time, (time) => time >= 0 && time < Infinity, "a finite number from 0 on");
    }
  }
  if (options.storage !== undefined) checkStoragePath(options.storage);
  if (options.deviceAuthorities !== undefined) checkDeviceAuthorities(options.deviceAuthorities);
  if (options.events !== undefined) checkEventOptions(options.events);
  if (options.policyKeys !== undefined) checkPolicyKeys(options.policyKeys, POLICY_NAMES);
  if (throttling !== undefined) {
    checkMembers("throttling", throttling, ["tier", "units", "bulkCost"]);
    checkChoice("throttling.tier", throttling.tier, HUB_TIERS);
    checkWhole("throttling.units", throttling.units, 1);
    if (throttling.bulkCost !== undefined) {
      checkChoice("throttling.bulkCost", throttling.bulkCost, ["devices", "request"]);
    }
  }
  if (amqpIdleTimeoutInMs !== undefined) {
    checkNumber("amqpIdleTimeoutInMs", amqpIdleTimeoutInMs, (time) => time > 0, "over 0, or Infinity for no limit");
  }
}
