import { type FailedCall, failure } from "../errors/failures.ts";
import { backOff } from "../timing/retry.ts";
import type { AmqpFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import type { ConnectionUser, HubConnection } from "./hub_connection.ts";
import { beginSession, endLink } from "./hub_link.ts";
import type { Delivery, EventContext, Message, Receiver, Session } from "./library.ts";
import { LinkRights } from "./link_rights.ts";
import { Outage } from "./outage.ts";

/** A link that has lasted this long was not refused. */
const REFUSAL_LIMIT_IN_MS = 1_000;
/** A link that has lasted this long counts as working: its loss begins a new outage. */
const LASTING_IN_MS = 10_000;

/** Who receives by a link. */
export interface LinkUser {
  /** Whether somebody is waiting for a message. */
  readonly isBusy: boolean;
  /** The address to receive from, which is known as soon as a link can be attached. */
  readonly address: string;
  /** What a new link is attached with, in addition to what all have. */
  linkOptions(): object;
  /** Prepares the session of a new link. */
  begun?(session: Session): void;
  /** How much credit the link should have now, which somebody is waiting for. */
  creditFor(link: Receiver): number;
  /** Takes a message. */
  received(link: Receiver, message: Message, delivery: Delivery): void;
  /** There will be no more messages. */
  failed(reason: unknown): void;
}

/**
 * A link by which messages come. The hub gets credit only while somebody waits, and a lost link or connection is replaced
 * as soon as somebody does.
 */
export class ReceivingLink implements ConnectionUser {
  readonly #settings: AmqpSettings;
  readonly #call: FailedCall & { readonly timeoutInMs: number };
  readonly #connectionSource: (operation: string) => HubConnection;
  readonly #user: LinkUser;
  readonly #rights: LinkRights = new LinkRights();
  readonly #outage: Outage;
  #connection: HubConnection | undefined;
  #link: Receiver | undefined;
  #attachedAt = Infinity;
  /** Whether the hub has accepted the link. If it closes the link before that, it has refused it. */
  #isAgreed = false;
  #failures = 0;
  #lastFailure: AmqpFailure | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(
    settings: AmqpSettings,
    call: FailedCall & { readonly timeoutInMs: number },
    connectionSource: (operation: string) => HubConnection,
    user: LinkUser,
  ) {
    this.#settings = settings;
    this.#call = call;
    this.#connectionSource = connectionSource;
    this.#user = user;
    this.#outage = new Outage(call.timeoutInMs, () => this.#giveUp());
  }

  get isBusy(): boolean {
    return this.#user.isBusy;
  }

  /** To be called when somebody waits for a message. */
  wait(): void {
    this.#connection?.wake();
    this.#proceed();
  }

  /** To be called when nobody waits any more. */
  rest(): void {
    this.#outage.end();
    this.#connection?.rest();
  }

  /** The connection is authorized. */
  ready(): void {
    this.#proceed();
  }

  /** The connection is lost. */
  ended(failure: AmqpFailure): void {
    const mayPass = this.#connection?.mayPass(failure) ?? false;
    this.#connection = undefined;
    this.#lost(failure, mayPass);
  }

  /** Closes the link, for good. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    const link = this.#link;
    this.#link = undefined;
    if (link !== undefined) endLink(link);
    this.rest();
    this.#connection?.leave(this);
  }

  /** Takes the next step towards a message: attaches a link, or grants credit on it. */
  #proceed(): void {
    if (this.#isClosed || !this.#user.isBusy || this.#retryTimer !== undefined) return;
    if (this.#link === undefined) this.#attach();
    else grant(this.#link, this.#user.creditFor(this.#link));
  }

  #attach(): void {
    this.#outage.begin();
    if (this.#connection === undefined) {
      this.#connection = this.#connectionSource(this.#call.operation);
      this.#connection.join(this);
    }
    const connection = this.#connection;
    if (!connection.isReady || !connection.isAuthorized()) return;
    const session = beginSession(connection, (failure) => this.#linkLost(link, failure));
    this.#user.begun?.(session);
    const { userAgent } = this.#settings;
    const link = session.open_receiver({
      ...(userAgent === "" ? {} : { properties: { "com.microsoft:client-version": userAgent } }),
      autoaccept: false,
      credit_window: 0,
      ...this.#user.linkOptions(),
    });
    link.once("receiver_open", () => this.#attached(link));
    link.on("message", (context: EventContext) => this.#received(link, context));
    grant(link, this.#user.creditFor(link));
    this.#link = link;
  }

  #attached(link: Receiver): void {
    if (link !== this.#link) return;
    this.#attachedAt = performance.now();
    // A hub refuses a link with an attach without an address, followed by a detach with the reason.
    this.#isAgreed = Boolean(link.source?.address);
    if (!this.#isAgreed) return;
    this.#rights.confirm();
    this.#connection?.tell({ kind: "linkAttached", address: this.#user.address });
    this.#outage.interrupt();
  }

  #received(link: Receiver, { message, delivery }: EventContext): void {
    // What comes on a link that was given up comes again.
    if (link !== this.#link) return;
    this.#isAgreed = true;
    this.#failures = 0;
    this.#user.received(link, message!, delivery!);
  }

  #linkLost(link: Receiver, failure: AmqpFailure): void {
    if (link !== this.#link) return;
    this.#connection!.tellLinkLost(this.#user.address, failure);
    const hasWorked = this.#isAgreed || this.#hasLivedFor(REFUSAL_LIMIT_IN_MS);
    this.#lost(failure, this.#rights.mayPass(failure, hasWorked, this.#connection!));
  }

  #lost(failure: AmqpFailure, mayPass: boolean): void {
    if (this.#isAgreed && this.#hasLivedFor(LASTING_IN_MS)) {
      this.#outage.end();
      this.#failures = 0;
    }
    this.#link = undefined;
    this.#isAgreed = false;
    this.#attachedAt = Infinity;
    this.#lastFailure = failure;
    const { retryOptions } = this.#settings;
    if (this.#isClosed || !this.#user.isBusy) return;
    if (!mayPass || retryOptions.maxRetries === 0) return this.#user.failed(failure.toError(this.#call));
    this.#outage.begin();
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#proceed();
    }, backOff(retryOptions, this.#failures++));
  }

  #hasLivedFor(milliseconds: number): boolean {
    return performance.now() - this.#attachedAt > milliseconds;
  }

  #giveUp(): void {
    const last = this.#lastFailure;
    const why = last?.message ?? this.#connection?.whyNotReady();
    const reason = `no link to the hub within ${this.#call.timeoutInMs} ms${why === undefined ? "" : `, since ${why}`}`;
    const facts = { retryable: true, cause: last?.toError(this.#call) };
    this.#user.failed(failure(this.#call, "Timeout", reason, facts));
  }
}

function grant(link: Receiver, credit: number): void {
  if (credit > link.credit) link.add_credit(credit - link.credit);
}
