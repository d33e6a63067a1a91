import type { NamedKeyCredential, SASCredential, TokenCredential } from "./auth/token_credential.ts";
import { C2dMessages } from "./c2d_messages.ts";
import type { ClientOptions } from "./client/client_options.ts";
import { accessFromConnectionString, accessFromTokenCredential } from "./client/hub_access.ts";
import { IoTHubRegistryManager as HttpRegistryManager } from "./http_registry_manager.ts";
import { DeviceEvents } from "./device_events.ts";
import { connect, type HubClient, share } from "./transport/hub_client.ts";
import { nodeHttpsWire } from "./transport/node_https.ts";
import { sum } from "./transport/sum.ts";

/**
 * The methods of the manager of `/http`, messages and events.
 * @internal
 */
export interface AllNouns extends HttpRegistryManager, C2dMessages, DeviceEvents {}

/**
 * A class with all these methods, to which the manager adds its factories.
 * @internal
 */
export const AllNouns: new (view: never) => AllNouns = /* @__PURE__ */ sum(
  HttpRegistryManager,
  C2dMessages,
  DeviceEvents,
) as new (
  view: never,
) => AllNouns;

/**
 * Manages an IoT hub from a back end: device and module identities, twins, queries, direct methods, statistics,
 * cloud-to-device messages, and what devices send.
 *
 * The manager combines the methods of several classes, each of which can also be used alone. A program that only needs
 * twins can import `Twins`, and its bundle then contains nothing else. A program that does not use messages can use the
 * smaller manager of `@iothub/registry-manager/http`.
 *
 * A manager opens no connection before its first call, and shares nothing with other managers unless it was created by
 * {@linkcode IoTHubRegistryManager.fromManager}. All its messages use one AMQP connection. It is opened with the first
 * message, kept alive, and replaced after a loss when it is needed again. Close the manager when it is no longer needed.
 *
 * @example Register a device and send it a message
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
export class IoTHubRegistryManager extends AllNouns {
  /**
   * Creates a manager that signs in with a shared access policy. This neither sends nor signs anything yet.
   *
   * @param connectionString The policy's connection string, as the portal shows it.
   * @param options How to reach the hub, with time-outs, retries and limits. All options have defaults.
   * @returns The manager.
   * @throws {TypeError} When the string is not the connection string of a hub (the message names the part that is wrong), or
   * an option has the wrong type.
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
  static fromConnectionString(connectionString: string, options: ClientOptions = {}): IoTHubRegistryManager {
    return connect(
      IoTHubRegistryManager,
      accessFromConnectionString(connectionString, options),
      options,
      nodeHttpsWire,
    );
  }

  /**
   * Creates a manager that signs in with a credential: an Entra identity, or a shared access policy whose key may change while
   * the program runs. The credential is not asked for anything before the first call.
   *
   * @param url The hub's host name, or its `https://` URL.
   * @param credential A credential of `@azure/identity`, or any object with the same `getToken` method. Or, of the shapes of
   * `@azure/core-auth`, the name of a policy with its key, or a ready-made signature; a change of either counts from the next
   * call on.
   * @param options How to reach the hub, with time-outs, retries and limits. All options have defaults.
   * @returns The manager.
   * @throws {TypeError} When the credential is none of these, or an argument or option has the wrong type.
   * @throws {RangeError} When the URL is not that of a hub, or the credential or an option has a value that is not legal.
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
  static fromTokenCredential(
    url: string,
    credential: TokenCredential | NamedKeyCredential | SASCredential,
    options: ClientOptions = {},
  ): IoTHubRegistryManager {
    return connect(
      IoTHubRegistryManager,
      accessFromTokenCredential(url, credential, options),
      options,
      nodeHttpsWire,
    );
  }

  /**
   * Creates a manager that shares the hub, credential, limits and connections of another client. Closing the new manager
   * ends only its own calls. Closing the client that was created first closes the connections, and with them all clients
   * that share them.
   *
   * @param other A manager, or any other client.
   * @returns The manager.
   * @throws {TypeError} When `other` is not a client of this module.
   *
   * @example Give a part of the program a manager that it can close
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const other = IoTHubRegistryManager.fromManager(registry);
   * await other.createDeviceWithSas("thermostat-1");
   * await other.close();
   * console.assert((await registry.getDevices()).length === 1);
   * ```
   */
  static fromManager(other: HubClient): IoTHubRegistryManager {
    return share(IoTHubRegistryManager, other);
  }
}

/** The methods of the manager are those of its nouns. */
export interface IoTHubRegistryManager extends HttpRegistryManager, C2dMessages, DeviceEvents {}
