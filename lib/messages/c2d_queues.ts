import * as operations from "../../gen/sdk.gen.ts";
import type { PurgeMessageQueueResult } from "../../gen/types.gen.ts";
import { callHub } from "../transport/call_hub.ts";
import { HubClient } from "../transport/hub_client.ts";
import * as facts from "../transport/operations.ts";
import type { OperationOptions } from "../timing/operation_options.ts";

/** The queues in which cloud-to-device messages wait until their devices receive them. */
export class C2dQueues extends HubClient {
  /**
   * Removes all cloud-to-device messages that are waiting for a device. Messages that asked for negative or full feedback get
   * the feedback `Purged`. If an answer is lost and the call is repeated, the result counts only the messages that the last
   * attempt removed.
   *
   * @param deviceId The device's id.
   * @param options Options for this call.
   * @returns The number of removed messages, in `totalMessagesPurged`.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When the id is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   *
   * @example Withdraw a message that the device has not received
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * await registry.sendC2dMessage("thermostat-1", "Good morning");
   * const { totalMessagesPurged } = await registry.purgeC2dMessages("thermostat-1");
   * console.assert(totalMessagesPurged === 1);
   * ```
   *
   * REST operation: `DELETE /devices/{id}/commands`.
   */
  purgeC2dMessages(deviceId: string, options: OperationOptions = {}): Promise<PurgeMessageQueueResult> {
    return callHub(
      this,
      facts.purgeC2dMessages,
      { deviceId },
      options,
      (call) => operations.purgeCloudToDeviceMessageQueue({ ...call(), path: { id: deviceId } }),
    );
  }
}
