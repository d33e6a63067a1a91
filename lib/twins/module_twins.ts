import type { ModuleTwin } from "../../gen/types.gen.ts";
import * as operations from "../../gen/sdk.gen.ts";
import { callHub } from "../transport/call_hub.ts";
import { HubClient } from "../transport/hub_client.ts";
import { modify } from "../transport/modify.ts";
import * as facts from "../transport/operations.ts";
import type { OperationOptions } from "../timing/operation_options.ts";
import { hasPatch, isReplacement, type TwinPatch } from "../requests/twin_patch.ts";
import { writeTwin } from "./write_twin.ts";
import type { ModifyTwinOptions, TwinChange } from "./twin_change.ts";

/** The twins of modules. A twin is a document that a module shares with its back end. */
export class ModuleTwins extends HubClient {
  /**
   * Reads a module's twin, with its tags and its desired and reported properties. Unlike the result of a query, it is always
   * up to date.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param options Options for this call.
   * @returns The twin.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device or module.
   *
   * @example Look at what a module has reported
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
   * console.assert(twin.properties.reported.$version === 1);
   * ```
   *
   * REST operation: `GET /twins/{id}/modules/{mid}`.
   */
  getModuleTwin(deviceId: string, moduleId: string, options: OperationOptions = {}): Promise<ModuleTwin> {
    return callHub(
      this,
      facts.getModuleTwin,
      { deviceId, moduleId },
      options,
      (call) => operations.getModuleTwin({ ...call(), path: { id: deviceId, mid: moduleId } }),
    );
  }

  /**
   * Replaces a module's tags and desired properties. What is left out is deleted. Reported properties are not changed. Without
   * an etag the write is unconditional.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param moduleTwin The tags and desired properties. A whole twin can be passed, since the hub ignores the rest.
   * @param options The etag that the twin must still have, and options for this call.
   * @returns The whole twin after the write.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device or module.
   * @throws {IoTHubError} `PreconditionFailed` (412) when the etag is no longer current.
   *
   * @example Replace all tags
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
   * console.assert(twin.tags?.["site"] === "bonn" && !("floor" in twin.tags));
   * ```
   *
   * REST operation: `PUT /twins/{id}/modules/{mid} with If-Match`.
   */
  replaceModuleTwin(
    deviceId: string,
    moduleId: string,
    moduleTwin: TwinPatch,
    options: OperationOptions & { etag?: string | undefined } = {},
  ): Promise<ModuleTwin> {
    return writeTwin(
      { operation: facts.replaceModuleTwin, deviceId, moduleId, argument: "moduleTwin", isOwn: isReplacement },
      moduleTwin,
      options,
      this,
      (readOptions) => this.getModuleTwin(deviceId, moduleId, readOptions),
      (request) => operations.replaceModuleTwin({ ...request, path: { id: deviceId, mid: moduleId } }),
    );
  }

  /**
   * Merges changes into a module's tags and desired properties. Objects are merged at every depth, other values are replaced,
   * and `null` deletes a property. Without an etag the write is unconditional.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param moduleTwin The tags and desired properties. A whole twin can be passed, since the hub ignores the rest.
   * @param options The etag that the twin must still have, and options for this call.
   * @returns The whole twin after the write.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device or module.
   * @throws {IoTHubError} `PreconditionFailed` (412) when the etag is no longer current.
   *
   * @example Set one property and delete another
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
   * console.assert(twin.tags?.["site"] === "berlin" && !("floor" in twin.tags));
   * ```
   *
   * REST operation: `PATCH /twins/{id}/modules/{mid} with If-Match`.
   */
  updateModuleTwin(
    deviceId: string,
    moduleId: string,
    moduleTwin: TwinPatch,
    options: OperationOptions & { etag?: string | undefined } = {},
  ): Promise<ModuleTwin> {
    return writeTwin(
      { operation: facts.updateModuleTwin, deviceId, moduleId, argument: "moduleTwin", isOwn: hasPatch },
      moduleTwin,
      options,
      this,
      (readOptions) => this.getModuleTwin(deviceId, moduleId, readOptions),
      (request) => operations.updateModuleTwin({ ...request, path: { id: deviceId, mid: moduleId } }),
    );
  }

  /**
   * Reads a module's twin, calls `change` to find out what to write, and writes it only if the twin has not changed since. If
   * it has, everything starts again with the new twin. So no change of others is lost or overwritten. If the answer to a write
   * is lost, the write counts as successful if the twin contains what was written.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param change Receives the twin, and returns what to pass to {@linkcode ModuleTwins.updateModuleTwin}, or `undefined` to
   * leave the twin unchanged. It may be called several times.
   * @param options How often to try at most (`maxAttempts`, 10 by default), and options for this call; `timeoutInMs`
   * applies to all attempts together.
   * @returns The whole twin after the write, or the twin that was read if there was nothing to change.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {TypeError} When `change` returns something of the wrong type; nothing is written.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device or module.
   * @throws {IoTHubError} `PreconditionFailed` (412) when others changed the twin each time.
   * @throws {IoTHubError} `InvalidResponse` when the twin came without an etag; nothing is written.
   *
   * @example Lower a limit if it is too high
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1");
   * await registry.createModuleWithSas("gateway-1", "camera");
   * const twin = await registry.modifyModuleTwin("gateway-1", "camera", ({ properties }) => {
   *   const rate = Number(properties.desired["rate"] ?? Infinity);
   *   return rate > 5 ? { properties: { desired: { rate: 5 } } } : undefined;
   * });
   * console.assert(twin.properties.desired["rate"] === 5);
   * ```
   *
   * REST operations: `GET /twins/{id}/modules/{mid}`, `PATCH /twins/{id}/modules/{mid}` with If-Match.
   */
  modifyModuleTwin(
    deviceId: string,
    moduleId: string,
    change: TwinChange<ModuleTwin>,
    options: ModifyTwinOptions = {},
  ): Promise<ModuleTwin> {
    return modify(
      { operation: "modifyModuleTwin" },
      change,
      options,
      (readOptions) => this.getModuleTwin(deviceId, moduleId, readOptions),
      (patch, writeOptions) => this.updateModuleTwin(deviceId, moduleId, patch, writeOptions),
    );
  }
}
