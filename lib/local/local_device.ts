import { deviceNotFound } from "./hub_fault.ts";
import type { HubState } from "./hub_state.ts";
import { type AnyRecord, deviceOf, identityKey } from "./identity_records.ts";
import { copyJson, type JsonObject, type JsonValue } from "./json.ts";
import type {
  LocalDesiredPropertiesHandler,
  LocalDeviceTwin,
  LocalMessageHandler,
  LocalMethodHandler,
} from "./local_device_handlers.ts";
import { LocalMessage } from "./local_message.ts";
import type { QueuedMessage } from "./message_queue.ts";
import type { DeviceConnection, MethodAnswer } from "./presence.ts";
import { sectionForDevice } from "./twin_documents.ts";

/**
 * A device, or a module of one, that lives in the process of its hub and needs neither socket nor key.
 *
 * `hub.device("d1")` gives it, the same object each time, whether or not the identity exists yet. It connects with its
 * first handler, with the first properties it reports, or by {@linkcode LocalDevice.connect}, and counts as connected
 * while its identity exists and is enabled.
 *
 * @example
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
 * device.onMethod("reboot", (payload) => ({ status: 200, payload: { accepted: payload } }));
 * await device.updateReportedProperties({ firmware: "1.2.0" });
 *
 * const answer = await registry.invokeDeviceMethod("thermostat", { methodName: "reboot", payload: "now" });
 * assert.deepEqual(answer, { status: 200, payload: { accepted: "now" } });
 * assert.equal((await registry.getTwin("thermostat")).properties?.reported?.firmware, "1.2.0");
 * ```
 */
export class LocalDevice {
  /** The id of the device. */
  readonly deviceId: string;
  /** The id of the module; `undefined` for a device. */
  readonly moduleId: string | undefined;
  readonly #hub: HubState;
  readonly #modules = new Map<string, LocalDevice>();
  readonly #methodHandlers = new Map<string, LocalMethodHandler>();
  readonly #connection: DeviceConnection;
  #methodFallback: LocalMethodHandler | undefined;
  #messageHandler: LocalMessageHandler | undefined;
  #desiredHandler: LocalDesiredPropertiesHandler | undefined;
  #receiving = false;
  /** Counts connections: what an earlier one has locked, the present one does not settle. */
  #session = 0;

  /** Not for users: `hub.device()` and `device.module()` make these. */
  constructor(hub: HubState, deviceId: string, moduleId?: string) {
    this.deviceId = deviceId;
    this.moduleId = moduleId;
    this.#hub = hub;
    this.#connection = this.#makeConnection();
  }

  /** Whether the hub takes the device for connected. */
  get connected(): boolean {
    return this.#hub.presence.active(this.#key) === this.#connection;
  }

  /** The twin as the device sees it now: a copy. */
  get twin(): LocalDeviceTwin {
    const { twin } = this.#requireRecord();
    return copyJson({ desired: sectionForDevice(twin.desired), reported: sectionForDevice(twin.reported) });
  }

  /** Connects the device. While its identity does not exist or is disabled, it waits for that. */
  connect(): void {
    this.#hub.presence.attach(this.#key, this.#connection, this.#record);
  }

