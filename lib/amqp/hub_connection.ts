import type { Connection, EventContext } from "rhea";
import type { HubToken } from "../credential.ts";
import { describeEndpoint, resolveEndpoint } from "./amqp_endpoint.ts";
import { AmqpFailure, toFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { BackgroundTimer } from "./background_timer.ts";
import { CbsLink, conditionOf } from "./cbs_link.ts";
import { failureOfCondition } from "./conditions.ts";
import { KeepAlive } from "./keep_alive.ts";
import { connect, type Transport } from "./transport.ts";

/** How long the peer may take to say goodbye. */
const CLOSING_LIMIT_IN_MS = 2_000;

/** A token is renewed this long before its end, or in the last tenth of a shorter life. */
const RENEWAL_MARGIN_IN_MS = 240_000;
/** A renewal that failed is tried again after this time, or a third of what is left of the old token's life. */
const RENEWAL_RETRY_IN_MS = 30_000;
const LEAST_RENEWAL_RETRY_IN_MS = 50;

/** A connection that nobody has used for this long lets the process end. Not at once, since the next use is often near. */
const REST_AFTER_IN_MS = 50;
/** A socket that cannot let the process end is closed when nobody has used it for this long. */
const CLOSE_AFTER_IN_MS = 30_000;

/** Who uses a connection, and is told how it fares. */
export interface ConnectionUser {
  /** Whether it waits for something. A connection whose users all wait for nothing does not keep the process alive. */
  readonly isBusy: boolean;
  /** The hub has accepted a token: links may be attached, messages sent. Called again after a token that was late. */
  ready(): void;
  /** The connection is of no more use. Called once. */
  ended(failure: AmqpFailure): void;
}

/** One connection to a hub: opened, authorised, kept authorised and alive, and closed. It is never reopened. */
export class HubConnection {
  readonly #settings: AmqpSettings;
  readonly #hasFreshToken: boolean;
  readonly #users: Set<ConnectionUser> = new Set();
  readonly #openingTimer: ReturnType<typeof setTimeout>;
  readonly #renewalTimer: BackgroundTimer = new BackgroundTimer();
  readonly #renewalLimit: BackgroundTimer = new BackgroundTimer();
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #transport: Transport | undefined;
  #keepAlive: KeepAlive | undefined;
  #cbs: CbsLink | undefined;
  #isReady = false;
  #isResting = false;
  #restedAt = 0;
  #tokenExpiresOn = 0;
  #renewing = false;
  #ended: AmqpFailure | undefined;
  /** Settles when the socket is gone. */
  readonly closed: Promise<void>;
  #onClosed = (): void => {};

  constructor(settings: AmqpSettings, options: { operation: string; forceRefresh: boolean }) {
    this.#settings = settings;
    this.#hasFreshToken = options.forceRefresh;
    this.closed = new Promise((resolve) => this.#onClosed = resolve);
    const limit = settings.attemptTimeoutInMs;
    this.#openingTimer = setTimeout(() => this.end(openingTookTooLong(limit)), limit);
    void this.#open(options);
  }

  /** Why the connection is of no more use, or `undefined` while it is. */
  get failure(): AmqpFailure | undefined {
    return this.#ended;
  }

  /** Whether the hub has ever accepted a token on it. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Whether what ended it may not end the next one: for a refused token, if another can be tried or this one has run out
   * since.
   */
  mayPass({ facts }: AmqpFailure): boolean {
    return facts.retryable || (facts.statusCode === 401 && (this.#isReady || !this.#hasFreshToken));
  }

  /** The library's connection, to attach links to; only when {@linkcode HubConnection.isReady}. */
  get connection(): Connection {
    return this.#transport!.connection;
  }

  /** What must not be shown of what the hub says. */
  get secrets(): readonly string[] {
    return this.#cbs?.secrets ?? [];
  }

  /**
   * Whether the hub's leave is still good. If it is not (the machine may have slept past the renewal), it is asked for
   * again, and the users hear of it by {@linkcode ConnectionUser.ready}.
   */
  isAuthorized(): boolean {
    if (Date.now() < this.#tokenExpiresOn) return true;
    if (this.#tokenExpiresOn > 0) void this.#renew();
    return false;
  }

  /**
   * Puts a new token in place of one that seems to have run out, since the hub has closed a link for want of rights. The users
   * hear of it by {@linkcode ConnectionUser.ready}; if it fails, the connection ends.
   */
  reauthorize(): void {
    this.#tokenExpiresOn = Math.min(this.#tokenExpiresOn, Date.now());
    void this.#renew({ forceRefresh: true });
  }

  /** Adds a user, who is told of everything from now on. */
  join(user: ConnectionUser): void {
    this.#users.add(user);
    this.wake();
  }

  /** Forgets a user. */
  leave(user: ConnectionUser): void {
    this.#users.delete(user);
    this.rest();
  }

  /** To be called when a user has become busy. */
  wake(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.#transport?.keepProcessAlive?.(true);
  }

  /** To be called when a user is no longer busy. An opening that nobody waits for is given up. */
  rest(): void {
    if (this.#isBusy || this.#ended !== undefined) return;
    if (!this.#isReady) return this.end(closedUnused());
    if (this.#isResting) return;
    this.#restedAt = Date.now();
    this.#idleTimer ??= setTimeout(() => {
      this.#idleTimer = undefined;
      this.#restNow();
    }, REST_AFTER_IN_MS);
  }

  /** Gives the connection up: tells the users, and closes what is open. Later calls change nothing. */
  end(failure: AmqpFailure): void {
    if (this.#ended !== undefined) return;
    this.#ended = failure;
    clearTimeout(this.#openingTimer);
    clearTimeout(this.#idleTimer);
    this.#renewalTimer.clear();
    this.#renewalLimit.clear();
    this.#keepAlive?.stop();
    this.#cbs?.end(failure);
    if (this.#transport === undefined) this.#onClosed();
    else void closeOrderly(this.#transport).then(this.#onClosed);
    for (const user of [...this.#users]) user.ended(failure);
    this.#users.clear();
  }

  get #isBusy(): boolean {
    for (const user of this.#users) if (user.isBusy) return true;
    return false;
  }

  #restNow(): void {
    const keepProcessAlive = this.#transport?.keepProcessAlive;
    if (this.#isBusy || this.#ended !== undefined) return;
    if (keepProcessAlive !== undefined) {
      this.#isResting = true;
      keepProcessAlive(false);
    } else {
      this.#closeAt(this.#restedAt + CLOSE_AFTER_IN_MS);
    }
  }

  #closeAt(time: number): void {
    this.#idleTimer = setTimeout(() => {
      this.#idleTimer = undefined;
      if (this.#isBusy) return;
      const due = this.#restedAt + CLOSE_AFTER_IN_MS;
      if (Date.now() < due) this.#closeAt(due);
      else this.end(closedUnused());
    }, Math.max(0, time - Date.now()));
  }

  async #open(options: { operation: string; forceRefresh: boolean }): Promise<void> {
    const { credential } = this.#settings;
    try {
      const token = credential.getToken(options);
      token.catch(() => {}); // it is awaited below, unless the connection fails first
      const endpoint = await resolveEndpoint(this.#settings);
      if (this.#ended !== undefined) return;
      const where = describeEndpoint(endpoint);
      this.#transport = connect(endpoint, this.#settings, {
        prepare: (connection) => this.#listen(connection, where),
        heard: () => this.#keepAlive?.heard(),
      });
      this.#cbs = new CbsLink(this.#transport.connection);
      await this.#authorize(await token);
      clearTimeout(this.#openingTimer);
      if (this.#ended !== undefined) return;
      this.#isReady = true;
      this.#tellReady();
    } catch (error) {
      this.end(toFailure(error, `opening an AMQP connection to ${this.#settings.hostName}`));
    }
  }

  #tellReady(): void {
    for (const user of [...this.#users]) user.ready();
  }

  async #authorize(token: HubToken): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended;
    await this.#cbs!.putToken(this.#settings.credential.audience, token);
    const left = token.expiresOn - Date.now();
    // The hub has accepted a token that is over by our clock: one of the clocks is wrong, and the hub's is what counts.
    this.#tokenExpiresOn = left > 0 ? token.expiresOn : Infinity;
    this.#renewalTimer.setAt(
      this.#tokenExpiresOn - Math.min(RENEWAL_MARGIN_IN_MS, left / 10),
      () => void this.#renew(),
    );
  }

  async #renew({ forceRefresh } = { forceRefresh: false }): Promise<void> {
    if (this.#renewing || this.#ended !== undefined) return;
    this.#renewing = true;
    const { credential, attemptTimeoutInMs } = this.#settings;
    this.#renewalLimit.setAt(Date.now() + attemptTimeoutInMs, () => this.end(renewalTookTooLong(attemptTimeoutInMs)));
    const wasLate = Date.now() >= this.#tokenExpiresOn;
    try {
      let token = await credential.getToken({ operation: "token renewal", ...(forceRefresh && { forceRefresh }) });
      if (token.expiresOn <= this.#tokenExpiresOn && !forceRefresh) {
        token = await credential.getToken({ operation: "token renewal", forceRefresh: true });
      }
      // A ready-made token has no successor: the hub lets it run out, and so do we.
      if (token.expiresOn > this.#tokenExpiresOn || forceRefresh) await this.#authorize(token);
      else if (wasLate) throw tokenRanOut();
      // Whoever came while the old token was over has been sent away.
      if (this.#ended === undefined) this.#tellReady();
    } catch (error) {
      this.#renewalFailed(error);
    } finally {
      this.#renewing = false;
      this.#renewalLimit.clear();
    }
  }

  /** The old token is still good for a while: as long, the renewal is tried again. */
  #renewalFailed(error: unknown): void {
    if (this.#ended !== undefined) return;
    const left = this.#tokenExpiresOn - Date.now();
    if (left <= 0) return this.end(toFailure(error, "renewing the token"));
    const wait = Math.max(LEAST_RENEWAL_RETRY_IN_MS, Math.min(RENEWAL_RETRY_IN_MS, left / 3));
    this.#renewalTimer.setAt(Date.now() + Math.min(wait, left), () => void this.#renew());
  }

  /** The loss of the session of the token's links ends the connection, as that of the socket does. */
  #listen(connection: Connection, where: string): void {
    const onClosed = (what: string, error: unknown): void => {
      this.end(failureOfCondition(conditionOf(error), `the hub closed the ${what}`, this.secrets));
    };
    connection.on("connection_open", () => {
      this.#keepAlive = new KeepAlive(connection, (silenceInMs) => this.end(wasSilent(where, silenceInMs)));
    });
    connection.on("sender_error", ({ sender }: EventContext) => onClosed("token's link", sender?.error));
    connection.on("receiver_error", ({ receiver }: EventContext) => onClosed("token's link", receiver?.error));
    connection.on("session_error", ({ session }: EventContext) => onClosed("session", session?.error));
    connection.on("connection_error", ({ connection }: EventContext) => onClosed("connection", connection.error));
    connection.on("sender_close", () => onClosed("token's link", undefined));
    connection.on("receiver_close", () => onClosed("token's link", undefined));
    connection.on("session_close", () => onClosed("session", undefined));
    connection.on("connection_close", () => onClosed("connection", undefined));
    const onBroken = (error: unknown): void => this.end(toFailure(error, `the AMQP connection to ${where}`));
    connection.on("disconnected", ({ error }: EventContext) => onBroken(error));
    connection.on("protocol_error", onBroken);
    connection.on("error", onBroken);
  }
}

/** Says goodbye and waits for the same; a peer that does not answer is left. */
async function closeOrderly({ connection, closed, abort }: Transport): Promise<void> {
  if (!connection.socket_ready || connection.remote.open === undefined) return abort();
  connection.close();
  const timer = setTimeout(abort, CLOSING_LIMIT_IN_MS);
  await closed;
  clearTimeout(timer);
}

function openingTookTooLong(limitInMs: number): AmqpFailure {
  return new AmqpFailure(`the AMQP connection was not ready within ${limitInMs} ms`, {
    code: "Timeout",
    retryable: true,
  });
}

function renewalTookTooLong(limitInMs: number): AmqpFailure {
  return new AmqpFailure(`the token could not be renewed within ${limitInMs} ms`, {
    code: "Timeout",
    retryable: true,
  });
}

function wasSilent(where: string, silenceInMs: number): AmqpFailure {
  return new AmqpFailure(`the AMQP connection to ${where} was silent for ${Math.round(silenceInMs / 1000)} s`, {
    code: "NetworkError",
    retryable: true,
  });
}

function tokenRanOut(): AmqpFailure {
  return new AmqpFailure("the shared access signature has expired, and only its owner can make a new one", {
    code: "Unauthorized",
    retryable: false,
  });
}

function closedUnused(): AmqpFailure {
  return new AmqpFailure("the AMQP connection was closed", { code: "NetworkError", retryable: true });
}
