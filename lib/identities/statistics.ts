import type { RegistryStatistics, ServiceStatistics } from "../../gen/types.gen.ts";
import * as operations from "../../gen/sdk.gen.ts";
import { callHub } from "../transport/call_hub.ts";
import { HubClient } from "../transport/hub_client.ts";
import * as facts from "../transport/operations.ts";
import type { OperationOptions } from "../timing/operation_options.ts";

/** Statistics of a hub: how many devices it has, and how many of them are connected. */
export class Statistics extends HubClient {
  /**
   * Reads how many devices are connected. The hub updates this number with a delay of some minutes.
   *
   * @param options Options for this call.
   * @returns The number of connected devices.
   * @throws {TypeError} When an option has the wrong type; nothing is sent.
   * @throws {RangeError} When an option's value is not legal; nothing is sent.
   * @throws {IoTHubError} `IotHubUnauthorizedAccess` (401) when the policy lacks the right `RegistryRead`.
   *
   * @example Count connections
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const { connectedDeviceCount } = await registry.getServiceStatistics();
   * console.assert(connectedDeviceCount === 0);
   * ```
   *
   * REST operation: `GET /statistics/service`.
   */
  getServiceStatistics(options: OperationOptions = {}): Promise<ServiceStatistics> {
    return callHub(
      this,
      facts.getServiceStatistics,
      {},
      options,
      (call) => operations.getServiceStatistics(call()),
    );
  }

  /**
   * Reads how many device identities there are, and how many of them are enabled and disabled. The hub updates these numbers
   * with a delay of some minutes.
   *
   * @param options Options for this call.
   * @returns The number of devices in total, enabled and disabled.
   * @throws {TypeError} When an option has the wrong type; nothing is sent.
   * @throws {RangeError} When an option's value is not legal; nothing is sent.
   * @throws {IoTHubError} `IotHubUnauthorizedAccess` (401) when the policy lacks the right `RegistryRead`.
   *
   * @example Count devices
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1", { status: "disabled" });
   * const { totalDeviceCount, disabledDeviceCount } = await registry.getDeviceRegistryStatistics();
   * console.assert(totalDeviceCount === 1 && disabledDeviceCount === 1);
   * ```
   *
   * REST operation: `GET /statistics/devices`.
   */
  getDeviceRegistryStatistics(options: OperationOptions = {}): Promise<RegistryStatistics> {
    return callHub(
      this,
      facts.getDeviceRegistryStatistics,
      {},
      options,
      (call) => operations.getDeviceStatistics(call()),
    );
  }
}
