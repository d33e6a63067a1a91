import { once } from "node:events";
import { test } from "node:test";
import { issue, issueAuthority, type IssuedCertificate } from "./certificate_factory.ts";
import type { Json } from "./rest_caller.ts";
import { signSas } from "./sas.ts";
import { SdkAtHub, type SdkDeviceTransport } from "./sdk_at_hub.ts";

/** The authority of devices at the hub, and one below it. */
export const ROOT: IssuedCertificate = issueAuthority();
export const BELOW: IssuedCertificate = issue({ commonName: "Below", issuer: ROOT, isAuthority: true });

/** A policy of retries by which the SDK never tries again. */
export const NEVER = { shouldRetry: (): boolean => false, nextRetryTimeout: (): number => 0 };

/** A hub that knows {@linkcode ROOT}, and the vendor's SDK for back ends at it. */
export class SdkScene implements AsyncDisposable {
  readonly sdk: SdkAtHub;
  readonly registry: Json;
  readonly service: Json;

  private constructor(sdk: SdkAtHub) {
    this.sdk = sdk;
    this.registry = sdk.registry();
    this.service = sdk.client();
  }

  static async start(): Promise<SdkScene> {
    return new SdkScene(await SdkAtHub.start({ deviceAuthorities: [ROOT.cert] }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.sdk[Symbol.asyncDispose]();
  }
}

/** Devices with the vendor's SDK over one transport. The scene is there when tests run, and not when they are defined. */
export class SdkDevices {
  readonly transport: SdkDeviceTransport;
  readonly #scene: () => SdkScene;

  constructor(transport: SdkDeviceTransport, scene: () => SdkScene) {
    this.transport = transport;
    this.#scene = scene;
  }

  get sdk(): SdkAtHub {
    return this.#scene().sdk;
  }

  get registry(): Json {
    return this.#scene().registry;
  }

  get service(): Json {
    return this.#scene().service;
  }

  /** Defines a scenario, which is skipped where this machine lets nobody listen at the port that it needs. */
  scenario(name: string, run: () => Promise<void>): void {
    test(name, async (t) => {
      if (this.transport === "MqttWs" && this.sdk.host443 === undefined) {
        return t.skip("this machine refuses port 443, which the SDK fixes for MQTT over WebSocket");
      }
      await run();
    });
  }

  /** Makes a device of a test's own. Returns its id. */
  async create(name: string, fields: object = {}): Promise<string> {
    const deviceId = `${this.transport}-${name}`;
    await this.registry.create({ deviceId, ...fields });
    return deviceId;
  }

  /** Makes a device of a test's own, and connects it. */
  async connect(name: string): Promise<[client: Json, deviceId: string]> {
    const deviceId = await this.create(name);
    const client = await this.sdk.device(this.transport, deviceId);
    await client.open();
    return [client, deviceId];
  }

  /** Makes a device of a test's own with a module, `m1`, and connects the module. */
  async connectModule(name: string): Promise<[client: Json, deviceId: string]> {
    const deviceId = await this.create(name);
    await this.registry.addModule({ deviceId, moduleId: "m1" });
    const client = await this.sdk.device(this.transport, deviceId, "m1");
    await client.open();
    return [client, deviceId];
  }

  async stateOf(deviceId: string): Promise<string> {
    return (await this.registry.get(deviceId)).responseBody.connectionState;
  }

  async keyOf(deviceId: string): Promise<string> {
    return (await this.registry.get(deviceId)).responseBody.authentication.symmetricKey.primaryKey;
  }

  callMethod(deviceId: string, methodName: string, payload?: unknown): Promise<Json> {
    return this.service.invokeDeviceMethod(deviceId, { methodName, payload, connectTimeoutInSeconds: 20 });
  }

  /** A client whose connection string ends otherwise than with its key. */
  withAddress(deviceId: string, rest: string): Promise<Json> {
    const connectionString = `${this.sdk.deviceAddress(this.transport, deviceId)};${rest}`;
    return this.sdk.device(
      this.transport,
      deviceId,
      undefined,
      (factories, protocol) => factories.fromConnectionString(connectionString, protocol),
    );
  }

  /** A client with a ready token. */
  bySignature(deviceId: string, token: string): Promise<Json> {
    return this.sdk.device(
      this.transport,
      deviceId,
      undefined,
      (factories, protocol) => factories.fromSharedAccessSignature(token, protocol),
    );
  }

  /** A token that a device has signed with its key. */
  signFor(deviceId: string, key: string, se: number): string {
    const host = this.transport === "MqttWs" ? this.sdk.host443! : "localhost";
    const sr = encodeURIComponent(`${host}/devices/${deviceId}`);
    return signSas({ connectionString: this.sdk.hub.connectionString, sr, key, se }).replace(/&skn=.*$/, "");
  }
}

/** The next time that an emitter of the SDK emits an event. */
export async function next(emitter: Json, event: string): Promise<Json> {
  const [value] = await once(emitter, event);
  return value;
}

/** Lets a method of a device answer. */
export function answerPing(_request: Json, response: Json): void {
  response.send(200, "pong").catch(() => {});
}

/** Reports properties of a twin. */
export function report(twin: Json, patch: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    twin.properties.reported.update(patch, (error: unknown) => error ? reject(error) : resolve());
  });
}
