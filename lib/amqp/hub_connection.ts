import type { Connection, EventContext } from "rhea";
import type { HubToken } from "../credential.ts";
import { describeEndpoint, resolveEndpoint } from "./amqp_endpoint.ts";
import { AmqpFailure, toFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { BackgroundTimer } from "./background_timer.ts";
import { CbsLink, conditionOf } from "./cbs_link.ts";
import { failureOfCondition } from "./conditions.ts";
import { connect, type Transport } from "./transport.ts";

/** How long an opening may take, whoever waits for it. */
const OPENING_LIMIT_IN_MS = 60_000;

/** How long the peer may take to say goodbye. */
const CLOSING_LIMIT_IN_MS = 2_000;

/** A token is renewed this long before its end, or in the last tenth of a shorter life. */
const RENEWAL_MARGIN_IN_MS = 240_000;
const RENEWAL_RETRY_IN_MS = 30_000;

/** Who uses a connection, and is told how it fares. */
export interface ConnectionUser {
  /** The hub has accepted a token: links may be attached, messages sent. Called again after a token that was late. */
  ready(connection: Connection): void;
  /** The connection is of no more use. Called once. */
  ended(failure: AmqpFailure): void;
}

/** One connection to a hub: opened, authorised, kept authorised, and closed. It is never reopened. */
export class HubConnection {
  readonly #settings: AmqpSettings;
  readonly #user: ConnectionUser;
  readonly #openingTimer: ReturnType<typeof setTimeout>;
  readonly #renewalTimer: BackgroundTimer = new BackgroundTimer();
  #transport: Transport | undefined;
  #cbs: CbsLink | undefined;
  #tokenExpiresOn = 0;
  #renewing = false;
  #ended: AmqpFailure | undefined;
  /** Settles when the socket is gone. */
  readonly closed: Promise<void>;
  #onClosed = (): void => {};

  constructor(settings: AmqpSettings, user: ConnectionUser, options: { operation: string; forceRefresh: boolean }) {
    this.#settings = settings;
    this.#user = user;
    this.closed = new Promise((resolve) => this.#onClosed = resolve);
    this.#openingTimer = setTimeout(() => this.end(openingTookTooLong()), OPENING_LIMIT_IN_MS);
    void this.#open(options);
  }

  /** Why the connection is of no more use, or `undefined` while it is. */
  get failure(): AmqpFailure | undefined {
    return this.#ended;
  }

  /** What must not be shown of what the hub says. */
  get secrets(): readonly string[] {
    return this.#cbs?.secrets ?? [];
  }

  /**
   * Whether the hub's leave to send is still good. If it is not (the machine may have slept past the renewal), it is
   * asked for again, and the user hears of it by {@linkcode ConnectionUser.ready}.
   */
  isAuthorized(): boolean {
    if (Date.now() < this.#tokenExpiresOn) return true;
    if (this.#tokenExpiresOn > 0) void this.#renew();
    return false;
  }

  /** Gives the connection up: tells the user, and closes what is open. Later calls change nothing. */
  end(failure: AmqpFailure): void {
    if (this.#ended !== undefined) return;
    this.#ended = failure;
    clearTimeout(this.#openingTimer);
    this.#renewalTimer.clear();
    this.#cbs?.end(failure);
    if (this.#transport === undefined) this.#onClosed();
    else void closeOrderly(this.#transport).then(this.#onClosed);
    this.#user.ended(failure);
  }

  async #open(options: { operation: string; forceRefresh: boolean }): Promise<void> {
    const { credential } = this.#settings;
    try {
      const token = credential.getToken(options);
      token.catch(() => {}); // it is awaited below, unless the connection fails first
      const endpoint = await resolveEndpoint(this.#settings);
      if (this.#ended !== undefined) return;
      const where = describeEndpoint(endpoint);
      this.#transport = connect(endpoint, this.#settings, (connection) => this.#listen(connection, where));
      const { connection } = this.#transport;
      this.#cbs = new CbsLink(connection);
      await this.#authorize(await token);
      clearTimeout(this.#openingTimer);
      if (this.#ended === undefined) this.#user.ready(connection);
    } catch (error) {
      this.end(toFailure(error, `opening an AMQP connection to ${this.#settings.hostName}`));
    }
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

  async #renew(): Promise<void> {
    if (this.#renewing || this.#ended !== undefined) return;
    this.#renewing = true;
    const { credential } = this.#settings;
    const wasLate = Date.now() >= this.#tokenExpiresOn;
    try {
      let token = await credential.getToken({ operation: "token renewal" });
      if (token.expiresOn <= this.#tokenExpiresOn) {
        token = await credential.getToken({ operation: "token renewal", forceRefresh: true });
      }
      // A ready-made token has no successor: the hub lets it run out, and so do we.
      if (token.expiresOn > this.#tokenExpiresOn) await this.#authorize(token);
      else if (wasLate) throw tokenRanOut();
      if (wasLate && this.#ended === undefined) this.#user.ready(this.#transport!.connection);
    } catch (error) {
      if (Date.now() >= this.#tokenExpiresOn) this.end(toFailure(error, "renewing the token"));
      else {this.#renewalTimer.setAt(Math.min(Date.now() + RENEWAL_RETRY_IN_MS, this.#tokenExpiresOn), () =>
          void this.#renew());}
    } finally {
      this.#renewing = false;
    }
  }

  /** Whatever ends a link, the session or the socket ends the connection: a new one is quick, and certain to be whole. */
  #listen(connection: Connection, where: string): void {
    const onClosed = (what: string, error: unknown): void => {
      this.end(failureOfCondition(conditionOf(error), `the hub closed the ${what}`, this.secrets));
    };
    connection.on("sender_error", ({ sender }: EventContext) => onClosed("link", sender?.error));
    connection.on("receiver_error", ({ receiver }: EventContext) => onClosed("link", receiver?.error));
    connection.on("session_error", ({ session }: EventContext) => onClosed("session", session?.error));
    connection.on("connection_error", ({ connection }: EventContext) => onClosed("connection", connection.error));
    connection.on("sender_close", () => onClosed("link", undefined));
    connection.on("receiver_close", () => onClosed("link", undefined));
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

function openingTookTooLong(): AmqpFailure {
  return new AmqpFailure(`the AMQP connection was not ready within ${OPENING_LIMIT_IN_MS} ms`, {
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
