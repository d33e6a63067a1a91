import type { NamedKeyCredential, SASCredential, TokenCredential } from "../auth/token_credential.ts";
import type { ClientOptions } from "../client/client_options.ts";
import { accessFromConnectionString, accessFromTokenCredential, type HubAccess } from "../client/hub_access.ts";
import { wrongType } from "../values/checks.ts";
import { ClientView } from "./client_view.ts";
import type { OwnWire } from "./http_wire.ts";
import { SharedHub } from "./shared_hub.ts";

/** The view of each client. It is kept outside the clients, so that the methods in all files can reach it and users cannot. */
const views = new WeakMap<object, ClientView>();

/**
 * A client of one IoT hub. It is the base class of the manager and of its nouns, such as `Twins` and `Queries`.
 *
 * A client is created by one of its three factories, and opens no connection before its first call. Close it when it is no
 * longer needed.
 */
export class HubClient {
  /** @internal */
  protected constructor(view: unknown) {
    if (!(view instanceof ClientView)) {
      throw new TypeError("Cannot construct a client: call fromConnectionString");
    }
    views.set(this, view);
  }

  /**
   * Creates a client that signs in with a shared access policy. This neither sends nor signs anything yet.
   *
   * @param connectionString The policy's connection string, as the portal shows it.
   * @param options How to reach the hub, with time-outs, retries and limits. All options have defaults.
   * @returns The client.
   * @throws {TypeError} When the string is not the connection string of a hub (the message names the part that is wrong), or
   * an option has the wrong type.
   * @throws {RangeError} When a part or an option has a value that is not legal.
   *
   * @example Use twins alone
   * ```ts
   * import { DeviceIdentities, Twins } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using devices = DeviceIdentities.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await using twins = Twins.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await devices.createDeviceWithSas("thermostat-1");
   * const twin = await twins.updateTwin("thermostat-1", { tags: { site: "berlin" } });
   * console.assert(twin.tags?.["site"] === "berlin");
   * ```
   */
  static fromConnectionString<T extends HubClient>(
    this: { readonly prototype: T },
    connectionString: string,
    options: ClientOptions = {},
  ): T {
    return connect(this, accessFromConnectionString(connectionString, options), options);
  }

  /**
   * Creates a client that signs in with a credential: an Entra identity, or a shared access policy whose key may change while
   * the program runs. The credential is not asked for anything before the first call.
   *
   * @param url The hub's host name, or its `https://` URL.
   * @param credential A credential of `@azure/identity`, or any object with the same `getToken` method. Or, of the shapes of
   * `@azure/core-auth`, the name of a policy with its key, or a ready-made signature; a change of either counts from the next
   * call on.
   * @param options How to reach the hub, with time-outs, retries and limits. All options have defaults.
   * @returns The client.
   * @throws {TypeError} When the credential is none of these, or an argument or option has the wrong type.
   * @throws {RangeError} When the URL is not that of a hub, or the credential or an option has a value that is not legal.
   *
   * @example Count devices with an Entra identity
   * ```ts
   * import { Statistics } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * const credential = hub.tokenCredential(); // elsewhere: new DefaultAzureCredential()
   * await using statistics = Statistics.fromTokenCredential(hub.hostName, credential, hub.clientOptions);
   * const { totalDeviceCount } = await statistics.getDeviceRegistryStatistics();
   * console.assert(totalDeviceCount === 0);
   * ```
   */
  static fromTokenCredential<T extends HubClient>(
    this: { readonly prototype: T },
    url: string,
    credential: TokenCredential | NamedKeyCredential | SASCredential,
    options: ClientOptions = {},
  ): T {
    return connect(this, accessFromTokenCredential(url, credential, options), options);
  }

  /**
   * Creates a client that shares the hub, credential, limits and connections of another client. Closing the new client ends
   * only its own calls. Closing the client that was created first closes the connections, and with them all clients that
   * share them.
   *
   * @param other A manager, or any other client.
   * @returns The client.
   * @throws {TypeError} When `other` is not a client of this module.
   *
   * @example Give a part of the program only what it needs
   * ```ts
   * import { IoTHubRegistryManager, Twins } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await registry.createDeviceWithSas("thermostat-1");
   *
   * const twins = Twins.fromManager(registry);
   * console.assert((await twins.getTwin("thermostat-1")).deviceId === "thermostat-1");
   * await twins.close(); // the registry manager goes on
   * ```
   */
  static fromManager<T extends HubClient>(this: { readonly prototype: T }, other: HubClient): T {
    return share(this, other);
  }

  /**
   * Ends all calls that are in progress with the error `Closed`, and closes the connections unless they belong to another
   * client. It can be called more than once.
   *
   * @returns A promise that resolves when the connections are closed.
   *
   * @example Close a client
   * ```ts
   * import { IoTHubError, Statistics } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * const statistics = Statistics.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await statistics.close();
   * const error = await statistics.getServiceStatistics().catch((error: unknown) => error);
   * console.assert(error instanceof IoTHubError && error.code === "Closed");
   * ```
   */
  close(): Promise<void> {
    return viewOf(this).close();
  }

  /**
   * Closes the client at the end of an `await using` block.
   *
   * @returns A promise that resolves when the connections are closed.
   *
   * @example Let the end of the block close the client
   * ```ts
   * import { Statistics } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * {
   *   await using statistics = Statistics.fromConnectionString(hub.connectionString, hub.clientOptions);
   *   console.assert((await statistics.getServiceStatistics()).connectedDeviceCount === 0);
   * } // closed here
   * ```
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Creates a client with connections of its own. `ownWire` returns a wire that is better than `fetch`, if the runtime has
 * one.
 */
export function connect<T extends HubClient>(
  clientClass: { readonly prototype: T },
  access: HubAccess,
  options: ClientOptions,
  ownWire?: OwnWire,
): T {
  return construct(clientClass, new ClientView(new SharedHub(access, options, ownWire), true));
}

/** Creates a client that shares the connections of another one. */
export function share<T extends HubClient>(clientClass: { readonly prototype: T }, other: HubClient): T {
  return construct(clientClass, new ClientView(viewOf(other, "other").hub, false));
}

/** Returns a client's view of its hub. A method that was taken off its client, or is called through a proxy, has none. */
export function viewOf(client: HubClient, name: string = "this"): ClientView {
  const view = views.get(client);
  if (view) return view;
  throw wrongType(name, "a client of this module", client);
}

/** Calls a client's constructor, which its type hides since it is not public. */
function construct<T extends HubClient>(clientClass: { readonly prototype: T }, view: ClientView): T {
  return new (clientClass as unknown as new (view: ClientView) => T)(view);
}