  /** Disconnects the device. Its handlers stay for the next time; messages stay in the queue. */
  disconnect(): void {
    if (this.#hub.presence.isAttached(this.#key, this.#connection)) this.#hub.presence.detach(this.#key, this.#record);
  }

  /**
   * A module of this device, the same object each time.
   *
   * @param moduleId the id of the module, whether or not it exists yet
   */
  module(moduleId: string): LocalDevice {
    const known = this.#modules.get(moduleId);
    if (known !== undefined) return known;
    if (this.moduleId !== undefined) throw new TypeError(`${this.moduleId} is a module, it has no modules of its own`);
    const module = new LocalDevice(this.#hub, this.deviceId, moduleId);
    this.#modules.set(moduleId, module);
    return module;
  }

  /**
   * Answers direct methods, in place of any handler before, and connects the device.
   *
   * A handler that throws answers 500 with the text of the error; a method without a handler is answered with 501.
   *
   * @param handler answers every method that has no handler of its own
   */
  onMethod(handler: LocalMethodHandler): void;
  /** Answers the direct method of one name, and connects the device. */
  onMethod(methodName: string, handler: LocalMethodHandler): void;
  onMethod(methodNameOrHandler: string | LocalMethodHandler, handler?: LocalMethodHandler): void {
    if (typeof methodNameOrHandler === "function") this.#methodFallback = methodNameOrHandler;
    else this.#methodHandlers.set(methodNameOrHandler, requireFunction(handler));
    this.connect();
    this.#hub.presence.changed(this.#key);
  }

  /**
   * Receives cloud-to-device messages, in place of any handler before, and connects the device.
   *
   * Messages come one at a time, in the order in which they were sent. One whose handler throws comes again, ten times
   * in all; one that takes longer than a minute is taken for lost and comes again.
   *
   * @example
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await registry.createDeviceWithSas("display");
   *
   * const text = new Promise((resolve) => hub.device("display").onMessage((message) => resolve(message.text)));
   * await registry.sendC2dMessage("display", "hello");
   * assert.equal(await text, "hello");
   * ```
   */
  onMessage(handler: LocalMessageHandler): void {
    this.#messageHandler = requireFunction(handler);
    this.connect();
    this.#receive();
  }

  /**
   * Is told when the service changes the desired properties, in place of any handler before, and connects the device.
   *
   * Changes are not kept for a device that is away: after connecting, look at {@linkcode LocalDevice.twin}. An error
   * that the handler throws is nobody's to catch, and ends the process as such errors do.
   *
   * @example
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await registry.createDeviceWithSas("display");
   *
   * const change = new Promise((resolve) => hub.device("display").onDesiredProperties(resolve));
   * await registry.updateTwin("display", { properties: { desired: { brightness: 7 } } });
   * assert.deepEqual(await change, { brightness: 7, $version: 2 });
   * ```
   */
  onDesiredProperties(handler: LocalDesiredPropertiesHandler): void {
    this.#desiredHandler = requireFunction(handler);
    this.connect();
  }

  /**
   * Reports properties as a merge patch, in which `null` deletes, and connects the device.
   *
   * @returns the new `$version` of the reported section
   * @throws `HubFault` with code `ArgumentInvalid` for a patch that breaks the rules for twins, `DeviceNotFound` where
   * the identity does not exist or is disabled
   */
  // deno-lint-ignore require-await
  async updateReportedProperties(patch: Record<string, unknown>): Promise<number> {
    this.connect();
    return this.#hub.twins.report(this.#requireRecord(), copyJson(patch));
  }

  get #key(): string {
    return identityKey(this.deviceId, this.moduleId);
  }

  get #record(): AnyRecord | undefined {
    return this.#hub.store.find(this.deviceId, this.moduleId);
  }

  #requireRecord(): AnyRecord {
    const record = this.#record;
    if (record === undefined || deviceOf(record).status !== "enabled") throw deviceNotFound(this.#key);
    return record;
  }

  #makeConnection(): DeviceConnection {
    const takesMethods = (): boolean => this.#methodFallback !== undefined || this.#methodHandlers.size > 0;
    return {
      get takesMethods() {
        return takesMethods();
      },
      invokeMethod: (methodName, payload) => this.#answer(methodName, payload),
      desiredChanged: (patch) => this.#tellDesired(patch),
      messageQueued: () => this.#receive(),
      activated: () => this.#receive(),
      deactivated: () => this.#endSession(),
    };
  }

  async #answer(methodName: string, payload: JsonValue): Promise<MethodAnswer> {
    const handler = this.#methodHandlers.get(methodName) ?? this.#methodFallback;
    if (handler === undefined) return { status: 501, payload: null };
    const record = this.#record;
    if (record !== undefined) this.#hub.presence.touch(record);
    try {
      const response = await handler(copyJson(payload), methodName);
      if (!Number.isInteger(response?.status)) {
        throw new TypeError(`The handler of ${methodName} must return { status, payload? } with an integer status`);
      }
      return { status: response.status, payload: copyJson((response.payload ?? null) as JsonValue) };
    } catch (error) {
      return { status: 500, payload: error instanceof Error ? error.message : String(error) };
    }
  }

  #tellDesired(patch: JsonObject): void {
    const handler = this.#desiredHandler;
    if (handler === undefined) return;
    const copy = copyJson(patch);
    queueMicrotask(() => handler(copy));
  }

  async #receive(): Promise<void> {
    if (this.#receiving) return;
    this.#receiving = true;
    const session = this.#session;
    // The sender's call ends first, as it would with a device at the other end of a wire.
    await Promise.resolve();
    while (session === this.#session && this.connected && this.#messageHandler !== undefined) {
      const record = this.#record;
      const queued = record?.queue.lockNext(this.#hub.now());
      if (record === undefined || queued === undefined) break;
      await this.#handle(this.#messageHandler, record, queued, session);
    }
    if (session === this.#session) this.#receiving = false;
  }

  async #handle(
    handler: LocalMessageHandler,
    record: AnyRecord,
    queued: QueuedMessage,
    session: number,
  ): Promise<void> {
    let isHandled = true;
    try {
      await handler(new LocalMessage(queued));
    } catch {
      isHandled = false;
    }
    // The connection has gone meanwhile, and the lock with it: the message is the next session's.
    if (session !== this.#session) return;
    if (isHandled) record.queue.complete(queued, this.#hub.now());
    else record.queue.abandon(queued, this.#hub.now());
    this.#hub.presence.touch(record);
  }

  #endSession(): void {
    this.#session++;
    this.#receiving = false;
    this.#record?.queue.unlockAll();
  }
}

function requireFunction<T>(handler: T | undefined): T {
  if (typeof handler === "function") return handler;
  throw new TypeError(`A handler must be a function, not ${typeof handler}`);
}
