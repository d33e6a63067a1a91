/**
 * The credential types of `@azure/core-auth`, declared again so that nobody has to install that package for its types.
 * Every credential of `@azure/identity` fits them. A test keeps them assignable to the originals in both directions.
 *
 * @module
 */

/** Options for {@linkcode TokenCredential.getToken}. */
export interface GetTokenOptions {
  /** Aborts the request for a token. */
  abortSignal?: AbortSignal;
}

/** A bearer token with its expiry. */
export interface AccessToken {
  /** The token itself, without the word `Bearer`. */
  token: string;
  /** When it expires, in milliseconds since 1970. */
  expiresOnTimestamp: number;
  /** When the token should be renewed, in milliseconds since 1970. */
  refreshAfterTimestamp?: number;
}

/** A source of bearer tokens, such as `DefaultAzureCredential` of `@azure/identity`. */
export interface TokenCredential {
  /**
   * Gets a token.
   *
   * @param scopes The scopes that the token is for.
   * @param options Options of the request.
   * @returns The token, or `null` if the source has none.
   */
  getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken | null>;
}

/** A shared access policy with one of its keys, such as an `AzureNamedKeyCredential` of `@azure/core-auth`. */
export interface NamedKeyCredential {
  /** The key, in base64. It may change at any time. */
  readonly key: string;
  /** The name of the policy. It may change at any time. */
  readonly name: string;
}

/** A ready-made shared access signature, such as an `AzureSASCredential` of `@azure/core-auth`. */
export interface SASCredential {
  /** The signature, `SharedAccessSignature sr=…&sig=…&se=…&skn=…`. It may change at any time. */
  readonly signature: string;
}
