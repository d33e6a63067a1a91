import type { NamedKeyCredential, SASCredential, TokenCredential } from "../auth/token_credential.ts";
import type { ClientOptions } from "../client/client_options.ts";
import { accessFromConnectionString, accessFromTokenCredential } from "../client/hub_access.ts";
import { connect, type HubClient } from "./hub_client.ts";
import type { OwnWire } from "./http_wire.ts";

/**
 * Creates a class like `base`, whose factories give their clients a wire that is better than `fetch`, if the runtime has one.
 *
 * The function has no side effects, so a bundler can leave out a call that is marked `@__PURE__` if its result is not used.
 */
export function withWire<T extends { readonly prototype: HubClient }>(base: T, ownWire: OwnWire): T {
  const WithWire = class extends (base as unknown as new (view: unknown) => HubClient) {
    static fromConnectionString(connectionString: string, options: ClientOptions = {}): HubClient {
      return connect(this, accessFromConnectionString(connectionString, options), options, ownWire);
    }

    static fromTokenCredential(
      url: string,
      credential: TokenCredential | NamedKeyCredential | SASCredential,
      options: ClientOptions = {},
    ): HubClient {
      return connect(this, accessFromTokenCredential(url, credential, options), options, ownWire);
    }
  };
  return WithWire as unknown as T;
}
