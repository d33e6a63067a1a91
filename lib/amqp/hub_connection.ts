import type { Connection, EventContext } from "rhea";
import { afterOutcomes } from "./after_outcomes.ts";
import { describeEndpoint, resolveEndpoint } from "./amqp_endpoint.ts";
import { AmqpFailure, toFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { Authorization } from "./authorization.ts";
import { conditionOf } from "./cbs_link.ts";
import { failureOfCondition } from "./conditions.ts";
import { KeepAlive } from "./keep_alive.ts";
import { connect, type Transport } from "./transport.ts";

/** How long the peer may take to say goodbye. */
const CLOSING_LIMIT_IN_MS = 2_000;

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
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #transport: Transport | undefined;
  #keepAlive: KeepAlive | undefined;
  #authorization: Authorization | undefined;
  #isReady = false;
  #isResting = false;
  #restedAt = 0;
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
    return this.#authorization?.secrets ?? [];
  }

  /**
   * Whether the hub's leave is still good. If it is not (the machine may have slept past the renewal), it is asked for
   * again, and the users hear of it by {@linkcode ConnectionUser.ready}.
   */
  isAuthorized(): boolean {
    return this.#authorization!.isGood();
  }

  /**
   * Puts a new token in place of one that seems to have run out, since the hub has closed a link for want of rights. The users
   * hear of it by {@linkcode ConnectionUser.ready}; if it fails, the connection ends.
   */
  reauthorize(): void {
    this.#authorization!.replace();
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
    this.#keepAlive?.stop();
    this.#authorization?.end(failure);
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
      this.#authorization = new Authorization(this.#settings, this.#transport.connection, {
        renewed: () => this.#tellReady(),
        lost: (failure) => this.end(failure),
      });
      await this.#authorization.put(await token);
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

  /** The loss of the session of the token's links ends the connection, as that of the socket does. */
  #listen(connection: Connection, where: string): void {
    const onClosed = (what: string, error: unknown): void => {
      const failure = failureOfCondition(conditionOf(error), `the hub closed the ${what}`, this.secrets);
      afterOutcomes(() => this.end(failure));
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
    const onBroken = (error: unknown): void => {
      const failure = toFailure(error, `the AMQP connection to ${where}`);
      afterOutcomes(() => this.end(failure));
    };
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

function wasSilent(where: string, silenceInMs: number): AmqpFailure {
  return new AmqpFailure(`the AMQP connection to ${where} was silent for ${Math.round(silenceInMs / 1000)} s`, {
    code: "NetworkError",
    retryable: true,
  });
}

function closedUnused(): AmqpFailure {
  return new AmqpFailure("the AMQP connection was closed", { code: "NetworkError", retryable: true });
}
