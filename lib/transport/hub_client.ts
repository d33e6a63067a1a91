import type { TokenCredential } from "../auth/token_credential.ts";
import type { ClientOptions } from "../client/client_options.ts";
import { accessFromConnectionString, accessFromTokenCredential, type HubAccess } from "../client/hub_access.ts";
import { wrongType } from "../values/checks.ts";
import { ClientView } from "./client_view.ts";
import type { Wire } from "./http_wire.ts";
import { SharedHub } from "./shared_hub.ts";

/** Kept beside the clients and not in them, where the methods of all files can reach it and users cannot. */
const views = new WeakMap<object, ClientView>();

/**
 * What every noun and every manager is: a client of one hub, made by one of the three factories.
 *
 * A client holds no connection before its first call. Close it when done.
 */
export class HubClient {
  /** @internal */
  protected constructor(view: unknown) {
    if (!(view instanceof ClientView)) {
      throw new TypeError(
        "Cannot construct a client: use a factory such as fromConnectionString",
      );
    }
    views.set(this, view);
  }

  /**
   * Creates a client that signs in with a shared access policy. Nothing is sent or signed yet.
   *
   * @param connectionString The policy's connection string, as the portal shows it.
   * @param options How to reach the hub.
   * @returns The client.
   * @throws {TypeError} When the string is no connection string of a hub; the message names the part that is wrong.
   * @throws {RangeError} When a part or an option has a value that is not legal.
   *
   * @example Twins, and nothing else
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
   * console.assert(twin.tags?.site === "berlin");
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
   * Creates a client that signs in with an Entra identity. The credential is asked for a token on the first call.
   *
   * @param url The hub's host name, or its `https://` URL.
   * @param credential A credential of `@azure/identity`, or anything of its shape.
   * @param options How to reach the hub.
   * @returns The client.
   * @throws {TypeError} When the credential has no method `getToken`.
   * @throws {RangeError} When the URL is not that of a hub, or an option has a value that is not legal.
   *
   * @example Count devices as an identity that may do no more
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
    credential: TokenCredential,
    options: ClientOptions = {},
  ): T {
    return connect(this, accessFromTokenCredential(url, credential, options), options);
  }

  /**
   * Creates a client that shares the hub, credential, limits and connections of another one. To close it ends its own calls
   * only; the connections end with the other client.
   *
   * @param other A manager, or any other client.
   * @returns The client.
   * @throws {TypeError} When `other` is no client of this module.
   *
   * @example Hand a part of the program no more than it needs
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
   * Ends the calls under way, each with the error `Closed`, and closes the connections unless they are another client's.
   * May be called again.
   *
   * @returns Settles when the connections are closed.
   */
  close(): Promise<void> {
    return viewOf(this).close();
  }

  /**
   * Closes the client at the end of an `await using` block.
   *
   * @returns Settles when the connections are closed.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Makes a client with connections of its own. `ownWire` is asked for a wire that is better than `fetch` on this runtime. */
export function connect<T extends HubClient>(
  clientClass: { readonly prototype: T },
  access: HubAccess,
  options: ClientOptions,
  ownWire?: () => Wire | undefined,
): T {
  return construct(clientClass, new ClientView(new SharedHub(access, options, ownWire), true));
}

/** Makes a client that shares the connections of another one. */
export function share<T extends HubClient>(clientClass: { readonly prototype: T }, other: HubClient): T {
  const view = views.get(other);
  if (view === undefined) throw wrongType("other", "a client made by this module", other);
  return construct(clientClass, new ClientView(view.hub, false));
}

/** A client's view of its hub. */
export function viewOf(client: HubClient): ClientView {
  return views.get(client)!;
}

/** The constructors are no public API, so that the types hide them. */
function construct<T extends HubClient>(clientClass: { readonly prototype: T }, view: ClientView): T {
  return new (clientClass as unknown as new (view: ClientView) => T)(view);
}
