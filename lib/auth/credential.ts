import { causeToShow } from "../errors/shown_cause.ts";
import type { ConnectionString } from "./connection_string.ts";
import { type FailedCall, failure } from "../errors/failures.ts";
import { checkText } from "../values/checks.ts";
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

/** Makes a token that is good from a time on, which is in milliseconds since 1970. */
type TokenMaker = (now: number) => Promise<HubToken>;

/** A clock that is off by less is taken to be right. */
const CLOCK_TOLERANCE_IN_MS = 60_000;

/** Renewal starts this long before a token expires, or in the last tenth of a shorter life. */
const RENEWAL_MARGIN_IN_MS = 300_000;

/**
 * One source of tokens with the token it gave last. Nothing is asked for before the first call; calls that come while
 * a token is being made share it.
 */
export class HubCredential {
  /** What the tokens are for: the host name (shared access signatures) or the scope (Entra). */
  readonly audience: string;
  /** Who signs in, in words for messages. */
  readonly signedInAs: string;
  /** A ready-made token, or what makes one. */
  readonly #source: HubToken | TokenMaker;
  #current: HubToken | undefined;
  #renewAt = 0;
  #clockOffsetInMs = 0;
  #pending: Promise<HubToken> | undefined;

  constructor(audience: string, signedInAs: string, source: HubToken | TokenMaker) {
    this.audience = audience;
    this.signedInAs = signedInAs;
    this.#source = source;
  }

  /** The header value if it is at hand and good for a while, so that the usual call need not wait. */
  get authorization(): string | undefined {
    return Date.now() < this.#renewAt ? this.#current?.authorization : undefined;
  }

  /**
   * A token in place of one that the hub refused, made by the hub's clock where this machine's is off; `undefined` for a
   * ready-made one. A token that another call has put in its place meanwhile is taken as it is.
   */
  async replace(refused: string, hubTime: number, options: FailedCall): Promise<HubToken | undefined> {
    if (typeof this.#source !== "function") return undefined;
    const current = this.#current;
    if (current?.authorization !== refused) return current;
    const offset = hubTime - Date.now();
    // The header counts whole seconds, and the answer took its time.
    this.#clockOffsetInMs = Math.abs(offset) > CLOCK_TOLERANCE_IN_MS ? offset : 0;
    return await this.getToken({ ...options, forceRefresh: true });
  }

  /**
   * The token, renewed if its end is near or `forceRefresh` says so.
   *
   * @throws {IoTHubError} `CredentialError` when the source gave none.
   */
  async getToken(options: FailedCall & { forceRefresh?: boolean }): Promise<HubToken> {
    const atHand = options.forceRefresh ? undefined : this.#current;
    if (atHand && Date.now() < this.#renewAt) return atHand;
    try {
      return await (this.#pending ??= this.#renew());
    } catch (cause) {
      // A source that fails for a moment costs nothing while the old token is still good.
      if (atHand && Date.now() < atHand.expiresOn) return atHand;
      throw failure(options, "CredentialError", `the credential gave no token for ${this.audience}`, {
        cause: causeToShow(cause),
      });
    }
  }

  async #renew(): Promise<HubToken> {
    try {
      const started = Date.now();
      const source = this.#source;
      const token = await (typeof source === "function" ? source(started + this.#clockOffsetInMs) : source);
      const expiresOn = token.expiresOn - this.#clockOffsetInMs;
      const margin = Math.min(RENEWAL_MARGIN_IN_MS, (expiresOn - started) / 10);
      this.#renewAt = Math.min(token.renewOn ?? Infinity, expiresOn - margin);
      // By this machine's clock from here on.
      return this.#current = { ...token, expiresOn };
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
    return new HubCredential(hostName, "the given SharedAccessSignature", token);
  }
  let key: Promise<CryptoKey> | undefined;
  return new HubCredential(hostName, `the policy "${sharedAccessKeyName}"`, async (now) => {
    const expiry = Math.floor(now / 1000) + Math.ceil(ttlInSeconds ?? DEFAULT_SAS_TTL_IN_SECONDS);
    key ??= importSasKey(sharedAccessKey!);
    return {
      authorization: await signSasToken(await key, hostName, expiry, sharedAccessKeyName),
      expiresOn: expiry * 1000,
    };
  });
}

/** The credential of an Entra identity. */
export function credentialFromTokenCredential(source: TokenCredential, scope: string): HubCredential {
  return new HubCredential(scope, "the token credential's identity", async () => {
    const token = await source.getToken(scope);
    // Runtimes name the value of a header that they refuse.
    checkText("the credential's token", token?.token, /^[\x21-\x7e]+$/, "visible ASCII");
    return {
      authorization: `Bearer ${token.token}`,
      expiresOn: token.expiresOnTimestamp,
      renewOn: token.refreshAfterTimestamp,
    };
  });
}
