import type { Twin } from "../gen/types.gen.ts";
import * as operations from "../gen/sdk.gen.ts";
import { ifMatch } from "./etag.ts";
import type { HubTransport } from "./hub_transport.ts";
import { checkId } from "./identifiers.ts";
import { ModuleIdentities } from "./module_identities.ts";
import type { OperationOptions } from "./operation_options.ts";
import { checkTwinPatch, type TwinPatch } from "./twin_patch.ts";

/** The methods for twins, the documents that device and back end keep in common. */
export class Twins extends ModuleIdentities {
  readonly #hub: HubTransport;

  /** Not public: use the manager's factories. */
  constructor(hub: HubTransport) {
    super(hub);
    this.#hub = hub;
  }

  /**
   * Reads a device's twin: tags, desired and reported properties. It is always the current one, unlike the result of a query.
   *
   * @param deviceId The device's id.
   * @param options The call's own options.
   * @returns The twin.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   *
   * @example What did the device report?
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * const twin = await registry.getTwin("thermostat-1");
   * console.assert(twin.properties?.reported?.$version === 1);
   * ```
   *
   * REST operation: `GET /twins/{id}`.
   */
  async getTwin(deviceId: string, options: OperationOptions = {}): Promise<Twin> {
    checkId("deviceId", deviceId);
    const { data } = await operations.getTwin({
      ...this.#hub.call({ operation: "getTwin", deviceId }, options),
      path: { id: deviceId },
    });
    return data;
  }

  /**
   * Replaces a device's tags and desired properties: what is not given is gone. Reported properties stay. Without an etag the
   * write is unconditional.
   *
   * @param deviceId The device's id.
   * @param deviceTwin The tags and desired properties; a twin just read may be passed whole, since the hub ignores the rest.
   * @param options The etag the twin must still have, and the call's own options.
   * @returns The whole twin after the write.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   * @throws {IoTHubError} `PreconditionFailed` (412) when the etag is no longer the current one.
   *
   * @example Start afresh
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * await registry.updateTwin("thermostat-1", { tags: { site: "berlin", floor: 3 } });
   * const twin = await registry.replaceTwin("thermostat-1", { tags: { site: "bonn" } });
   * console.assert(twin.tags?.site === "bonn" && !("floor" in twin.tags));
   * ```
   *
   * REST operation: `PUT /twins/{id} with If-Match`.
   */
  async replaceTwin(
    deviceId: string,
    deviceTwin: TwinPatch,
    options: OperationOptions & { etag?: string } = {},
  ): Promise<Twin> {
    checkId("deviceId", deviceId);
    checkTwinPatch("deviceTwin", deviceTwin);
    const { data } = await operations.replaceTwin({
      ...this.#hub.call({ operation: "replaceTwin", deviceId }, options),
      path: { id: deviceId },
      body: deviceTwin as Twin,
      headers: { "If-Match": ifMatch(options.etag) },
    });
    return data;
  }

  /**
   * Merges changes into a device's tags and desired properties: objects are merged at every depth, other values replaced, and
   * `null` deletes a property. Without an etag the write is unconditional.
   *
   * @param deviceId The device's id.
   * @param deviceTwin The tags and desired properties; a twin just read may be passed whole, since the hub ignores the rest.
   * @param options The etag the twin must still have, and the call's own options.
   * @returns The whole twin after the write.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   * @throws {IoTHubError} `PreconditionFailed` (412) when the etag is no longer the current one.
   *
   * @example Set, change and delete
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * await registry.updateTwin("thermostat-1", { tags: { site: "berlin", floor: 3 } });
   * const twin = await registry.updateTwin("thermostat-1", {
   *   tags: { floor: null },
   *   properties: { desired: { intervalInSeconds: 60 } },
   * });
   * console.assert(twin.tags?.site === "berlin" && !("floor" in twin.tags));
   * ```
   *
   * REST operation: `PATCH /twins/{id} with If-Match`.
   */
  async updateTwin(
    deviceId: string,
    deviceTwin: TwinPatch,
    options: OperationOptions & { etag?: string } = {},
  ): Promise<Twin> {
    checkId("deviceId", deviceId);
    checkTwinPatch("deviceTwin", deviceTwin);
    const { data } = await operations.updateTwin({
      ...this.#hub.call({ operation: "updateTwin", deviceId }, options),
      path: { id: deviceId },
      body: deviceTwin as Twin,
      headers: { "If-Match": ifMatch(options.etag) },
    });
    return data;
  }

