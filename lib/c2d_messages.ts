import { channelOf } from "./amqp_channel.ts";
import { buildC2dMessage, type C2dMessageProperties } from "./messages/c2d_message.ts";
import { FEEDBACK, type ReceivedFeedback } from "./messages/feedback.ts";
import { FILE_NOTIFICATIONS, type ReceivedFileNotification } from "./messages/file_notifications.ts";
import { receive, type ReceiveOptions } from "./messages/receiving.ts";
import type { OperationOptions } from "./timing/operation_options.ts";
import { HubClient, viewOf } from "./transport/hub_client.ts";
import * as facts from "./transport/operations.ts";
import { checkId } from "./values/ids.ts";

/**
 * Cloud-to-device messages, the feedback on them, and notifications of uploaded files.
 *
 * All messages of a client, and of all clients that share its connections, use one AMQP connection. It is opened with the
 * first message, kept alive, and replaced after a loss when it is needed again.
 */
export class C2dMessages extends HubClient {
  /**
   * Sends a message to a device, and waits until the hub has accepted it. The hub then queues the message, and delivers it
   * when the device is connected.
   *
   * Messages for one device arrive in the order of the calls. Many messages can be sent at the same time. They share one
   * connection, and are sent as fast as the hub accepts them.
   *
   * A message is sent again, with the same message id, if the hub returned it for a reason that may be temporary, if the
   * connection was lost, or if no verdict came. How often depends on `retryOptions` and the time-out. So a device may
   * receive a message twice, and can recognize the second one by its id. If the hub returns a message while later ones for
   * the same device are on their way, it arrives after those.
   *
   * @param deviceId The device's id.
   * @param message The body, as text that is sent in UTF-8 or as bytes. With its properties it may have up to 64 KB.
   * @param properties The properties of the message. Members that are not system properties become application properties.
   * @param options Options for this call.
   * @returns A promise that resolves when the hub has accepted the message.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` when there is no such device.
   * @throws {IoTHubError} `DeviceMaximumQueueDepthExceeded` when 50 messages are already waiting for the device.
   * @throws {IoTHubError} `MessageNotAccepted` when the hub returned the message each time.
   * @throws {IoTHubError} `Timeout` when the hub was not reached, granted no credit or sent no verdict in time. The message
   * says which, and whether the hub may have received the message.
   * @throws {IoTHubError} `TooManyPendingMessages` when 65,536 messages or 256 MB are already waiting to be sent.
   *
   * @example Send a command and see it arrive
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * const arrival = new Promise((resolve) => hub.device("thermostat-1").onMessage(resolve));
   * await registry.sendC2dMessage("thermostat-1", "Good morning", { messageId: "m-1", ack: "full", priority: "high" });
   * await arrival;
   * ```
   *
   * Wire: AMQP 1.0, link `/messages/devicebound`; there is no REST operation for it.
   */
  async sendC2dMessage(
    deviceId: string,
    message: string | Uint8Array,
    properties: C2dMessageProperties = {},
    options: OperationOptions = {},
  ): Promise<void> {
    await channelOf(this).send(
      viewOf(this),
      facts.sendC2dMessage,
      buildC2dMessage(deviceId, message, properties),
      options,
    );
  }

  /**
   * Sends a message to a module of a device, and waits until the hub has accepted it. Order, repetitions and limits are as
   * for {@linkcode C2dMessages.sendC2dMessage}.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param message The body, as text that is sent in UTF-8 or as bytes. With its properties it may have up to 64 KB.
   * @param properties The properties of the message. Members that are not system properties become application properties.
   * @param options Options for this call.
   * @returns A promise that resolves when the hub has accepted the message.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ModuleNotFound` or `DeviceNotFound` when there is no such module or device.
   * @throws {IoTHubError} With the other codes of {@linkcode C2dMessages.sendC2dMessage}, for the same reasons.
   *
   * @example Tell a camera to look left
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1");
   * await registry.createModuleWithSas("gateway-1", "camera");
   * const arrival = new Promise((resolve) => hub.device("gateway-1").module("camera").onMessage(resolve));
   * await registry.sendC2dMessageToModule("gateway-1", "camera", "left");
   * await arrival;
   * ```
   *
   * Wire: AMQP 1.0, link `/messages/devicebound`; there is no REST operation for it.
   */
  async sendC2dMessageToModule(
    deviceId: string,
    moduleId: string,
    message: string | Uint8Array,
    properties: C2dMessageProperties = {},
    options: OperationOptions = {},
  ): Promise<void> {
    // Without a module id, the message would go to the device.
    checkId("moduleId", moduleId);
    const built = buildC2dMessage(deviceId, message, properties, moduleId);
    await channelOf(this).send(viewOf(this), facts.sendC2dMessageToModule, built, options);
  }

