import type { ConnectionString } from "./connection_string.ts";
import { IoTHubError } from "./errors.ts";
import { DEFAULT_SAS_TTL_IN_SECONDS, importSasKey, signSasToken } from "./sas_token.ts";
import type { TokenCredential } from "./token_credential.ts";

/** What proves to the hub who calls, with the time until which it does. */
export interface HubToken {
  /** The value of the header `Authorization`: `SharedAccessSignature …` or `Bearer …`. */
  readonly authorization: string;
  /** When it expires, in milliseconds since 1970. */
  readonly expiresOn: number;
  /** From when on a new one should be asked for, where the source says so; in milliseconds since 1970. */
  readonly renewOn?: number;
}

/** Renewal starts this long before a token expires, or in the last tenth of a shorter life. */
const RENEWAL_MARGIN_IN_MS = 300_000;

/**
 * One source of tokens with the token it gave last. Nothing is asked for before the first call; calls that come while
 * a token is being made share it.
 */
export class HubCredential {
  /** What the tokens are for: the host name (shared access signatures) or the scope (Entra). */
  readonly audience: string;
  readonly #acquire: () => Promise<HubToken>;
  #current: HubToken | undefined;
  #renewAt = 0;
  #pending: Promise<HubToken> | undefined;

  constructor(audience: string, acquire: () => Promise<HubToken>) {
    this.audience = audience;
    this.#acquire = acquire;
  }

  /** The header value if it is at hand and good for a while, so that the usual call need not wait. */
  get authorization(): string | undefined {
    return this.#current !== undefined && Date.now() < this.#renewAt ? this.#current.authorization : undefined;
  }

  /**
   * The token, renewed if its end is near or `forceRefresh` says so.
   *
   * @throws {IoTHubError} `CredentialError` when the source gave none.
   */
  async getToken(options: { operation: string; forceRefresh?: boolean }): Promise<HubToken> {
    const current = this.#current;
    if (current !== undefined && !options.forceRefresh && Date.now() < this.#renewAt) return current;
    try {
      return await (this.#pending ??= this.#renew());
    } catch (cause) {
      // A source that fails for a moment costs nothing while the old token is still good.
      if (current !== undefined && !options.forceRefresh && Date.now() < current.expiresOn) return current;
      throw new IoTHubError(`Cannot complete ${options.operation}: the credential gave no token for ${this.audience}`, {
        code: "CredentialError",
        operation: options.operation,
        retryable: false,
        cause,
      });
    }
  }

  async #renew(): Promise<HubToken> {
    try {
      const started = Date.now();
      const token = await this.#acquire();
      const life = token.expiresOn - started;
      this.#renewAt = Math.min(token.renewOn ?? Infinity, token.expiresOn - Math.min(RENEWAL_MARGIN_IN_MS, life / 10));
      this.#current = token;
      return token;
    } finally {
      this.#pending = undefined;
    }
  }
}

/** The credential of a hub's connection string: signs tokens with the key, or uses the ready-made one. */
export function credentialFromConnectionString(parsed: ConnectionString, ttlInSeconds?: number): HubCredential {
  const { hostName, sharedAccessKeyName, sharedAccessKey, sharedAccessSignature } = parsed;
  if (sharedAccessSignature !== undefined) {
    const expiry = Number(/[ &]se=(\d+)/.exec(sharedAccessSignature)?.[1] ?? Infinity);
    const token = { authorization: sharedAccessSignature, expiresOn: expiry * 1000 };
    return new HubCredential(hostName, () => Promise.resolve(token));
  }
  let key: Promise<CryptoKey> | undefined;
  return new HubCredential(hostName, async () => {
    const expiry = Math.floor(Date.now() / 1000) + Math.ceil(ttlInSeconds ?? DEFAULT_SAS_TTL_IN_SECONDS);
    key ??= importSasKey(sharedAccessKey!);
    return {
      authorization: await signSasToken(await key, hostName, expiry, sharedAccessKeyName),
      expiresOn: expiry * 1000,
    };
  });
}

/** The credential of an Entra identity. */
export function credentialFromTokenCredential(source: TokenCredential, scope: string): HubCredential {
  return new HubCredential(scope, async () => {
    const token = await source.getToken(scope);
    if (!token?.token) throw new TypeError(`The token credential returned no token for the scope ${scope}`);
    return {
      authorization: `Bearer ${token.token}`,
      expiresOn: token.expiresOnTimestamp,
      renewOn: token.refreshAfterTimestamp,
    };
  });
}