  /**
   * Reads a module's twin: tags, desired and reported properties. It is always the current one, unlike the result of a query.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param options The call's own options.
   * @returns The twin.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device or module.
   *
   * @example What did the module report?
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1");
   * await registry.createModuleWithSas("gateway-1", "camera");
   * const twin = await registry.getModuleTwin("gateway-1", "camera");
   * console.assert(twin.properties?.reported?.$version === 1);
   * ```
   *
   * REST operation: `GET /twins/{id}/modules/{mid}`.
   */
  async getModuleTwin(deviceId: string, moduleId: string, options: OperationOptions = {}): Promise<Twin> {
    checkId("deviceId", deviceId);
    checkId("moduleId", moduleId);
    const { data } = await operations.getModuleTwin({
      ...this.#hub.call({ operation: "getModuleTwin", deviceId, moduleId }, options),
      path: { id: deviceId, mid: moduleId },
    });
    return data;
  }

  /**
   * Replaces a module's tags and desired properties: what is not given is gone. Reported properties stay. Without an etag the
   * write is unconditional.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param moduleTwin The tags and desired properties; a twin just read may be passed whole, since the hub ignores the rest.
   * @param options The etag the twin must still have, and the call's own options.
   * @returns The whole twin after the write.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device or module.
   * @throws {IoTHubError} `PreconditionFailed` (412) when the etag is no longer the current one.
   *
   * @example Start afresh
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1");
   * await registry.createModuleWithSas("gateway-1", "camera");
   * await registry.updateModuleTwin("gateway-1", "camera", { tags: { site: "berlin", floor: 3 } });
   * const twin = await registry.replaceModuleTwin("gateway-1", "camera", { tags: { site: "bonn" } });
   * console.assert(twin.tags?.site === "bonn" && !("floor" in twin.tags));
   * ```
   *
   * REST operation: `PUT /twins/{id}/modules/{mid} with If-Match`.
   */
  async replaceModuleTwin(
    deviceId: string,
    moduleId: string,
    moduleTwin: TwinPatch,
    options: OperationOptions & { etag?: string } = {},
  ): Promise<Twin> {
    checkId("deviceId", deviceId);
    checkId("moduleId", moduleId);
    checkTwinPatch("moduleTwin", moduleTwin);
    const { data } = await operations.replaceModuleTwin({
      ...this.#hub.call({ operation: "replaceModuleTwin", deviceId, moduleId }, options),
      path: { id: deviceId, mid: moduleId },
      body: moduleTwin as Twin,
      headers: { "If-Match": ifMatch(options.etag) },
    });
    return data;
  }

  /**
   * Merges changes into a module's tags and desired properties: objects are merged at every depth, other values replaced, and
   * `null` deletes a property. Without an etag the write is unconditional.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param moduleTwin The tags and desired properties; a twin just read may be passed whole, since the hub ignores the rest.
   * @param options The etag the twin must still have, and the call's own options.
   * @returns The whole twin after the write.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device or module.
   * @throws {IoTHubError} `PreconditionFailed` (412) when the etag is no longer the current one.
   *
   * @example Set, change and delete
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1");
   * await registry.createModuleWithSas("gateway-1", "camera");
   * await registry.updateModuleTwin("gateway-1", "camera", { tags: { site: "berlin", floor: 3 } });
   * const twin = await registry.updateModuleTwin("gateway-1", "camera", {
   *   tags: { floor: null },
   *   properties: { desired: { intervalInSeconds: 60 } },
   * });
   * console.assert(twin.tags?.site === "berlin" && !("floor" in twin.tags));
   * ```
   *
   * REST operation: `PATCH /twins/{id}/modules/{mid} with If-Match`.
   */
  async updateModuleTwin(
    deviceId: string,
    moduleId: string,
    moduleTwin: TwinPatch,
    options: OperationOptions & { etag?: string } = {},
  ): Promise<Twin> {
    checkId("deviceId", deviceId);
    checkId("moduleId", moduleId);
    checkTwinPatch("moduleTwin", moduleTwin);
    const { data } = await operations.updateModuleTwin({
      ...this.#hub.call({ operation: "updateModuleTwin", deviceId, moduleId }, options),
      path: { id: deviceId, mid: moduleId },
      body: moduleTwin as Twin,
      headers: { "If-Match": ifMatch(options.etag) },
    });
    return data;
  }
}
