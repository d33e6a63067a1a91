import type { TokenCredential } from "./auth/token_credential.ts";
import { C2dMessages } from "./c2d_messages.ts";
import type { ClientOptions } from "./client/client_options.ts";
import { accessFromConnectionString, accessFromTokenCredential } from "./client/hub_access.ts";
import { IoTHubRegistryManager as HttpRegistryManager } from "./http_registry_manager.ts";
import { connect, type HubClient, share } from "./transport/hub_client.ts";
import { nodeHttpsWire } from "./transport/node_https.ts";
import { sum } from "./transport/sum.ts";

/**
 * What the manager adds its own factories to: the manager of `/http`, and messages.
 * @internal
 */
export interface AllNouns extends HttpRegistryManager, C2dMessages {}

/**
 * Their sum as a class.
 * @internal
 */
export const AllNouns: new (view: never) => AllNouns = /* @__PURE__ */ sum(HttpRegistryManager, C2dMessages) as new (
  view: never,
) => AllNouns;

/**
 * Manages an IoT hub from a back end: device and module identities, twins, queries, direct methods, statistics, and
 * cloud-to-device messages.
 *
 * It is the sum of its nouns, each of which is also a class of its own: a program that needs twins only imports `Twins`, and
 * bundles nothing else. A manager holds no connection before its first call and shares nothing with others, unless it was
 * made by {@linkcode IoTHubRegistryManager.fromManager}. All its messages share one AMQP connection, which is opened with the
 * first one, kept alive, and replaced when it was lost and is needed again. Close the manager when done. A program without
 * messages can use the smaller manager of `@iothub/registry-manager/http`.
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
export class IoTHubRegistryManager extends AllNouns {
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
  static fromConnectionString(connectionString: string, options: ClientOptions = {}): IoTHubRegistryManager {
    return connect(
      IoTHubRegistryManager,
      accessFromConnectionString(connectionString, options),
      options,
      nodeHttpsWire,
    );
  }

  /**
   * Creates a manager that signs in with an Entra identity. The credential is asked for a token on the first call.
   *
   * @param url The hub's host name, or its `https://` URL.
   * @param credential A credential of `@azure/identity`, or anything of its shape.
   * @param options How to reach the hub.
   * @returns The manager.
   * @throws {TypeError} When the credential has no method `getToken`.
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
  static fromTokenCredential(
    url: string,
    credential: TokenCredential,
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
   * Creates a manager that shares the hub, credential, limits and connections of another client. To close it ends its own
   * calls only; the connections end with the other client.
   *
   * @param other A manager or a noun.
   * @returns The manager.
   * @throws {TypeError} When `other` is no client of this module.
   */
  static fromManager(other: HubClient): IoTHubRegistryManager {
    return share(IoTHubRegistryManager, other);
  }
}

/** The methods of the manager are those of its nouns. */
export interface IoTHubRegistryManager extends HttpRegistryManager, C2dMessages {}
