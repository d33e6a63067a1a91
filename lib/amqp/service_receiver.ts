import { failure } from "../errors/failures.ts";
import { follow, unfollow } from "../timing/abort_listeners.ts";
import { abortReason } from "../timing/deadline.ts";
import { backOff } from "../timing/retry.ts";
import type { MessageReceiver, ReceiverOptions } from "../messages/message_connection.ts";
import type { ReceivedDelivery } from "../messages/settlement.ts";
import type { AmqpFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { concatBuffers } from "./buffer_class.ts";
import type { ConnectionUser, HubConnection } from "./hub_connection.ts";
import { beginSession } from "./hub_link.ts";
import type { Delivery, EventContext, Message, Receiver } from "./library.ts";
import { LinkRights } from "./link_rights.ts";
import { Outage } from "./outage.ts";

/** A link that has lasted this long was not refused. */
const REFUSAL_LIMIT_IN_MS = 1_000;
/** A link that has lasted this long counts as working: its loss begins a new outage. */
const LASTING_IN_MS = 10_000;

interface Waiter {
  resolve(delivery: ReceivedDelivery | undefined): void;
  reject(reason: unknown): void;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * Receives from one of the hub's queues for back ends, one message at a time. The hub gets credit for a message only
 * when somebody waits for it, so that no message is locked that nobody handles.
 *
 * A lost link or connection is replaced as soon as somebody waits. Messages that were received on it and not settled
 * return to the hub's queue.
 */
export class ServiceReceiver implements ConnectionUser, MessageReceiver {
  readonly #settings: AmqpSettings;
  readonly #options: ReceiverOptions;
  readonly #connectionSource: (operation: string) => HubConnection;
  readonly #onAbort: () => void;
  readonly #rights: LinkRights = new LinkRights();
  readonly #outage: Outage;
  #connection: HubConnection | undefined;
  #link: Receiver | undefined;
  #attachedAt = Infinity;
  /** Whether the hub has accepted the link. If it closes the link before that, it has refused it. */
  #isAgreed = false;
  #waiter: Waiter | undefined;
  #failures = 0;
  #lastFailure: AmqpFailure | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #ended: unknown;
  #hasEnded = false;
  /** Resolves when the receiver was closed or has failed. */
  readonly closed: Promise<void>;
  #onClosed = (): void => {};

  constructor(
    settings: AmqpSettings,
    options: ReceiverOptions,
    connectionSource: (operation: string) => HubConnection,
  ) {
    this.#settings = settings;
    this.#options = options;
    this.#connectionSource = connectionSource;
    this.closed = new Promise((resolve) => this.#onClosed = resolve);
    this.#outage = new Outage(options.timeoutInMs, () => this.#giveUp());
    this.#onAbort = () => this.#end(abortReason(options.abortSignal!));
    if (options.abortSignal !== undefined) follow(options.abortSignal, this.#onAbort);
  }

  /** Whether somebody is waiting for a message. */
  get isBusy(): boolean {
    return this.#waiter !== undefined;
  }

  /**
   * Waits for the next message. It must not be called again before the previous call has settled.
   *
   * @param maxWaitInMs How long to wait, in milliseconds.
   * @returns The message, or `undefined` when none came in time.
   * @throws {IoTHubError} When there was no link for too long, or when the hub refuses it.
   */
  next(maxWaitInMs: number = Infinity): Promise<ReceivedDelivery | undefined> {
    if (this.#hasEnded) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const timer = maxWaitInMs === Infinity ? undefined : setTimeout(() => this.#answer(undefined), maxWaitInMs);
      this.#waiter = { resolve, reject, timer };
      this.#connection?.wake();
      this.#proceed();
    });
  }

  /** Closes the link. Messages that were received and not settled return to the hub's queue. */
  close(): void {
    this.#end(new DOMException("The receiver is closed", "AbortError"));
  }

  /** Ends the receiver, and rejects a call that is waiting. */
  end(failure: AmqpFailure): void {
    this.#end(failure.toError(this.#options));
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

  /** Takes the next step towards a message: attaches a link, or grants credit on it. */
  #proceed(): void {
    if (this.#waiter === undefined || this.#retryTimer !== undefined) return;
    if (this.#link === undefined) this.#attach();
    else if (this.#link.credit === 0) this.#link.add_credit(1);
  }

  #attach(): void {
    this.#outage.begin();
    if (this.#connection === undefined) {
      this.#connection = this.#connectionSource(this.#options.operation);
      this.#connection.join(this);
    }
    const connection = this.#connection;
    if (!connection.isReady || !connection.isAuthorized()) return;
    const session = beginSession(connection, (failure) => this.#linkLost(link, failure));
    const { userAgent } = this.#settings;
    const link = session.open_receiver({
      source: { address: this.#options.address },
      ...(userAgent === "" ? {} : { properties: { "com.microsoft:client-version": userAgent } }),
      autoaccept: false,
      credit_window: 0,
    });
    link.once("receiver_open", () => this.#attached(link));
    link.on("message", (context: EventContext) => this.#received(link, context));
    link.add_credit(1);
    this.#link = link;
  }

  #attached(link: Receiver): void {
    this.#attachedAt = performance.now();
    // A hub refuses a link with an attach without an address, followed by a detach with the reason.
    this.#isAgreed = Boolean(link.source?.address);
    if (!this.#isAgreed) return;
    this.#rights.confirm();
    this.#outage.interrupt();
  }

  #received(link: Receiver, { message, delivery }: EventContext): void {
    // A message that comes on a link that was given up returns to the hub's queue.
    if (link !== this.#link) return;
    this.#isAgreed = true;
    this.#failures = 0;
    this.#answer(receivedDelivery(link, message!, delivery!));
  }

  #answer(delivery: ReceivedDelivery | undefined): void {
    const waiter = this.#takeWaiter();
    if (waiter !== undefined) waiter.resolve(delivery);
    // Nobody is waiting any more, so the message goes back to the hub's queue.
    else delivery?.abandon();
  }

  #takeWaiter(): Waiter | undefined {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    clearTimeout(waiter?.timer);
    this.#outage.end();
    this.#connection?.rest();
    return waiter;
  }

  #linkLost(link: Receiver, failure: AmqpFailure): void {
    if (link !== this.#link) return;
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
    if (this.#waiter === undefined) return;
    if (!mayPass || retryOptions.maxRetries === 0) return this.end(failure);
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
    const reason = `no link to the hub within ${this.#options.timeoutInMs} ms${
      why === undefined ? "" : `, since ${why}`
    }`;
    const facts = { retryable: true, cause: last?.toError(this.#options) };
    this.#end(failure(this.#options, "Timeout", reason, facts));
  }

  #end(reason: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#ended = reason;
    clearTimeout(this.#retryTimer);
    const { abortSignal } = this.#options;
    if (abortSignal !== undefined) unfollow(abortSignal, this.#onAbort);
    const link = this.#link;
    this.#link = undefined;
    link?.close();
    link?.session.close();
    this.#takeWaiter()?.reject(reason);
    this.#connection?.leave(this);
    this.#onClosed();
  }
}

function receivedDelivery(link: Receiver, message: Message, delivery: Delivery): ReceivedDelivery {
  let isDecided = false;
  function decide(decision: () => void): void {
    // When a link has ended, the hub has already returned the message to its queue.
    if (!isDecided && link.is_open()) decision();
    isDecided = true;
  }
  return {
    body: bytesOf(message.body),
    complete: () => decide(() => delivery.accept()),
    abandon: () => decide(() => delivery.release()),
  };
}

/** Returns the bytes of one or more data sections, and no bytes for any other kind of body. */
function bytesOf(body: unknown): Uint8Array {
  const { content } = (body ?? {}) as { content?: unknown };
  const chunks: unknown[] = Array.isArray(content) ? content : [content];
  return concatBuffers(chunks.filter((chunk) => chunk instanceof Uint8Array));
}
