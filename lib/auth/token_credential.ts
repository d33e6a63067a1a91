/**
 * The credential types of `@azure/core-auth`, by structure: every credential of `@azure/identity` fits them, and nobody
 * installs that package for its types alone. A test keeps them assignable to the originals in both directions.
 *
 * @module
 */

/** What {@linkcode TokenCredential.getToken} is told. */
export interface GetTokenOptions {
  /** Ends the request for a token. */
  abortSignal?: AbortSignal;
}

/** A bearer token with its expiry. */
export interface AccessToken {
  /** The token itself, without the word `Bearer`. */
  token: string;
  /** When it expires, in milliseconds since 1970. */
  expiresOnTimestamp: number;
  /** From when on a new one should be asked for, in milliseconds since 1970. */
  refreshAfterTimestamp?: number;
}

/** A source of bearer tokens, such as `DefaultAzureCredential` of `@azure/identity`. */
export interface TokenCredential {
  /** Gets a token for the scopes, or `null` where the source has none. */
  getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken | null>;
}
