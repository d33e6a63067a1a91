import { C2dQueues } from "./messages/c2d_queues.ts";
import type { ClientOptions } from "./client/client_options.ts";
import { accessFromConnectionString, accessFromTokenCredential } from "./client/hub_access.ts";
import { transportOf } from "./transport/hub_client.ts";
import type { TokenCredential } from "./auth/token_credential.ts";

/**
 * Manages an IoT hub from a back end: device and module identities, twins, queries, direct methods, statistics.
 *
 * A manager holds no connection before its first call and shares nothing with others. Close it when done.
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
export class IoTHubRegistryManager extends C2dQueues {
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
   */
  static fromTokenCredential(
    url: string,
    credential: TokenCredential,
    options: ClientOptions = {},
  ): IoTHubRegistryManager {
    return new IoTHubRegistryManager(accessFromTokenCredential(url, credential, options), options);
  }

  /** Ends the calls under way, each with the error `Closed`, and closes all connections. May be called again. */
  close(): Promise<void> {
    transportOf(this).close();
    return Promise.resolve();
  }

  /** Closes the manager at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
