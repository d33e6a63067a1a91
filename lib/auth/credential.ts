import { innermostMessage } from "../errors/network_failure.ts";
import { redactText } from "../errors/redaction.ts";
import { causeToShow } from "../errors/shown_cause.ts";
import { type FailedCall, failure } from "../errors/failures.ts";
import { BackgroundTimer } from "../timing/background_timer.ts";
import type { Sight } from "../sight/sight.ts";
import { Deadline } from "../timing/deadline.ts";
import { checkNumber, checkText } from "../values/checks.ts";
import type { CryptoKey } from "../values/crypto_key.ts";
import { checkPolicyName, checkSasToken, DEFAULT_SAS_TTL_IN_SECONDS, importSasKey, signSasToken } from "./sas_token.ts";
import type { AccessToken, NamedKeyCredential, SASCredential, TokenCredential } from "./token_credential.ts";

/** A token that proves to the hub who is calling, with its expiry. */
export interface HubToken {
  /** The value of the header `Authorization`: `SharedAccessSignature …` or `Bearer …`. */
  readonly authorization: string;
  /** When it expires by this machine's clock, in milliseconds since 1970. */
  readonly expiresOn: number;
  /** When the token should be renewed, in milliseconds since 1970, if its source says so. */
  readonly renewOn?: number | undefined;
  /** Whether its source would still sign in so: a key or a signature may have been replaced. Left out, it would. */
  readonly isCurrent?: () => boolean;
  /** Whether the source gave it as it is, and makes no others. */
  readonly isReadyMade?: boolean;
}

/** Makes a token. The offset is how far the hub's clock is ahead of this machine's, as far as that is known. */
type TokenMaker = (clockOffsetInMs: number) => HubToken | Promise<HubToken>;

/** A clock that is off by no more than this is considered right. */
const CLOCK_TOLERANCE_IN_MS = 60_000;

/**
 * A clock that is off by more than this is not believed. Otherwise an answer could make this client sign tokens that are
 * valid for years.
 */
const MAX_CLOCK_OFFSET_IN_MS = 12 * 3_600_000;

/** How long a credential may take to give a token. Then the request is forgotten, and the next call makes a new one. */
const TOKEN_TIMEOUT_IN_MS = 100_000;

/** How long a credential is not asked again whose token has no usable expiry, or is to be renewed at once. */
const PAUSE_IN_MS = 10_000;

/** The last time that a `Date` can hold. */
const LAST_DATE = 8.64e15;

/** A token is renewed this long before it expires, or in the last tenth of its life if that is shorter. */
const RENEWAL_MARGIN_IN_MS = 300_000;

/**
 * A source of tokens, with the token that it returned last. It is not asked for a token before the first call, and calls
 * that come while a token is being made share that token.
 */
export class HubCredential {
  /** The host name that the tokens are for or, for Entra, their scope. */
  readonly audience: string;
  /** Is told of each token. */
  sight: Sight | undefined;
  readonly #signedInAs: () => string;
  readonly #makeToken: TokenMaker;
  #current: HubToken | undefined;
  #renewAt = 0;
  #clockOffsetInMs = 0;
  #pending: Promise<HubToken> | undefined;

  constructor(audience: string, signedInAs: () => string, makeToken: TokenMaker) {
    this.audience = audience;
    this.#signedInAs = signedInAs;
    this.#makeToken = makeToken;
  }

  /** Names the identity in error messages. */
  get signedInAs(): string {
    return this.#signedInAs();
  }

  /** The header's value, unless a token must be made or renewed first. With it, most calls need not wait for a promise. */
  get authorization(): string | undefined {
    return Date.now() < this.#renewAt ? this.#usable?.authorization : undefined;
  }

