import { causeToShow } from "../errors/shown_cause.ts";
import type { ConnectionString } from "./connection_string.ts";
import { type FailedCall, failure } from "../errors/failures.ts";
import { checkText } from "../values/checks.ts";
import { DEFAULT_SAS_TTL_IN_SECONDS, importSasKey, signSasToken } from "./sas_token.ts";
import type { TokenCredential } from "./token_credential.ts";

/** A token that proves to the hub who is calling, with its expiry. */
export interface HubToken {
  /** The value of the header `Authorization`: `SharedAccessSignature …` or `Bearer …`. */
  readonly authorization: string;
  /** When it expires by this machine's clock, in milliseconds since 1970. */
  readonly expiresOn: number;
  /** When the token should be renewed, in milliseconds since 1970, if its source says so. */
  readonly renewOn?: number;
}

/** Makes a token. The offset is how far the hub's clock is ahead of this machine's, as far as that is known. */
type TokenMaker = (clockOffsetInMs: number) => Promise<HubToken>;

/** A clock that is off by no more than this is considered right. */
const CLOCK_TOLERANCE_IN_MS = 60_000;

/**
 * A clock that is off by more than this is not believed. Otherwise an answer could make this client sign tokens that are
 * valid for years.
 */
const MAX_CLOCK_OFFSET_IN_MS = 12 * 3_600_000;

/** A token is renewed this long before it expires, or in the last tenth of its life if that is shorter. */
const RENEWAL_MARGIN_IN_MS = 300_000;

/**
 * A source of tokens, with the token that it returned last. It is not asked for a token before the first call, and calls
 * that come while a token is being made share that token.
 */
export class HubCredential {
  /** The host name that the tokens are for or, for Entra, their scope. */
  readonly audience: string;
  /** Names the identity in error messages. */
  readonly signedInAs: string;
  /** A ready-made token, or a function that makes tokens. */
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

  /** The header's value, unless a token must be made or renewed first. With it, most calls need not wait for a promise. */
  get authorization(): string | undefined {
    return Date.now() < this.#renewAt ? this.#current?.authorization : undefined;
  }

  /**
   * Returns a token to use in place of one that the hub refused, or `undefined` if the token was ready-made. If this
   * machine's clock is off, the token is made for the hub's clock. If another call has replaced the refused token in the
   * meantime, its token is returned.
   *
   * @param refused The refused value of the header.
   * @param answeredAt When the hub refused it, by the hub's clock, in milliseconds since 1970.
   * @param options The call, for the text of an error.
   * @throws {IoTHubError} `CredentialError` when the source failed.
   */
  async replace(refused: string, answeredAt: number, options: FailedCall): Promise<HubToken | undefined> {
    if (typeof this.#source !== "function") return undefined;
    const current = this.#current;
    if (current?.authorization !== refused) return current;
    const offset = answeredAt - Date.now();
    const size = Math.abs(offset);
    // A small offset means nothing: the header counts whole seconds, and the answer took some time to arrive.
    this.#clockOffsetInMs = size > CLOCK_TOLERANCE_IN_MS && size <= MAX_CLOCK_OFFSET_IN_MS ? offset : 0;
    return await this.getToken({ ...options, forceRefresh: true });
  }

  /**
   * Returns the current token. It is renewed first if it expires soon, or if `forceRefresh` is set.
   *
   * @throws {IoTHubError} `CredentialError` when the source failed.
   */
  async getToken(options: FailedCall & { forceRefresh?: boolean }): Promise<HubToken> {
    const atHand = options.forceRefresh ? undefined : this.#current;
    if (atHand && Date.now() < this.#renewAt) return atHand;
    try {
      return await (this.#pending ??= this.#renew());
    } catch (cause) {
      // A temporary failure of the source does no harm as long as the old token is valid.
      if (atHand && Date.now() < atHand.expiresOn) return atHand;
      throw failure(options, "CredentialError", `the credential returned no token for ${this.audience}`, {
        cause: causeToShow(cause),
      });
    }
  }

  async #renew(): Promise<HubToken> {
    try {
      const started = Date.now();
      const source = this.#source;
      const token = await (typeof source === "function" ? source(this.#clockOffsetInMs) : source);
      const { expiresOn, renewOn = Infinity } = token;
      const margin = Math.min(RENEWAL_MARGIN_IN_MS, (expiresOn - started) / 10);
      this.#renewAt = Math.min(renewOn, expiresOn - margin);
      return this.#current = token;
    } finally {
      this.#pending = undefined;
    }
  }
}

/** Returns the credential of a hub's connection string. It signs tokens with the key, or uses the ready-made token. */
export function credentialFromConnectionString(parsed: ConnectionString, ttlInSeconds?: number): HubCredential {
  const { hostName, sharedAccessKeyName, sharedAccessKey, sharedAccessSignature } = parsed;
  if (sharedAccessSignature !== undefined) {
    const expiry = Number(/[ &]se=(\d+)/.exec(sharedAccessSignature)?.[1] ?? Infinity);
    const token = { authorization: sharedAccessSignature, expiresOn: expiry * 1000 };
    return new HubCredential(hostName, "the given SharedAccessSignature", token);
  }
  let key: Promise<CryptoKey> | undefined;
  return new HubCredential(hostName, `the policy "${sharedAccessKeyName}"`, async (clockOffsetInMs) => {
    const now = Date.now() + clockOffsetInMs;
    const expiry = Math.floor(now / 1000) + Math.ceil(ttlInSeconds ?? DEFAULT_SAS_TTL_IN_SECONDS);
    key ??= importSasKey(sharedAccessKey!);
    return {
      authorization: await signSasToken(await key, hostName, expiry, sharedAccessKeyName),
      expiresOn: expiry * 1000 - clockOffsetInMs,
    };
  });
}

/** Returns the credential of an Entra identity. */
export function credentialFromTokenCredential(source: TokenCredential, scope: string): HubCredential {
  return new HubCredential(scope, "the token credential's identity", async () => {
    const token = await source.getToken(scope);
    // A runtime that refuses a header's value would show it in its error.
    checkText("the credential's token", token?.token, /^[\x21-\x7e]+$/, "visible ASCII");
    return {
      authorization: `Bearer ${token.token}`,
      expiresOn: token.expiresOnTimestamp,
      renewOn: token.refreshAfterTimestamp,
    };
  });
}
