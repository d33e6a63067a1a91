import { cannotUse, checkType } from "../../values/checks.ts";
import { checkMembers } from "../../values/members.ts";
import { invalidArgument } from "../hub_fault.ts";
import { type LocalFileUpload, notifyFileUpload } from "./file_upload.ts";
import type { HubState } from "../hub_state.ts";
import { copyJson, type JsonObject, type JsonValue, MAX_JSON_DEPTH, parseOutsideJson } from "../json.ts";
import type {
  LocalDesiredPropertiesHandler,
  LocalDeviceTwin,
  LocalMessageHandler,
  LocalMethodHandler,
} from "./local_device_handlers.ts";
import { type LocalTelemetryProperties, toTelemetryMessage } from "./telemetry.ts";
import { LocalMessagePump } from "./local_message_pump.ts";
import type { DeviceConnection, MethodAnswer } from "../presence/device_connection.ts";
import { DeviceSession } from "../sessions/device_session.ts";

/**
 * A simulated device, or module of a device, in the process of its hub. It needs neither a socket nor a key.
 *
 * Get it from `hub.device("d1")`, which returns the same object each time, whether or not the identity exists yet. It
 * connects when it gets its first handler, when it first reports properties or sends telemetry, or with {@linkcode LocalDevice.connect}.
 * It counts as connected while its identity exists and is enabled.
 *
 * @example Answer a direct method and report properties
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
 * assert.equal((await registry.getTwin("thermostat")).properties.reported["firmware"], "1.2.0");
 * ```
 */
export class LocalDevice {
  /** The device id. */
  readonly deviceId: string;
  /** The module id; `undefined` for a device. */
  readonly moduleId: string | undefined;
  readonly #hub: HubState;
  readonly #modules = new Map<string, LocalDevice>();
  readonly #methodHandlers = new Map<string, LocalMethodHandler>();
  readonly #session: DeviceSession;
  readonly #messages: LocalMessagePump;
  #methodFallback: LocalMethodHandler | undefined;
  #desiredHandler: LocalDesiredPropertiesHandler | undefined;

  /**
   * Not public: use `hub.device()` or `device.module()`.
   *
   * @ignore
   */
  constructor(hub: HubState, deviceId: string, moduleId?: string, modelId: () => string | undefined = () => undefined) {
    this.deviceId = deviceId;
    this.moduleId = moduleId;
    this.#hub = hub;
    this.#session = new DeviceSession(hub, { deviceId, moduleId }, this.#makeConnection(modelId));
    this.#messages = new LocalMessagePump(this.#session, hub.faults);
  }

  /** Whether the device is connected and its identity exists and is enabled. */
  get connected(): boolean {
    return this.#session.isActive;
  }

