import { DEFAULT_ATTEMPT_TIMEOUT_IN_MS } from "./client/client_options.ts";
import { userAgent } from "./client/user_agent.ts";
import { buildC2dMessage, type C2dMessageProperties } from "./messages/c2d_message.ts";
import { FEEDBACK, type ReceivedFeedback } from "./messages/feedback.ts";
import { FILE_NOTIFICATIONS, type ReceivedFileNotification } from "./messages/file_notifications.ts";
import { MessageChannel } from "./messages/message_channel.ts";
import { receive, type ReceiveOptions } from "./messages/receiving.ts";
import type { OperationOptions } from "./timing/operation_options.ts";
import { resolveRetryOptions } from "./timing/retry_options.ts";
import { HubClient, viewOf } from "./transport/hub_client.ts";
import * as facts from "./transport/operations.ts";
import type { SharedHub } from "./transport/shared_hub.ts";
import { checkId } from "./values/ids.ts";

/**
 * Cloud-to-device messages, the feedback on them, and the notifications of uploaded files.
 *
 * All messages of a client, and of all clients that share its connections, share one AMQP connection, which is opened with the
 * first one, kept alive, and replaced when it was lost and is needed again.
 */
export class C2dMessages extends HubClient {
  /**
   * Sends a message to a device and waits until the hub has accepted it: it is queued then, and delivered when the device
   * is connected.
   *
   * Messages for one device arrive in the order of the calls. Many may be under way at once: they share a connection and are
   * sent as fast as the hub takes them. What the hub gave back for a reason that may pass, and what it may or may not have
   * because the connection was lost or no verdict came, is sent again with the same message id, as `retryOptions` and the
   * time-out allow: so a device may get a message twice, and can tell by its id. Only a message that the hub gave back
   * while later ones for the same device were on their way comes after those.
   *
   * @param deviceId The device's id.
   * @param message The body: text, sent as UTF-8, or bytes. With its properties it may have 64 KB.
   * @param properties Properties of the message; unknown names become application properties.
   * @param options The call's own options.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` when there is no such device.
   * @throws {IoTHubError} `DeviceMaximumQueueDepthExceeded` when 50 messages wait for the device already.
   * @throws {IoTHubError} `MessageNotAccepted` when the hub gave the message back each time.
   * @throws {IoTHubError} `Timeout` when the hub was not reached, granted no credit or gave no verdict in time; the text
   * says which, and whether it may have the message.
   * @throws {IoTHubError} `TooManyPendingMessages` when 65,536 messages or 256 MB wait to be sent already.
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
   * Sends a message to a module of a device and waits until the hub has accepted it; as
   * {@linkcode C2dMessages.sendC2dMessage} in all else.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param message The body: text, sent as UTF-8, or bytes. With its properties it may have 64 KB.
   * @param properties Properties of the message; unknown names become application properties.
   * @param options The call's own options.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ModuleNotFound` or `DeviceNotFound` when there is none.
   * @throws {IoTHubError} As {@linkcode C2dMessages.sendC2dMessage}.
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
    // Left out, it would be a message to the device.
    checkId("moduleId", moduleId);
    const built = buildC2dMessage(deviceId, message, properties, moduleId);
    await channelOf(this).send(viewOf(this), facts.sendC2dMessageToModule, built, options);
  }

  /**
   * Receives what became of messages that asked for feedback (`ack`): delivered, expired, refused, given up or purged.
   *
   * A record is completed when the loop asks for the next one, and not before. The hub sends records in batches and takes a
   * batch back as a whole: a loop that ends by `break`, `return` or an error gives back the batch it is in, unless each of its
   * records was completed. So nothing is lost, and a record may come twice. The hub waits a minute for the word on a batch and
   * gives it away ten times at most. Loops that run at the same time share the records.
   *
   * The loop outlives lost connections. It opens its link with the first record that is asked for, and closes it with its end.
   *
   * @param options When the loop is to end.
   * @returns The records, each with `complete()` and `abandon()`.
   * @throws {TypeError} When an option has the wrong type; reported by the first step of the loop, like all errors.
   * @throws {RangeError} When an option's value is not legal.
   * @throws {IoTHubError} `Unauthorized` when the policy lacks the right `ServiceConnect`.
   * @throws {IoTHubError} `Timeout` when the hub was out of reach for `timeoutInMs`.
   *
   * @example See that a command was carried out
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
   * Wire: AMQP 1.0, link `/messages/serviceBound/feedback`. REST has it as `GET /messages/serviceBound/feedback`: see
   * `receiveFeedbackNotification` in `@iothub/registry-manager/gen`.
   */
  receiveFeedback(options: ReceiveOptions = {}): AsyncIterableIterator<ReceivedFeedback> {
    return receive(FEEDBACK, channelOf(this), viewOf(this), options);
  }

  /**
   * Receives the news that a device has uploaded a file. Notifications must be switched on in the hub. They are completed,
   * given back and lost connections survived as with {@linkcode C2dMessages.receiveFeedback}, save that each comes
   * by itself and not in a batch.
   *
   * @param options When the loop is to end.
   * @returns The notifications, each with `complete()` and `abandon()`.
   * @throws {TypeError} When an option has the wrong type; reported by the first step of the loop, like all errors.
   * @throws {RangeError} When an option's value is not legal.
   * @throws {IoTHubError} `Unauthorized` when the policy lacks the right `ServiceConnect`.
   * @throws {IoTHubError} `Timeout` when the hub was out of reach for `timeoutInMs`.
   *
   * @example Hear of a new file
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

/** One channel for all clients of a hub. */
const channels = new WeakMap<SharedHub, MessageChannel>();

function channelOf(client: HubClient): MessageChannel {
  const { hub } = viewOf(client);
  let channel = channels.get(hub);
  if (channel === undefined) {
    channel = makeChannel(hub);
    channels.set(hub, channel);
    hub.parts.add(channel);
  }
  return channel;
}

/** Here messages, which know no AMQP, are given the code that speaks it. */
function makeChannel({ access, options }: SharedHub): MessageChannel {
  return new MessageChannel(options.timeoutInMs, async () => {
    const { AmqpConnection } = await import("./amqp/amqp_connection.ts");
    return new AmqpConnection({
      ...access,
      endpoint: options.amqpEndpoint,
      transportType: options.transportType,
      tls: options.amqpTls,
      userAgent: userAgent(options.userAgentPrefix) ?? "",
      retryOptions: resolveRetryOptions(options.retryOptions),
      attemptTimeoutInMs: options.attemptTimeoutInMs ?? DEFAULT_ATTEMPT_TIMEOUT_IN_MS,
    });
  });
}
