import type { TokenCredential } from "./auth/token_credential.ts";
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
 * The nouns whose sum the manager is.
 * @internal
 */
export interface HttpNouns
  extends Statistics, DeviceIdentities, ModuleIdentities, Twins, ModuleTwins, Queries, DirectMethods, C2dQueues {}

/**
 * Their sum as a class.
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
 * It is the sum of its nouns, each of which is also a class of its own: a program that needs twins only imports `Twins`, and
 * bundles nothing else. A manager holds no connection before its first call and shares nothing with others, unless it was
 * made by {@linkcode IoTHubRegistryManager.fromManager}. Close it when done.
 *
 * @example Register a device and set what it should do
 * ```ts
 * import { IoTHubRegistryManager } from "@iothub/registry-manager/http";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * await registry.createDeviceWithSas("thermostat-1");
 * const twin = await registry.updateTwin("thermostat-1", { properties: { desired: { intervalInSeconds: 60 } } });
 * console.assert(twin.properties?.desired?.intervalInSeconds === 60);
 * ```
 */
export class IoTHubRegistryManager extends HttpNouns {
  /**
   * Creates a manager that signs in with a shared access policy. Nothing is sent or signed yet.
   *
   * @param connectionString The policy's connection string, as the portal shows it.
   * @param options How to reach the hub.
   * @returns The manager.
   * @throws {TypeError} When the string is no connection string of a hub; the message names the part that is wrong.
   * @throws {RangeError} When a part or an option has a value that is not legal.
   */
  static fromConnectionString(connectionString: string, options: ClientOptions = {}): IoTHubRegistryManager {
    return connect(IoTHubRegistryManager, accessFromConnectionString(connectionString, options), options);
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
   */
  static fromTokenCredential(
    url: string,
    credential: TokenCredential,
    options: ClientOptions = {},
  ): IoTHubRegistryManager {
    return connect(IoTHubRegistryManager, accessFromTokenCredential(url, credential, options), options);
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
export interface IoTHubRegistryManager
  extends Statistics, DeviceIdentities, ModuleIdentities, Twins, ModuleTwins, Queries, DirectMethods, C2dQueues {}