  /**
   * A copy of the twin as the device sees it now.
   *
   * @throws {HubFault} `DeviceNotFound` (404) when the identity does not exist or is disabled.
   */
  get twin(): LocalDeviceTwin {
    return copyJson(this.#session.readTwin());
  }

  /**
   * Connects the device. If its identity does not exist or is disabled, the device counts as connected once it is
   * enabled.
   */
  connect(): void {
    this.#session.connect();
  }

  /** Disconnects the device. It keeps its handlers for the next connection, and messages stay in the queue. */
  disconnect(): void {
    this.#session.close();
  }

  /**
   * Returns a module of this device, the same object each time.
   *
   * @param moduleId The module id; its identity need not exist yet.
   * @returns The module.
   * @throws {TypeError} When the id is not a string, or when this is a module itself.
   *
   * @example Report a property of a module
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await registry.createDeviceWithSas("camera");
   * await registry.createModuleWithSas("camera", "lens");
   *
   * await hub.device("camera").module("lens").updateReportedProperties({ zoom: 3 });
   * assert.equal((await registry.getModuleTwin("camera", "lens")).properties.reported["zoom"], 3);
   * ```
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
   * Sets the handler of direct methods and connects the device. It replaces the previous handler.
   *
   * If a handler throws, the answer has status 500 and the text of the error. A method without a handler is answered
   * with status 501.
   *
   * @param handler Answers every method that has no handler of its own.
   * @throws {TypeError} When the handler is not a function.
   *
   * @example Answer any method
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await registry.createDeviceWithSas("lamp");
   *
   * hub.device("lamp").onMethod((payload, methodName) => ({ status: 200, payload: { methodName, payload } }));
   * const answer = await registry.invokeDeviceMethod("lamp", { methodName: "dim", payload: 40 });
   * assert.deepEqual(answer.payload, { methodName: "dim", payload: 40 });
   * ```
   */
  onMethod(handler: LocalMethodHandler): void;
  /**
   * Sets the handler of one direct method and connects the device. It replaces the previous handler of this method.
   *
   * @param methodName The name of the method.
   * @param handler Answers the method.
   * @throws {TypeError} When the name is not a string or the handler is not a function.
   */
  onMethod(methodName: string, handler: LocalMethodHandler): void;
  onMethod(methodNameOrHandler: string | LocalMethodHandler, handler?: LocalMethodHandler): void {
    if (typeof methodNameOrHandler === "function") this.#methodFallback = methodNameOrHandler;
    else {
      checkType("methodName", methodNameOrHandler, "string");
      checkType("handler", handler, "function");
      this.#methodHandlers.set(methodNameOrHandler, handler);
    }
    this.connect();
    this.#session.methodsChanged();
  }

  /**
   * Sets the handler of cloud-to-device messages and connects the device. It replaces the previous handler.
   *
   * Messages arrive one at a time, in the order in which they were sent. A message is completed when the handler
   * returns or its promise resolves, and rejected when the result is `"reject"`. When the handler throws, or the result
   * is `"abandon"`, the message is delivered again, up to ten times in all. The same happens when the handler takes
   * longer than a minute. A sender that asked for feedback is told how each message ended.
   *
   * @param handler Handles a message, and decides how it ends.
   * @throws {TypeError} When the handler is not a function.
   *
   * @example Receive a message
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
    checkType("handler", handler, "function");
    this.#messages.setHandler(handler);
    this.connect();
    this.#messages.run();
  }

  /**
   * Sets the handler that is called when the service changes desired properties, and connects the device. It replaces
   * the previous handler.
   *
   * Changes made while the device is disconnected are not delivered later: read {@linkcode LocalDevice.twin} after
   * connecting. An error that the handler throws is an uncaught exception of the process.
   *
   * @param handler Is called with each change.
   * @throws {TypeError} When the handler is not a function.
   *
   * @example Follow a desired property
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
   * Updates the reported properties with a merge patch and connects the device.
   *
   * @param patch The properties to change; `null` deletes one.
   * @returns The new `$version` of the reported properties.
   * @throws {TypeError} When the patch is not an object.
   * @throws {HubFault} `ArgumentInvalid` (400) when the patch breaks a rule for twins.
   * @throws {HubFault} `DeviceNotFound` (404) when the identity does not exist or is disabled.
   *
   * @example Report a property and delete it again
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await registry.createDeviceWithSas("door");
   *
   * const door = hub.device("door");
   * await door.updateReportedProperties({ state: "open", alarm: true });
   * assert.equal(await door.updateReportedProperties({ alarm: null }), 3);
   * assert.deepEqual(door.twin.reported, { state: "open", $version: 3 });
   * ```
   */
  // deno-lint-ignore require-await
  async updateReportedProperties(patch: Record<string, unknown>): Promise<number> {
    checkType("patch", patch, "object");
    this.connect();
    return this.#session.report(copyFromDevice("the reported properties", patch));
  }

  /**
   * Sends a message to the hub, and connects the device.
   *
   * A string is sent as it is, in UTF-8 and without a content type, and so is a `Uint8Array`, without an encoding either.
   * Any other body is sent as JSON, with the content type `application/json` and the encoding `utf-8`. The properties may
   * name another content type and encoding. A message has at most 256 KiB with its properties.
   *
   * @param body The body: a JSON value, a string or a `Uint8Array`.
   * @param properties System properties such as `messageId`; every other member becomes an application property.
   * @returns Resolves when the hub has the message.
   * @throws {TypeError} When an argument has the wrong type.
   * @throws {RangeError} When an argument's value is not legal.
   * @throws {HubFault} `ArgumentInvalid` (400) or `MessageTooLarge` (413) when the hub cannot take the message.
   * @throws {HubFault} `DeviceNotFound` (404) when the identity does not exist or is disabled.
   *
   * @example Send a measurement, with a property to route it by
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await registry.createDeviceWithSas("thermostat");
   * await hub.device("thermostat").sendTelemetry({ temperature: 21.5 }, { messageId: "m1", level: "normal" });
   * ```
   */
  // deno-lint-ignore require-await
  async sendTelemetry(body: unknown, properties: LocalTelemetryProperties = {}): Promise<void> {
    const path = [this.deviceId, this.moduleId].filter((id) => id !== undefined).map(encodeURIComponent);
    const to = `/devices/${path.join("/modules/")}/messages/events`;
    const message = toTelemetryMessage(to, body, properties);
    this.connect();
    this.#session.sendTelemetry(message);
  }

  /**
   * Tells back ends that the device has uploaded a file, as a device does at the end of an upload. Only the
   * notification is sent: no file needs to exist.
   *
   * @param upload The name and the size of the file, and optionally its address and when it was written.
   * @throws {TypeError} When an argument has the wrong type, or when this is a module, which cannot upload files.
   * @throws {RangeError} When an argument's value is not legal.
   * @throws {HubFault} `DeviceNotFound` (404) when the identity does not exist or is disabled.
   *
   * @example Notify back ends of a file
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
    this.#session.requireRecord();
    notifyFileUpload(this.#hub, this.deviceId, upload);
    this.#session.touch();
  }

  #makeConnection(modelId: () => string | undefined): DeviceConnection {
    const takesMethods = (): boolean => this.#methodFallback !== undefined || this.#methodHandlers.size > 0;
    return {
      family: "inProcess",
      get modelId() {
        return modelId();
      },
      get takesMethods() {
        return takesMethods();
      },
      invokeMethod: (methodName, payload) => this.#answer(methodName, payload),
      desiredChanged: (patch) => this.#tellDesired(patch),
      messageQueued: () => void this.#messages.run(),
      activated: () => void this.#messages.run(),
      deactivated: () => this.#messages.endConnection(),
      // It has none of its own.
      credentialsChanged() {},
    };
  }

  async #answer(methodName: string, payload: JsonValue): Promise<MethodAnswer> {
    const handler = this.#methodHandlers.get(methodName) ?? this.#methodFallback;
    if (handler === undefined) return { status: 501, payload: null };
    this.#session.touch();
    try {
      const response = await handler(copyJson(payload), methodName);
      if (!Number.isInteger(response?.status)) {
        throw new TypeError(
          `The handler of ${methodName} must return { status, payload? } with an integer status`,
        );
      }
      checkMembers(`the answer of ${methodName}`, response, ["status", "payload"]);
      return { status: response.status, payload: copyFromDevice("the payload", response.payload ?? null) };
    } catch (error) {
      return { status: 500, payload: error instanceof Error ? error.message : String(error) };
    }
  }

  #tellDesired(patch: JsonObject): boolean {
    const handler = this.#desiredHandler;
    if (handler === undefined) return false;
    const copy = copyJson(patch);
    queueMicrotask(() => handler(copy));
    return true;
  }
}

/** Copies what a device sends, with the limit that holds for what comes over a wire. */
function copyFromDevice(name: string, value: unknown): JsonValue {
  try {
    return parseOutsideJson(JSON.stringify(value));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidArgument(cannotUse(name, `nested at most ${MAX_JSON_DEPTH} levels deep`));
  }
}
