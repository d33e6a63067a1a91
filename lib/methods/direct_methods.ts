import type { CloudToDeviceMethod, CloudToDeviceMethodResult } from "../../gen/types.gen.ts";
import * as operations from "../../gen/sdk.gen.ts";
import { callHub } from "../transport/hub_client.ts";
import { methodCall } from "./method_request.ts";
import { Queries } from "../queries/queries.ts";
import type { OperationOptions } from "../timing/operation_options.ts";

/** The methods that call a device or module and wait for its answer. */
export class DirectMethods extends Queries {
  /**
   * Calls a direct method on a device and waits for its answer: 30 seconds unless `responseTimeoutInSeconds` (5 to 300)
   * says otherwise. The device's own status is in the result; only failures to reach it are errors.
   *
   * @param deviceId The device's id.
   * @param request The method's name, its payload (any JSON value, `""` if left out) and its time-outs in seconds.
   * @param options The call's own options.
   * @returns The device's status and payload.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotOnline` (404) when the device is not connected, or not listening for methods.
   * @throws {IoTHubError} `GatewayTimeout` (504) when it did not answer in time.
   *
   * @example Reboot a device
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * hub.device("thermostat-1").onMethod("reboot", (payload) => ({ status: 202, payload }));
   * const { status, payload } = await registry.invokeDeviceMethod("thermostat-1", {
   *   methodName: "reboot",
   *   payload: { delayInSeconds: 5 },
   * });
   * console.assert(status === 202 && (payload as { delayInSeconds: number }).delayInSeconds === 5);
   * ```
   *
   * REST operation: `POST /twins/{deviceId}/methods`.
   */
  invokeDeviceMethod(
    deviceId: string,
    request: CloudToDeviceMethod,
    options: OperationOptions = {},
  ): Promise<CloudToDeviceMethodResult> {
    return callHub(
      this,
      operations.invokeDeviceMethod,
      "invokeDeviceMethod",
      { deviceId },
      options,
      () => methodCall(request),
    );
  }

  /**
   * Calls a direct method on a module and waits for its answer: 30 seconds unless `responseTimeoutInSeconds` (5 to 300)
   * says otherwise. The module's own status is in the result; only failures to reach it are errors.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param request The method's name, its payload (any JSON value, `""` if left out) and its time-outs in seconds.
   * @param options The call's own options.
   * @returns The module's status and payload.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ModuleNotFound` (404) when there is no such module.
   * @throws {IoTHubError} `DeviceNotOnline` (404) when the device is not connected, or not listening for methods.
   * @throws {IoTHubError} `GatewayTimeout` (504) when it did not answer in time.
   *
   * @example Take a picture
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1");
   * await registry.createModuleWithSas("gateway-1", "camera");
   * hub.device("gateway-1").module("camera").onMethod("shoot", () => ({ status: 200, payload: { image: 1 } }));
   * const { status } = await registry.invokeDeviceModuleMethod("gateway-1", "camera", { methodName: "shoot" });
   * console.assert(status === 200);
   * ```
   *
   * REST operation: `POST /twins/{deviceId}/modules/{moduleId}/methods`.
   */
  invokeDeviceModuleMethod(
    deviceId: string,
    moduleId: string,
    request: CloudToDeviceMethod,
    options: OperationOptions = {},
  ): Promise<CloudToDeviceMethodResult> {
    return callHub(
      this,
      operations.invokeDeviceModuleMethod,
      "invokeDeviceModuleMethod",
      { deviceId, moduleId },
      options,
      () => methodCall(request),
    );
  }
}
