import { checkType } from "../../values/checks.ts";
import { type LocalFileUpload, notifyFileUpload } from "./file_upload.ts";
import type { HubState } from "../hub_state.ts";
import { findIdentity, requireIdentity } from "../records/find_identity.ts";
import { type AnyRecord, identityKey } from "../records/identity_records.ts";
import { copyJson, type JsonObject, type JsonValue } from "../json.ts";
import type {
  LocalDesiredPropertiesHandler,
  LocalDeviceTwin,
  LocalMessageHandler,
  LocalMethodHandler,
} from "./local_device_handlers.ts";
import { LocalMessagePump } from "./local_message_pump.ts";
import type { DeviceConnection, MethodAnswer } from "../sessions/presence.ts";
import { sectionForDevice } from "../twins/twin_documents.ts";

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
  readonly #messages: LocalMessagePump;
  #methodFallback: LocalMethodHandler | undefined;
  #desiredHandler: LocalDesiredPropertiesHandler | undefined;

  /** Not for users: `hub.device()` and `device.module()` make these. */
  constructor(hub: HubState, deviceId: string, moduleId?: string) {
    this.deviceId = deviceId;
    this.moduleId = moduleId;
    this.#hub = hub;
    this.#connection = this.#makeConnection();
    this.#messages = new LocalMessagePump(hub, () => this.connected ? this.#record : undefined);
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
    checkType("moduleId", moduleId, "string");
    const known = this.#modules.get(moduleId);
    if (known !== undefined) return known;
    if (this.moduleId !== undefined) throw new TypeError(`${this.moduleId} is a module and has no modules of its own`);
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
    else {
      checkType("methodName", methodNameOrHandler, "string");
      checkType("handler", handler, "function");
      this.#methodHandlers.set(methodNameOrHandler, handler);
    }
    this.connect();
    this.#hub.presence.changed(this.#key);
  }

  /**
   * Receives cloud-to-device messages, in place of any handler before, and connects the device.
   *
   * Messages come one at a time, in the order in which they were sent. A handler that returns completes its message,
   * one that returns `"reject"` ends it as unwanted; where it throws or returns `"abandon"`, the message comes again,
   * ten times in all. One that takes longer than a minute is taken for lost and comes again. A sender that asked for
   * feedback is told how each message ended.
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
   *
   * @param handler takes the messages, and says what is to become of them
   */
  onMessage(handler: LocalMessageHandler): void {
    checkType("handler", handler, "function");
    this.#messages.setHandler(handler);
    this.connect();
    this.#messages.run();
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
    checkType("handler", handler, "function");
    this.#desiredHandler = handler;
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
    checkType("patch", patch, "object");
    this.connect();
    return this.#hub.twins.report(this.#requireRecord(), copyJson(patch));
  }

  /**
   * Tells back ends that the device has uploaded a file, as a device does when an upload has ended. There is no file:
   * the local hub has no storage, only the notification.
   *
   * @param upload the name and the size of the file, and if need be where it is and when it was written
   * @throws `HubFault` with code `DeviceNotFound` where the identity does not exist or is disabled
   * @throws {TypeError} for a module, which cannot upload files, and for a name that is missing
   * @throws {RangeError} for a size that is not a number of bytes
   *
   * @example
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await registry.createDeviceWithSas("camera");
   * hub.device("camera").notifyFileUpload({ blobName: "2026/door.jpg", blobSizeInBytes: 48_213 });
   * ```
   */
  notifyFileUpload(upload: LocalFileUpload): void {
    if (this.moduleId !== undefined) throw new TypeError(`${this.moduleId} is a module and cannot upload files`);
    const record = this.#requireRecord();
    notifyFileUpload(this.#hub, this.deviceId, upload);
    this.#hub.presence.touch(record);
  }

  get #key(): string {
    return identityKey(this.deviceId, this.moduleId);
  }

  get #record(): AnyRecord | undefined {
    return findIdentity(this.#hub.store, this);
  }

  #requireRecord(): AnyRecord {
    return requireIdentity(this.#hub.store, this, { includeDisabled: false, missingModule: "DeviceNotFound" });
  }

  #makeConnection(): DeviceConnection {
    const takesMethods = (): boolean => this.#methodFallback !== undefined || this.#methodHandlers.size > 0;
    return {
      get takesMethods() {
        return takesMethods();
      },
      invokeMethod: (methodName, payload) => this.#answer(methodName, payload),
      desiredChanged: (patch) => this.#tellDesired(patch),
      messageQueued: () => void this.#messages.run(),
      activated: () => void this.#messages.run(),
      deactivated: () => this.#messages.endSession(),
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
        throw new TypeError(
          `The handler of ${methodName} must return { status, payload? } with an integer status`,
        );
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
}
