import { buildC2dMessage, type C2dMessageProperties } from "./c2d_message.ts";
import type { ClientOptions } from "./client_options.ts";
import { IoTHubRegistryManager as HttpRegistryManager } from "./http_registry_manager.ts";
import { accessFromConnectionString, accessFromTokenCredential, type HubAccess } from "./hub_access.ts";
import { MessageChannel } from "./message_channel.ts";
import type { OperationOptions } from "./operation_options.ts";
import type { TokenCredential } from "./token_credential.ts";

/**
 * Manages an IoT hub from a back end: device and module identities, twins, queries, direct methods, statistics, and
 * cloud-to-device messages.
 *
 * A manager holds no connection before its first call and shares nothing with others. Close it when done: an open AMQP
 * connection keeps the process alive. Whoever sends no messages can take the smaller one of
 * `@iothub/registry-manager/http`.
 *
 * @example Register a device, tell it something, read it back
 * ```ts
 * import { IoTHubRegistryManager } from "@iothub/registry-manager";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * await registry.createDeviceWithSas("thermostat-1");
 * await registry.sendC2dMessage("thermostat-1", "Good morning");
 * const device = await registry.getDevice("thermostat-1");
 * console.assert(device.cloudToDeviceMessageCount === 1);
 * ```
 */
export class IoTHubRegistryManager extends HttpRegistryManager {
  readonly #messages: MessageChannel;

  /** Not public: use {@linkcode IoTHubRegistryManager.fromConnectionString} or its sibling. */
  constructor(access: HubAccess, options: ClientOptions) {
    super(access, options);
    this.#messages = new MessageChannel(access, options);
  }

  /**
   * Creates a manager that signs in with a shared access policy. Nothing is sent or signed yet.
   *
   * @param connectionString The policy's connection string, as the portal shows it.
   * @param options How to reach the hub.
   * @returns The manager.
   * @throws {TypeError} When the string is no connection string of a hub; the message names the part that is wrong.
   * @throws {RangeError} When a part or an option has a value that is not legal.
   *
   * @example Sign in with a policy
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   *
   * const registry = IoTHubRegistryManager.fromConnectionString(
   *   "HostName=myhub.azure-devices.net;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0IHNlY3JldCBzZWNyZXQ=",
   * );
   * await registry.close();
   * ```
   */
  static override fromConnectionString(connectionString: string, options: ClientOptions = {}): IoTHubRegistryManager {
    return new IoTHubRegistryManager(accessFromConnectionString(connectionString, options), options);
  }

  /**
   * Creates a manager that signs in with an Entra identity. The credential is asked for a token on the first call.
   *
   * @param url The hub's host name, or its `https://` URL.
   * @param credential A credential of `@azure/identity`, or anything of its shape.
   * @param options How to reach the hub.
   * @returns The manager.
   * @throws {TypeError} When the credential is none.
   * @throws {RangeError} When the URL is not that of a hub, or an option has a value that is not legal.
   *
   * @example Sign in with an identity
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * const credential = hub.tokenCredential(); // elsewhere: new DefaultAzureCredential()
   * await using registry = IoTHubRegistryManager.fromTokenCredential(hub.hostName, credential, hub.clientOptions);
   * console.assert((await registry.getDevices()).length === 0);
   * ```
   */
  static override fromTokenCredential(
    url: string,
    credential: TokenCredential,
    options: ClientOptions = {},
  ): IoTHubRegistryManager {
    return new IoTHubRegistryManager(accessFromTokenCredential(url, credential, options), options);
  }

  /**
   * Sends a message to a device and waits until the hub has accepted it: it is queued then, and delivered when the device
   * is connected. The first message opens a connection, which the others share.
   *
   * @param deviceId The device's id.
   * @param message The body: text, sent as UTF-8, or bytes. With its properties it may have 64 KB.
   * @param properties Properties of the message; unknown names become application properties.
   * @param options The call's own options.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` when there is no such device.
   * @throws {IoTHubError} `DeviceMaximumQueueDepthExceeded` when 50 messages wait for the device already.
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
    await this.#messages.send("sendC2dMessage", buildC2dMessage(deviceId, message, properties), options);
  }

  /** Ends the calls under way, each with the error `Closed`, and closes all connections. May be called again. */
  override async close(): Promise<void> {
    await Promise.all([super.close(), this.#messages.close()]);
  }
}
