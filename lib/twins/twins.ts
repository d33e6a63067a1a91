import type { Twin } from "../../gen/types.gen.ts";
import * as operations from "../../gen/sdk.gen.ts";
import { callHub } from "../transport/call_hub.ts";
import { HubClient } from "../transport/hub_client.ts";
import { modify } from "../transport/modify.ts";
import * as facts from "../transport/operations.ts";
import type { OperationOptions } from "../timing/operation_options.ts";
import { hasPatch, isReplacement, type TwinPatch } from "../requests/twin_patch.ts";
import { writeTwin } from "./write_twin.ts";
import type { ModifyTwinOptions, TwinChange } from "./twin_change.ts";

/** The twins of devices. A twin is a document that a device shares with its back end. */
export class Twins extends HubClient {
  /**
   * Reads a device's twin, with its tags and its desired and reported properties. Unlike the result of a query, it is always
   * up to date.
   *
   * @param deviceId The device's id.
   * @param options Options for this call.
   * @returns The twin.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   *
   * @example Look at what a device has reported
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * const twin = await registry.getTwin("thermostat-1");
   * console.assert(twin.properties.reported.$version === 1);
   * ```
   *
   * REST operation: `GET /twins/{id}`.
   */
  getTwin(deviceId: string, options: OperationOptions = {}): Promise<Twin> {
    return callHub(
      this,
      facts.getTwin,
      { deviceId },
      options,
      (call) => operations.getTwin({ ...call(), path: { id: deviceId } }),
    );
  }

  /**
   * Replaces a device's tags and desired properties. What is left out is deleted. Reported properties are not changed. Without
   * an etag the write is unconditional.
   *
   * @param deviceId The device's id.
   * @param deviceTwin The tags and desired properties. A whole twin can be passed, since the hub ignores the rest.
   * @param options The etag that the twin must still have, and options for this call.
   * @returns The whole twin after the write.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
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
   * await registry.createDeviceWithSas("thermostat-1");
   * await registry.updateTwin("thermostat-1", { tags: { site: "berlin", floor: 3 } });
   * const twin = await registry.replaceTwin("thermostat-1", { tags: { site: "bonn" } });
   * console.assert(twin.tags?.["site"] === "bonn" && !("floor" in twin.tags));
   * ```
   *
   * REST operation: `PUT /twins/{id} with If-Match`.
   */
  replaceTwin(
    deviceId: string,
    deviceTwin: TwinPatch,
    options: OperationOptions & { etag?: string | undefined } = {},
  ): Promise<Twin> {
    return writeTwin(
      { operation: facts.replaceTwin, deviceId, argument: "deviceTwin", isOwn: isReplacement },
      deviceTwin,
      options,
      this,
      (readOptions) => this.getTwin(deviceId, readOptions),
      (request) => operations.replaceTwin({ ...request, path: { id: deviceId } }),
    );
  }

  /**
   * Merges changes into a device's tags and desired properties. Objects are merged at every depth, other values are replaced,
   * and `null` deletes a property. Without an etag the write is unconditional.
   *
   * @param deviceId The device's id.
   * @param deviceTwin The tags and desired properties. A whole twin can be passed, since the hub ignores the rest.
   * @param options The etag that the twin must still have, and options for this call.
   * @returns The whole twin after the write.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
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
   * await registry.createDeviceWithSas("thermostat-1");
   * await registry.updateTwin("thermostat-1", { tags: { site: "berlin", floor: 3 } });
   * const twin = await registry.updateTwin("thermostat-1", {
   *   tags: { floor: null },
   *   properties: { desired: { intervalInSeconds: 60 } },
   * });
   * console.assert(twin.tags?.["site"] === "berlin" && !("floor" in twin.tags));
   * ```
   *
   * REST operation: `PATCH /twins/{id} with If-Match`.
   */
  updateTwin(
    deviceId: string,
    deviceTwin: TwinPatch,
    options: OperationOptions & { etag?: string | undefined } = {},
  ): Promise<Twin> {
    return writeTwin(
      { operation: facts.updateTwin, deviceId, argument: "deviceTwin", isOwn: hasPatch },
      deviceTwin,
      options,
      this,
      (readOptions) => this.getTwin(deviceId, readOptions),
      (request) => operations.updateTwin({ ...request, path: { id: deviceId } }),
    );
  }

  /**
   * Reads a device's twin, calls `change` to find out what to write, and writes it only if the twin has not changed since. If
   * it has, everything starts again with the new twin. So no change of others is lost or overwritten. If the answer to a write
   * is lost, the write counts as successful if the twin contains what was written.
   *
   * @param deviceId The device's id.
   * @param change Receives the twin, and returns what to pass to {@linkcode Twins.updateTwin}, or `undefined` to leave the
   * twin unchanged. It may be called several times.
   * @param options How often to try at most (`maxAttempts`, 10 by default), and options for this call; `timeoutInMs`
   * applies to all attempts together.
   * @returns The whole twin after the write, or the twin that was read if there was nothing to change.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {TypeError} When `change` returns something of the wrong type; nothing is written.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   * @throws {IoTHubError} `PreconditionFailed` (412) when others changed the twin each time.
   * @throws {IoTHubError} `InvalidResponse` when the twin came without an etag; nothing is written.
   *
   * @example Increment a counter
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * const visit = () =>
   *   registry.modifyTwin("thermostat-1", ({ tags }) => ({ tags: { visits: Number(tags?.["visits"] ?? 0) + 1 } }));
   * await Promise.all([visit(), visit(), visit()]);
   * console.assert((await registry.getTwin("thermostat-1")).tags?.["visits"] === 3);
   * ```
   *
   * REST operations: `GET /twins/{id}`, `PATCH /twins/{id}` with If-Match.
   */
  modifyTwin(deviceId: string, change: TwinChange, options: ModifyTwinOptions = {}): Promise<Twin> {
    return modify(
      { operation: "modifyTwin" },
      change,
      options,
      (readOptions) => this.getTwin(deviceId, readOptions),
      (patch, writeOptions) => this.updateTwin(deviceId, patch, writeOptions),
    );
  }
}