  /**
   * Receives feedback: records of what happened to the messages that asked for it (`ack`). A message was delivered, expired,
   * rejected by the device, delivered too many times, or purged.
   *
   * A record is completed when the loop asks for the next one, or when `complete()` is called. The hub sends records in
   * batches, which can only be completed or returned as a whole. A loop that ends by `break`, `return` or an error returns
   * the current batch to the hub, unless all of its records are completed. So no record is lost, but a record may come
   * twice. The hub waits one minute until a batch is completed or returned, and delivers it ten times at most. Loops that
   * run at the same time share the records.
   *
   * The loop survives lost connections. It opens its link when the first record is asked for, and closes it when it ends.
   *
   * @param options When the loop ends. By default it waits indefinitely for the next record.
   * @returns The records, each with the methods `complete()` and `abandon()`.
   * @throws {TypeError} When an option has the wrong type. Like all errors, it is thrown by the first step of the loop.
   * @throws {RangeError} When an option's value is not legal.
   * @throws {IoTHubError} `Unauthorized` when the policy lacks the right `ServiceConnect`.
   * @throws {IoTHubError} `Timeout` when the hub could not be reached for `timeoutInMs` (100 seconds by default).
   * @throws {IoTHubError} `InvalidResponse` when a message of the hub is not the JSON that it should be.
   *
   * @example Check that a command has arrived
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * hub.device("thermostat-1").onMessage(() => {});
   * await registry.sendC2dMessage("thermostat-1", "Good morning", { messageId: "m-1", ack: "full" });
   * for await (const record of registry.receiveFeedback()) {
   *   console.assert(record.originalMessageId === "m-1" && record.statusCode === "Success");
   *   record.complete();
   *   break;
   * }
   * ```
   *
   * Wire: AMQP 1.0, link `/messages/serviceBound/feedback`. The REST operation for the same queue is
   * `GET /messages/serviceBound/feedback`, which is `receiveFeedbackNotification` in `@iothub/registry-manager/gen`.
   */
  receiveFeedback(options: ReceiveOptions = {}): AsyncIterableIterator<ReceivedFeedback> {
    return receive(FEEDBACK, channelOf(this), viewOf(this), options);
  }

  /**
   * Receives notifications that a device has uploaded a file. They must be enabled in the hub. The loop works like that of
   * {@linkcode C2dMessages.receiveFeedback}, except that notifications do not come in batches, so each is completed or
   * returned by itself.
   *
   * @param options When the loop ends. By default it waits indefinitely for the next notification.
   * @returns The notifications, each with the methods `complete()` and `abandon()`.
   * @throws {TypeError} When an option has the wrong type. Like all errors, it is thrown by the first step of the loop.
   * @throws {RangeError} When an option's value is not legal.
   * @throws {IoTHubError} `Unauthorized` when the policy lacks the right `ServiceConnect`.
   * @throws {IoTHubError} `Timeout` when the hub could not be reached for `timeoutInMs` (100 seconds by default).
   * @throws {IoTHubError} `InvalidResponse` when a message of the hub is not the JSON that it should be.
   *
   * @example Wait for an uploaded file
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("camera-1");
   * hub.device("camera-1").notifyFileUpload({ blobName: "door.jpg", blobSizeInBytes: 51_200 });
   * for await (const file of registry.receiveFileNotifications()) {
   *   console.assert(file.blobName === "camera-1/door.jpg");
   *   file.complete();
   *   break;
   * }
   * ```
   *
   * Wire: AMQP 1.0, link `/messages/serviceBound/filenotifications`; there is no REST operation for it.
   */
  receiveFileNotifications(options: ReceiveOptions = {}): AsyncIterableIterator<ReceivedFileNotification> {
    return receive(FILE_NOTIFICATIONS, channelOf(this), viewOf(this), options);
  }
}
