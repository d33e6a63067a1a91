import type { HubToken } from "../auth/credential.ts";
import { AmqpFailure, toFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { BackgroundTimer } from "../timing/background_timer.ts";
import { CbsLink } from "./cbs_link.ts";
import type { Connection } from "./library.ts";

/** A token is renewed this long before it expires, or in the last tenth of its life if that is shorter. */
const RENEWAL_MARGIN_IN_MS = 240_000;
/** A failed renewal is tried again after this time, or after a third of the old token's remaining life if shorter. */
const RENEWAL_RETRY_IN_MS = 30_000;
const LEAST_RENEWAL_RETRY_IN_MS = 50;

/** The connection that is told about changes of its authorization. */
export interface AuthorizationUser {
  /** The hub has accepted a new token, so work that was waiting for one can go on. */
  renewed(): void;
  /** The token could not be renewed before it expired, or the renewal took too long. Called once. */
  lost(failure: AmqpFailure): void;
}

/** A connection's authorization, which it gets with a token and keeps by renewing it. */
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

  /** The parts of the last token that must not be shown. */
  get secrets(): readonly string[] {
    return this.#cbs.secrets;
  }

  /** Whether the token is still valid. If it has expired, this starts a renewal. */
  isAuthorized(): boolean {
    if (Date.now() < this.#expiresOn) return true;
    if (this.#expiresOn > 0) void this.#renew();
    return false;
  }

  /** Sends a token to the hub, and resolves when the hub has accepted it. */
  async put(token: HubToken): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended;
    const { credential } = this.#settings;
    try {
      await this.#cbs.putToken(credential.audience, token);
    } catch (failure) {
      if (failure instanceof AmqpFailure && failure.facts.statusCode === 401) credential.refused?.();
      throw failure;
    }
    const left = token.expiresOn - Date.now();
    // If the hub accepts a token that has expired by our clock, one clock is wrong, and only the hub's clock counts.
    this.#expiresOn = left > 0 ? token.expiresOn : Infinity;
    this.#renewalTimer.setAt(this.#expiresOn - Math.min(RENEWAL_MARGIN_IN_MS, left / 10), () => void this.#renew());
  }

  /** Replaces a token that seems to have expired. */
  replace(): void {
    this.#expiresOn = Math.min(this.#expiresOn, Date.now());
    void this.#renew({ forceRefresh: true });
  }

  /** Clears the timers, and rejects whatever still waits for the hub. */
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
      // A shared access signature that the user made cannot be renewed, so it is used until it expires.
      if (token.expiresOn > this.#expiresOn || forceRefresh) await this.put(token);
      else if (wasLate) throw tokenRanOut();
      // Work that came after the old token had expired is waiting for this.
      if (this.#ended === undefined) this.#user.renewed();
    } catch (error) {
      this.#renewalFailed(error);
    } finally {
      this.#isRenewing = false;
      this.#renewalLimit.clear();
    }
  }

  /** Retries the renewal for as long as the old token is valid. */
  #renewalFailed(error: unknown): void {
    if (this.#ended !== undefined) return;
    const left = this.#expiresOn - Date.now();
    if (left <= 0) return this.#user.lost(toFailure(error, "renewing the token", this.secrets));
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
  return new AmqpFailure("the shared access signature has expired; create a manager with a new one", {
    code: "Unauthorized",
    retryable: false,
  });
}