  /** The last token, unless it is out of date however long it is valid. */
  get #usable(): HubToken | undefined {
    return this.#current?.isCurrent?.() === false ? undefined : this.#current;
  }

  /**
   * Returns a token to use in place of one that the hub refused, or `undefined` if the source has no other. If this
   * machine's clock is off, the token is made for the hub's clock. If another call has replaced the refused token in the
   * meantime, its token is returned.
   *
   * @param refused The refused value of the header.
   * @param answeredAt When the hub refused it, by the hub's clock, in milliseconds since 1970.
   * @param options The call, for the text of an error.
   * @throws {IoTHubError} `CredentialError` when the source failed.
   */
  async replace(refused: string, answeredAt: number, options: FailedCall): Promise<HubToken | undefined> {
    this.refused();
    const current = this.#usable;
    if (current !== undefined && current.authorization !== refused) return current;
    const offset = answeredAt - Date.now();
    const size = Math.abs(offset);
    // A small offset means nothing: the header counts whole seconds, and the answer took some time to arrive.
    this.#clockOffsetInMs = size > CLOCK_TOLERANCE_IN_MS && size <= MAX_CLOCK_OFFSET_IN_MS ? offset : 0;
    const token = await this.getToken({ ...options, forceRefresh: true });
    return token.isReadyMade && token.authorization === refused ? undefined : token;
  }

  /**
   * Returns the current token. It is renewed first if it expires soon, or if `forceRefresh` is set.
   *
   * @throws {IoTHubError} `CredentialError` when the source failed.
   */
  async getToken(options: FailedCall & { forceRefresh?: boolean }): Promise<HubToken> {
    const atHand = options.forceRefresh ? undefined : this.#usable;
    if (atHand && Date.now() < this.#renewAt) return atHand;
    try {
      const token = await (this.#pending ??= this.#renew());
      // Its source may have changed while it was made.
      return token.isCurrent?.() === false ? await (this.#pending ??= this.#renew()) : token;
    } catch (cause) {
      // A temporary failure of the source does no harm as long as the old token is valid.
      if (atHand && Date.now() < atHand.expiresOn) return atHand;
      const why = redactText(innermostMessage(cause));
      const rest = options.forceRefresh ? "" : "; nothing was sent";
      const reason = `the credential returned no token for ${this.audience} (${why})${rest}`;
      throw failure(options, "CredentialError", reason, { cause: causeToShow(cause) });
    }
  }

  /** Tells that the hub has refused a token. */
  refused(): void {
    this.sight?.tell({ kind: "tokenRefused", ...this.#names });
  }

  get #names(): { audience: string; signedInAs: string } {
    return { audience: this.audience, signedInAs: this.signedInAs };
  }

  async #renew(): Promise<HubToken> {
    const began = performance.now();
    try {
      const started = Date.now();
      const token = await this.#makeToken(this.#clockOffsetInMs);
      const { expiresOn, renewOn = Infinity } = token;
      const margin = Math.min(RENEWAL_MARGIN_IN_MS, (expiresOn - started) / 10);
      // If the source wants it to be renewed at once, it is not asked for every call all the same.
      this.#renewAt = Math.max(started + Math.min(PAUSE_IN_MS, margin), Math.min(renewOn, expiresOn - margin));
      this.sight?.tell({
        kind: "tokenMade",
        ...this.#names,
        durationInMs: performance.now() - began,
        expiresOn: new Date(Math.min(expiresOn, LAST_DATE)),
      });
      return this.#current = token;
    } catch (error) {
      this.sight?.tell({
        kind: "tokenFailed",
        ...this.#names,
        durationInMs: performance.now() - began,
        message: redactText(innermostMessage(error)),
      });
      throw error;
    } finally {
      this.#pending = undefined;
    }
  }
}

/**
 * Returns the credential of a shared access policy, which signs tokens with the policy's key. The name and the key are read
 * for each token, since they may change.
 */
export function credentialFromPolicy(
  hostName: string,
  policy: NamedKeyCredential,
  ttlInSeconds: number = DEFAULT_SAS_TTL_IN_SECONDS,
  importKey: (key: string) => Promise<CryptoKey> = importSasKey,
): HubCredential {
  let last: { key: string; imported: Promise<CryptoKey> } | undefined;
  return new HubCredential(hostName, () => `the policy "${policy.name}"`, async (clockOffsetInMs) => {
    const { name, key } = policy;
    checkPolicyName(name);
    if (last?.key !== key) last = { key, imported: importKey(key) };
    const expiry = Math.floor((Date.now() + clockOffsetInMs) / 1000) + Math.ceil(ttlInSeconds);
    return {
      authorization: await signSasToken(await last.imported, hostName, expiry, name),
      expiresOn: expiry * 1000 - clockOffsetInMs,
      isCurrent: () => policy.name === name && policy.key === key,
    };
  });
}

/** Returns the credential of a ready-made shared access signature, which is read for each call, since it may change. */
export function credentialFromSignature(hostName: string, source: SASCredential): HubCredential {
  return new HubCredential(hostName, () => "the given SharedAccessSignature", () => {
    const { signature } = source;
    checkSasToken("the signature", signature);
    const expiry = Number(/[ &]se=(\d+)/.exec(signature)?.[1] ?? Infinity);
    return {
      authorization: signature,
      expiresOn: expiry * 1000,
      isCurrent: () => source.signature === signature,
      isReadyMade: true,
    };
  });
}

/** Returns the credential of an Entra identity. */
export function credentialFromTokenCredential(source: TokenCredential, scope: string): HubCredential {
  let refusal: unknown;
  let askAgainAt = 0;
  return new HubCredential(scope, () => "the token credential's identity", async () => {
    if (performance.now() < askAgainAt) throw refusal;
    const token = await tokenInTime(source, scope);
    // A runtime that refuses a header's value would show it in its error.
    checkText("the credential's token", token?.token, /^[\x21-\x7e]+$/, "visible ASCII");
    const { expiresOnTimestamp: expiresOn, refreshAfterTimestamp } = token;
    try {
      const isAhead = (time: number): boolean => time > Date.now();
      checkNumber("expiresOnTimestamp", expiresOn, isAhead, "a time to come, in milliseconds since 1970");
    } catch (error) {
      askAgainAt = performance.now() + PAUSE_IN_MS;
      throw refusal = error;
    }
    return {
      authorization: `Bearer ${token.token}`,
      expiresOn,
      renewOn: Number(refreshAfterTimestamp) || undefined,
    };
  });
}

/** Asks for a token, and gives up after a while, even if the source ignores the signal. */
async function tokenInTime(source: TokenCredential, scope: string): Promise<AccessToken | null> {
  const deadline = new Deadline(Infinity, undefined);
  const timer = new BackgroundTimer();
  const reason = new Error(`it gave none within ${TOKEN_TIMEOUT_IN_MS} ms`);
  timer.setAt(Date.now() + TOKEN_TIMEOUT_IN_MS, () => deadline.end(reason));
  try {
    return await deadline.race(Promise.resolve(source.getToken(scope, { abortSignal: deadline.signal })));
  } finally {
    timer.clear();
  }
}
