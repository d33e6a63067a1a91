import type { NamedKeyCredential, SASCredential, TokenCredential } from "./auth/token_credential.ts";
import type { ClientOptions } from "./client/client_options.ts";
import { accessFromConnectionString, accessFromTokenCredential } from "./client/hub_access.ts";
import { DeviceIdentities } from "./identities/device_identities.ts";
import { ModuleIdentities } from "./identities/module_identities.ts";
import { Statistics } from "./identities/statistics.ts";
import { C2dQueues } from "./messages/c2d_queues.ts";
import { DirectMethods } from "./methods/direct_methods.ts";
import { Queries } from "./queries/queries.ts";
import { connect, HubClient, share } from "./transport/hub_client.ts";
import { sum } from "./transport/sum.ts";
import { ModuleTwins } from "./twins/module_twins.ts";
import { Twins } from "./twins/twins.ts";

/**
 * The methods of all nouns of the manager.
 * @internal
 */
export interface HttpNouns
  extends Statistics, DeviceIdentities, ModuleIdentities, Twins, ModuleTwins, Queries, DirectMethods, C2dQueues {}

/**
 * A class with the methods of all nouns of the manager.
 * @internal
 */
export const HttpNouns: new (view: never) => HttpNouns = /* @__PURE__ */ sum(
  HubClient,
  Statistics,
  DeviceIdentities,
  ModuleIdentities,
  Twins,
  ModuleTwins,
  Queries,
  DirectMethods,
  C2dQueues,
) as new (view: never) => HttpNouns;

/**
 * Manages an IoT hub from a back end: device and module identities, twins, queries, direct methods, statistics.
 *
 * The manager combines the methods of several classes, each of which can also be used alone. A program that only needs
 * twins can import `Twins`, and its bundle then contains nothing else. A manager opens no connection before its first call,
 * and shares nothing with other managers unless it was created by {@linkcode IoTHubRegistryManager.fromManager}. Close it
 * when it is no longer needed.
 *
 * @example Register a device and set a desired property
 * ```ts
 * import { IoTHubRegistryManager } from "@iothub/registry-manager/http";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * await registry.createDeviceWithSas("thermostat-1");
 * const twin = await registry.updateTwin("thermostat-1", { properties: { desired: { intervalInSeconds: 60 } } });
 * console.assert(twin.properties.desired["intervalInSeconds"] === 60);
 * ```
 */
export class IoTHubRegistryManager extends HttpNouns {
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
   * import { IoTHubRegistryManager } from "@iothub/registry-manager/http";
   *
   * const registry = IoTHubRegistryManager.fromConnectionString(
   *   "HostName=myhub.azure-devices.net;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0IHNlY3JldCBzZWNyZXQ=",
   * );
   * await registry.close();
   * ```
   */
  static fromConnectionString(connectionString: string, options: ClientOptions = {}): IoTHubRegistryManager {
    return connect(IoTHubRegistryManager, accessFromConnectionString(connectionString, options), options);
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
   * import { IoTHubRegistryManager } from "@iothub/registry-manager/http";
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
    return connect(IoTHubRegistryManager, accessFromTokenCredential(url, credential, options), options);
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
   * import { IoTHubRegistryManager } from "@iothub/registry-manager/http";
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
export interface IoTHubRegistryManager
  extends Statistics, DeviceIdentities, ModuleIdentities, Twins, ModuleTwins, Queries, DirectMethods, C2dQueues {}
