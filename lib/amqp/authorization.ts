import type { Connection } from "rhea";
import type { HubToken } from "../auth/credential.ts";
import { AmqpFailure, toFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { BackgroundTimer } from "../timing/background_timer.ts";
import { CbsLink } from "./cbs_link.ts";

/** A token is renewed this long before its end, or in the last tenth of a shorter life. */
const RENEWAL_MARGIN_IN_MS = 240_000;
/** A renewal that failed is tried again after this time, or a third of what is left of the old token's life. */
const RENEWAL_RETRY_IN_MS = 30_000;
const LEAST_RENEWAL_RETRY_IN_MS = 50;

/** Whom it concerns that a connection is authorised, or is not. */
export interface AuthorizationUser {
  /** There is a new token: what was put off for want of one can be done. */
  renewed(): void;
  /** There is none. Called once. */
  lost(failure: AmqpFailure): void;
}

/** The hub's leave to use a connection: asked for with a token, and kept with new ones. */
export class Authorization {
  readonly #settings: AmqpSettings;
  readonly #user: AuthorizationUser;
  readonly #cbs: CbsLink;
  readonly #renewalTimer: BackgroundTimer = new BackgroundTimer();
  readonly #renewalLimit: BackgroundTimer = new BackgroundTimer();
  #expiresOn = 0;
  #isRenewing = false;
  #ended: AmqpFailure | undefined;

  constructor(settings: AmqpSettings, connection: Connection, user: AuthorizationUser) {
    this.#settings = settings;
    this.#user = user;
    this.#cbs = new CbsLink(connection);
  }

  /** What must not be shown of the token that was put last. */
  get secrets(): readonly string[] {
    return this.#cbs.secrets;
  }

  /** Whether the hub's leave is still good; if it is not, it is asked for again. */
  isGood(): boolean {
    if (Date.now() < this.#expiresOn) return true;
    if (this.#expiresOn > 0) void this.#renew();
    return false;
  }

  /** Puts a token; resolves when the hub has accepted it. */
  async put(token: HubToken): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended;
    await this.#cbs.putToken(this.#settings.credential.audience, token);
    const left = token.expiresOn - Date.now();
    // The hub has accepted a token that is over by our clock: one of the clocks is wrong, and the hub's is what counts.
    this.#expiresOn = left > 0 ? token.expiresOn : Infinity;
    this.#renewalTimer.setAt(this.#expiresOn - Math.min(RENEWAL_MARGIN_IN_MS, left / 10), () => void this.#renew());
  }

  /** Puts a new token in place of one that seems to have run out. */
  replace(): void {
    this.#expiresOn = Math.min(this.#expiresOn, Date.now());
    void this.#renew({ forceRefresh: true });
  }

  /** Forgets the timers, and fails what still waits for the hub. */
  end(failure: AmqpFailure): void {
    this.#ended = failure;
    this.#renewalTimer.clear();
    this.#renewalLimit.clear();
    this.#cbs.end(failure);
  }

  async #renew({ forceRefresh } = { forceRefresh: false }): Promise<void> {
    if (this.#isRenewing || this.#ended !== undefined) return;
    this.#isRenewing = true;
    const { credential, attemptTimeoutInMs: limit } = this.#settings;
    this.#renewalLimit.setAt(Date.now() + limit, () => this.#user.lost(renewalTookTooLong(limit)));
    const wasLate = Date.now() >= this.#expiresOn;
    try {
      let token = await credential.getToken({ operation: "token renewal", ...(forceRefresh && { forceRefresh }) });
      if (token.expiresOn <= this.#expiresOn && !forceRefresh) {
        token = await credential.getToken({ operation: "token renewal", forceRefresh: true });
      }
      // A ready-made token has no successor: the hub lets it run out, and so do we.
      if (token.expiresOn > this.#expiresOn || forceRefresh) await this.put(token);
      else if (wasLate) throw tokenRanOut();
      // Whoever came while the old token was over has been sent away.
      if (this.#ended === undefined) this.#user.renewed();
    } catch (error) {
      this.#renewalFailed(error);
    } finally {
      this.#isRenewing = false;
      this.#renewalLimit.clear();
    }
  }

  /** The old token is still good for a while: as long, the renewal is tried again. */
  #renewalFailed(error: unknown): void {
    if (this.#ended !== undefined) return;
    const left = this.#expiresOn - Date.now();
    if (left <= 0) return this.#user.lost(toFailure(error, "renewing the token"));
    const wait = Math.max(LEAST_RENEWAL_RETRY_IN_MS, Math.min(RENEWAL_RETRY_IN_MS, left / 3));
    this.#renewalTimer.setAt(Date.now() + Math.min(wait, left), () => void this.#renew());
  }
}

function renewalTookTooLong(limitInMs: number): AmqpFailure {
  return new AmqpFailure(`the token could not be renewed within ${limitInMs} ms`, {
    code: "Timeout",
    retryable: true,
  });
}

function tokenRanOut(): AmqpFailure {
  return new AmqpFailure("the shared access signature has expired, and only its owner can make a new one", {
    code: "Unauthorized",
    retryable: false,
  });
}
