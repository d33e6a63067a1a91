import type { CloudToDeviceMethod, CloudToDeviceMethodResult } from "../../gen/types.gen.ts";
import * as operations from "../../gen/sdk.gen.ts";
import { METHOD_ADVICE, methodCall } from "../requests/method_request.ts";
import { callHub } from "../transport/call_hub.ts";
import { HubClient } from "../transport/hub_client.ts";
import * as facts from "../transport/operations.ts";
import type { OperationOptions } from "../timing/operation_options.ts";

/** Direct methods, which run on a device or module and return its answer. */
export class DirectMethods extends HubClient {
  /**
   * Calls a direct method on a device and waits for its answer. The result contains the status that the device returned,
   * whatever it is. The call rejects only if the device does not answer.
   *
   * The hub waits `responseTimeoutInSeconds` (5 to 300, 30 by default) for the answer. If the device is not connected, it
   * waits up to `connectTimeoutInSeconds` (0 to 300, 0 by default) for it to connect.
   *
   * @param deviceId The device's id.
   * @param request The method's name, its payload (any JSON value, `""` by default) and its time-outs in seconds.
   * @param options Options for this call.
   * @returns The status and the payload of the device's answer.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   * @throws {IoTHubError} `DeviceNotOnline` (404) when the device is not connected, or does not handle methods.
   * @throws {IoTHubError} `GatewayTimeout` (504) when the device did not answer in time. It may still have run the method.
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
    return callHub(this, facts.invokeDeviceMethod, { deviceId }, options, (call) => {
      const { body, leastTimeoutInMs } = methodCall("request", request);
      return operations.invokeDeviceMethod({
        ...call({ leastTimeoutInMs, advice: METHOD_ADVICE }),
        path: { deviceId },
        body,
      });
    });
  }

  /**
   * Calls a direct method on a module and waits for its answer. The result contains the status that the module returned,
   * whatever it is. The call rejects only if the module does not answer.
   *
   * The hub waits `responseTimeoutInSeconds` (5 to 300, 30 by default) for the answer. If the module is not connected, it
   * waits up to `connectTimeoutInSeconds` (0 to 300, 0 by default) for it to connect.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param request The method's name, its payload (any JSON value, `""` by default) and its time-outs in seconds.
   * @param options Options for this call.
   * @returns The status and the payload of the module's answer.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ModuleNotFound` (404) when there is no such module.
   * @throws {IoTHubError} `DeviceNotOnline` (404) when the module is not connected, or does not handle methods.
   * @throws {IoTHubError} `GatewayTimeout` (504) when the module did not answer in time. It may still have run the method.
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
    return callHub(this, facts.invokeDeviceModuleMethod, { deviceId, moduleId }, options, (call) => {
      const { body, leastTimeoutInMs } = methodCall("request", request);
      return operations.invokeDeviceModuleMethod({
        ...call({ leastTimeoutInMs, advice: METHOD_ADVICE }),
        path: { deviceId, moduleId },
        body,
      });
    });
  }
}
