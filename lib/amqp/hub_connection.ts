import { afterOutcomes } from "./after_outcomes.ts";
import { secretsOfToken } from "../errors/redaction.ts";
import { refusalAdvice } from "../auth/refusal_advice.ts";
import { throughProxy } from "../client/proxy_name.ts";
import { adviceOn, type AmqpEndpoint, describeEndpoint, resolveEndpoint, secretsOfEndpoint } from "./amqp_endpoint.ts";
import type { ConnectionEventContent } from "../sight/client_event.ts";
import { AmqpFailure, toFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { Authorization } from "./authorization.ts";
import { conditionOf } from "./cbs_link.ts";
import { failureOfClose } from "./conditions.ts";
import { KeepAlive } from "./keep_alive.ts";
import type { Connection, EventContext } from "./library.ts";
import { openTransport, type Transport } from "./transport.ts";

/** How long the other end may take to accept a TCP connection. A firewall that is in the way says nothing. */
const CONNECT_LIMIT_IN_MS = 10_000;

/** How long the hub may take to answer a close. */
const CLOSING_LIMIT_IN_MS = 2_000;

/**
 * A connection lets the process end after it has been unused for this long, since the next use often follows at once.
 */
const REST_AFTER_IN_MS = 50;
/** A socket that always keeps the process alive is closed when it has been unused for this long. */
const CLOSE_AFTER_IN_MS = 30_000;

/** A sender or receiver that uses a connection, and is told about its state. */
export interface ConnectionUser {
  /** Whether it is waiting for something. A connection without a busy user does not keep the process alive. */
  readonly isBusy: boolean;
  /** The hub has accepted a token, so links can be attached and messages sent. Called again after each renewal. */
  ready(): void;
  /** The connection has ended. Called once. */
  ended(failure: AmqpFailure): void;
}

/** How a connection is opened. */
export interface OpeningOptions {
  /** The method that needs it. */
  readonly operation: string;
  /** Whether to ask for a new token. */
  readonly forceRefresh: boolean;
  /** Finds out where to connect to, where that is not known before. */
  readonly locate?: (() => Promise<AmqpSettings>) | undefined;
}

/**
 * One connection to a hub, from its opening to its end. It keeps itself authorized and alive, and is never reopened.
 */
export class HubConnection {
  #settings: AmqpSettings;
  /** Tells the connections of a client apart. */
  #id: number | undefined;
  readonly #hasFreshToken: boolean;
  readonly #users: Set<ConnectionUser> = new Set();
  readonly #openingTimer: ReturnType<typeof setTimeout>;
  #connectTimer: ReturnType<typeof setTimeout> | undefined;
  #endpoint: AmqpEndpoint | undefined;
  #isConnected = false;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #transport: Transport | undefined;
  #keepAlive: KeepAlive | undefined;
  #authorization: Authorization | undefined;
  #isReady = false;
  #isResting = false;
  #restedAt = 0;
  #ended: AmqpFailure | undefined;
  #secretsOfEndpoint: readonly string[] = [];
  #secretsOfPassword: readonly string[] = [];
  /** Called when the other side has opened the connection. */
  #onOpen = (): void => {};
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>;
  #onClosed = (): void => {};

  constructor(settings: AmqpSettings, options: OpeningOptions) {
    this.#settings = settings;
    this.#hasFreshToken = options.forceRefresh;
    this.closed = new Promise((resolve) => this.#onClosed = resolve);
    this.#openingTimer = this.#endAfter(settings.attemptTimeoutInMs);
    void this.#open(options);
  }

  /** Why the connection has ended; `undefined` until then. */
  get failure(): AmqpFailure | undefined {
    return this.#ended;
  }

  /** Whether nothing has ever answered at the other end. */
  get isUnanswered(): boolean {
    return this.#endpoint !== undefined && !this.#isConnected;
  }

  /** Says why the connection is not ready, with what the user can do about it. `within` says how long it had. */
  whyNotReady(within: string = ""): string {
    const endpoint = this.#endpoint;
    if (endpoint === undefined) return `the AMQP connection was not ready${within}`;
    const where = this.#describe(endpoint);
    if (this.#isConnected) return `the AMQP connection to ${where} was not ready${within}`;
    return `nothing answered at ${where}${within}; ${adviceOn(endpoint)}`;
  }

  /** Whether the hub has ever accepted a token on this connection. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Whether another connection may succeed where this one failed. After a refused token it may, if this connection did
   * not already ask for a new token, or if its token was accepted once and has expired since.
   */
  mayPass({ facts }: AmqpFailure): boolean {
    return facts.retryable || (facts.statusCode === 401 && (this.#isReady || !this.#hasFreshToken));
  }

  /** The library's connection, to attach links to. Available once {@linkcode HubConnection.isReady} is true. */
  get connection(): Connection {
    return this.#transport!.connection;
  }

  /** Texts that must not be shown even if the hub repeats them. */
  get secrets(): readonly string[] {
    return [...this.#secretsOfEndpoint, ...this.#secretsOfPassword, ...(this.#authorization?.secrets ?? [])];
  }

  /**
   * Whether the connection has not ended, and the token is still valid. If it has expired (the machine may have slept past the renewal), this starts a
   * renewal, after which {@linkcode ConnectionUser.ready} is called.
   */
  isAuthorized(): boolean {
    return this.#ended === undefined && (this.#authorization?.isAuthorized() ?? true);
  }

  /**
   * Replaces a token that seems to have expired, since the hub has closed a link for missing rights. Then
   * {@linkcode ConnectionUser.ready} is called; if the replacement fails, the connection ends.
   */
  reauthorize(): void {
    this.#authorization?.replace();
  }

  /** Adds a user, which is told about the connection's state from now on. */
  join(user: ConnectionUser): void {
    this.#users.add(user);
    this.wake();
  }

  /** Removes a user. */
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

  /** To be called when a user is no longer busy. A connection that is still opening for nobody is given up. */
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

  /** Adds to a failure what the user can check, if the hub has refused the token or what was wanted with it. */
  explained(failure: AmqpFailure): AmqpFailure {
    if (failure.facts.statusCode !== 401) return failure;
    const advice = refusalAdvice(this.#settings.credential, "ServiceConnect");
    return new AmqpFailure(`${failure.message}; ${advice}`, failure.facts);
  }

  /** Tells what becomes of this connection or of a link on it, if anybody wants to know. */
  tell(content: ConnectionEventContent): void {
    const { sight, hostName } = this.#settings;
    if (sight === undefined) return;
    const endpoint = this.#endpoint === undefined ? hostName : describeEndpoint(this.#endpoint);
    sight.tell({ ...content, connectionId: this.#id ??= sight.numberConnection(), endpoint });
  }

  /** Tells that the hub has closed a link. */
  tellLinkLost(address: string, { message, facts: { code } }: AmqpFailure): void {
    this.tell({ kind: "linkLost", address, errorCode: code, message });
  }

  /** Ends the connection: closes it and tells the users. Later calls have no effect. */
  end(reason: AmqpFailure): void {
    if (this.#ended !== undefined) return;
    const failure = this.explained(reason);
    this.#ended = failure;
    const { message, facts: { code, statusCode } } = failure;
    if (statusCode === 401 && !this.#isReady && this.#settings.sasl?.hasPassword) this.#settings.credential.refused?.();
    this.tell(code === "Closed" ? { kind: "connectionClosed" } : { kind: "connectionLost", errorCode: code, message });
    clearTimeout(this.#openingTimer);
    clearTimeout(this.#connectTimer);
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

  async #open({ locate, ...options }: OpeningOptions): Promise<void> {
    try {
      if (locate !== undefined) this.#settings = await locate();
      const began = performance.now();
      const { credential, sasl } = this.#settings;
      const token = credential.getToken(options);
      token.catch(() => {}); // It is awaited below, unless the connection fails first.
      const endpoint = await resolveEndpoint(this.#settings);
      if (this.#ended !== undefined) return;
      this.#endpoint = endpoint;
      this.#secretsOfEndpoint = secretsOfEndpoint(endpoint);
      const opened = new Promise<void>((resolve) => this.#onOpen = resolve);
      const password = sasl?.hasPassword ? (await token).authorization : undefined;
      if (this.#ended !== undefined) return;
      if (password !== undefined) this.#secretsOfPassword = secretsOfToken(password);
      this.tell({ kind: "connectionOpening" });
      // Whoever is told of it may have ended the call that it is for.
      if (this.#ended !== undefined) return;
      this.#transport = openTransport(endpoint, this.#settings, {
        prepare: (connection) => this.#listen(connection, endpoint),
        connected: () => {
          this.#isConnected = true;
          clearTimeout(this.#connectTimer);
        },
        unreachable: (reason) => this.#broken(reason, endpoint),
        heard: () => this.#keepAlive?.heard(),
        failed: (failure) => afterOutcomes(() => this.end(failure)),
      }, password);
      // A WebSocket tells only when all is done, and the hub may take its time for that.
      if (endpoint.kind === "tcp") {
        this.#connectTimer = this.#endAfter(Math.min(CONNECT_LIMIT_IN_MS, this.#settings.attemptTimeoutInMs));
      }
      if (password === undefined) {
        this.#authorization = new Authorization(this.#settings, this.#transport.connection, {
          renewed: () => this.#tellReady(),
          lost: (failure) => this.end(failure),
        });
        await this.#authorization.put(await token);
      } else await opened;
      clearTimeout(this.#openingTimer);
      if (this.#ended !== undefined) return;
      this.#isReady = true;
      this.tell({ kind: "connectionOpened", durationInMs: performance.now() - began });
      this.#tellReady();
    } catch (error) {
      this.end(toFailure(error, `opening an AMQP connection to ${this.#settings.hostName}`, this.secrets));
    }
  }

  #tellReady(): void {
    for (const user of [...this.#users]) user.ready();
  }

  /**
   * Listens for the end of the socket, and of the links for tokens and their session. Any of these ends the connection.
   */
  #listen(connection: Connection, endpoint: AmqpEndpoint): void {
    const onClosed = (what: string, error: unknown): void => {
      const failure = failureOfClose(conditionOf(error), `the hub closed the ${what}`, this.secrets);
      afterOutcomes(() => this.end(failure));
    };
    connection.on("connection_open", () => {
      this.#onOpen();
      this.#keepAlive = new KeepAlive(
        connection,
        (silenceInMs) => this.end(wasSilent(this.#describe(endpoint), silenceInMs)),
      );
    });
    connection.on("sender_error", ({ sender }: EventContext) => onClosed("link for tokens", sender?.error));
    connection.on("receiver_error", ({ receiver }: EventContext) => onClosed("link for tokens", receiver?.error));
    connection.on("session_error", ({ session }: EventContext) => onClosed("session", session?.error));
    // The context has the error where the hub has refused to let the client in, before anything was opened.
    connection.on(
      "connection_error",
      ({ connection, error }: EventContext) => onClosed("connection", connection.error ?? error),
    );
    connection.on("sender_close", () => onClosed("link for tokens", undefined));
    connection.on("receiver_close", () => onClosed("link for tokens", undefined));
    connection.on("session_close", () => onClosed("session", undefined));
    connection.on("connection_close", () => onClosed("connection", undefined));
    const onBroken = (error: unknown): void => this.#broken(error, endpoint);
    connection.on("disconnected", ({ error }: EventContext) => onBroken(error));
    connection.on("protocol_error", onBroken);
    connection.on("error", onBroken);
  }

  #broken(error: unknown, endpoint: AmqpEndpoint): void {
    const advice = this.#isConnected ? "" : adviceOn(endpoint);
    const failure = toFailure(error, `the AMQP connection to ${this.#describe(endpoint)}`, this.secrets, advice);
    afterOutcomes(() => this.end(failure));
  }

  #describe(endpoint: AmqpEndpoint): string {
    return describeEndpoint(endpoint) + throughProxy(this.#settings.proxy);
  }

  /** Ends the connection if it is not ready, or not even connected, by then. */
  #endAfter(limitInMs: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.end(tookTooLong(this.whyNotReady(` within ${limitInMs} ms`))), limitInMs);
  }
}

/** Closes a connection and waits until the hub has closed it too, for a limited time. */
async function closeOrderly({ connection, closed, abort }: Transport): Promise<void> {
  if (!connection.socket_ready || connection.remote.open === undefined) return abort();
  connection.close();
  const timer = setTimeout(abort, CLOSING_LIMIT_IN_MS);
  await closed;
  clearTimeout(timer);
}

function tookTooLong(why: string): AmqpFailure {
  return new AmqpFailure(why, { code: "Timeout", retryable: true });
}

function wasSilent(where: string, silenceInMs: number): AmqpFailure {
  return new AmqpFailure(`the AMQP connection to ${where} was silent for ${Math.round(silenceInMs / 1000)} s`, {
    code: "NetworkError",
    retryable: true,
  });
}

function closedUnused(): AmqpFailure {
  return new AmqpFailure("the AMQP connection was closed", { code: "Closed", retryable: true });
}
