import { C2D_ADDRESS, type C2dMessage, withProperties } from "../messages/c2d_message.ts";
import type { CallOptions } from "../messages/message_connection.ts";
import { follow, unfollow } from "../timing/abort_listeners.ts";
import { backOff } from "../timing/retry.ts";
import type { AmqpFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { BackgroundTimer } from "../timing/background_timer.ts";
import { abortReason } from "../timing/deadline.ts";
import { copyToBuffer } from "./buffer_class.ts";
import { C2dLink } from "./c2d_link.ts";
import type { ConnectionUser, HubConnection } from "./hub_connection.ts";
import { LinkRights } from "./link_rights.ts";
import { encodeMessage } from "./message_encoder.ts";
import { failureOf, noVerdict, type PendingSend, timedOut, tooManyPending } from "./pending_send.ts";
import { SendQueue } from "./send_queue.ts";

/** Half of what the library has room for, since it keeps an answered message until all earlier ones are answered. */
const MAX_IN_FLIGHT = 1024;

/** The limits of what may wait. A caller that never awaits its sends gets an error instead of filling the memory. */
const MAX_PENDING = 65_536;
const MAX_PENDING_BYTES = 256 * 1024 * 1024;

/** Returns the connection to use: the current one, or a new one if that was lost. */
export type ConnectionSource = (operation: string) => HubConnection;

/**
 * Sends messages on the current connection. They wait here, in order, until the connection is open and authorized and
 * the link has credit, and then for the hub's verdict. Messages that the hub returned, and those without a verdict when
 * a connection is lost, are sent again with the same message id.
 */
export class C2dSender implements ConnectionUser {
  readonly #settings: AmqpSettings;
  readonly #connectionSource: ConnectionSource;
  readonly #queue: SendQueue = new SendQueue(() => this.#flush());
  readonly #inFlight: Map<number, PendingSend> = new Map();
  readonly #rights: LinkRights = new LinkRights();
  readonly #timer: BackgroundTimer = new BackgroundTimer();
  #timerDue = Infinity;
  #connection: HubConnection | undefined;
  #link: C2dLink | undefined;
  /** Whether any connection has ever been ready. */
  #hasBeenReady = false;
  /** How many times in a row the link was lost, without a verdict in between. */
  #failures = 0;
  #reconnectTimer: ReturnType<typeof setTimeout> | undefined;
  #sequence = 0;
  #pending = 0;
  #pendingBytes = 0;

  constructor(settings: AmqpSettings, connectionSource: ConnectionSource) {
    this.#settings = settings;
    this.#connectionSource = connectionSource;
  }

  /** Whether any caller is waiting for a send. */
  get isBusy(): boolean {
    return this.#pending > 0;
  }

  /** Sends a message, and resolves when the hub has accepted it. */
  send(message: C2dMessage, options: CallOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const size = message.body.byteLength;
      if (this.#pending >= MAX_PENDING || this.#pendingBytes + size > MAX_PENDING_BYTES) {
        return reject(tooManyPending(options, this.#pending, this.#pendingBytes));
      }
      const { abortSignal, timeoutInMs } = options;
      const onAbort = abortSignal === undefined ? undefined : () => this.#leave(pending, abortReason(abortSignal));
      const pending: PendingSend = {
        sequence: this.#sequence++,
        message,
        options,
        deadline: performance.now() + timeoutInMs,
        resolve,
        reject,
        onAbort,
        sentAt: 0,
        retries: 0,
        lastFailure: undefined,
        mayHaveArrived: false,
        isSettled: false,
      };
      if (onAbort !== undefined) follow(abortSignal!, onAbort);
      this.#pendingBytes += size;
      if (this.#pending++ === 0) this.#connection?.wake();
      this.#queue.add(pending);
      this.#watch(pending.deadline);
      this.#flush();
    });
  }

  /** Rejects all pending sends. */
  close(failure: AmqpFailure): void {
    clearTimeout(this.#reconnectTimer);
    this.#timer.clear();
    const pending = [...this.#inFlight.values(), ...this.#queue];
    this.#inFlight.clear();
    this.#queue.putBackAll([]);
    for (const send of pending) {
      this.#queue.delete(send);
      this.#settle(send, failure.toError(send.options));
    }
  }

  /** The connection is authorized. */
  ready(): void {
    this.#hasBeenReady = true;
    this.#flush();
  }

  /** The connection is lost. */
  ended(failure: AmqpFailure): void {
    const link = this.#link;
    const connection = this.#connection;
    // Where nothing has ever answered, a firewall is likely to be in the way, and to say nothing the next time either.
    const isInVain = connection?.isUnanswered && failure.facts.code === "Timeout" && !this.#hasBeenReady;
    const mayPass = !isInVain && (connection?.mayPass(failure) ?? false);
    this.#connection = undefined;
    this.#link = undefined;
    // If the link was lost before the connection, a retry is already planned and nothing has been tried since.
    if (this.#reconnectTimer === undefined) this.#startAgain(failure, mayPass, link?.hasHadCredit ?? false);
  }

  /** Sends as much as the hub's credit and the library's buffer allow. */
  #flush(): void {
    if (this.#queue.isEmpty || this.#reconnectTimer !== undefined) return;
    const link = this.#link ?? this.#attach();
    if (link === undefined || !this.#connection!.isAuthorized()) return;
    while (link.hasCredit && this.#inFlight.size < MAX_IN_FLIGHT) {
      const pending = this.#queue.take();
      if (pending === undefined) return;
      if (this.#inFlight.size === 0) this.#watch(performance.now() + this.#settings.attemptTimeoutInMs);
      pending.sentAt = performance.now();
      const { message, options: { watched } } = pending;
      const ready = withProperties(message, watched?.context);
      this.#inFlight.set(link.send(copyToBuffer(encodeMessage(ready))), pending);
      // Whoever is told of it may send another message, which must not overtake this one.
      watched?.sent({ messageId: message.messageId });
    }
  }

  /** Attaches a link if the connection is ready. Otherwise the connection will call `ready` when it is. */
  #attach(): C2dLink | undefined {
    if (this.#connection === undefined) {
      this.#connection = this.#connectionSource(this.#queue.first!.options.operation);
      this.#connection.join(this);
    }
    if (!this.#connection.isReady || !this.#connection.isAuthorized()) return undefined;
    const link: C2dLink = new C2dLink(this.#connection, this.#settings.userAgent, {
      sendable: () => this.#flush(),
      // Ids belong to one link, and a connection that was given up can still deliver verdicts.
      answered: (id, failure) => link === this.#link && this.#answered(id, failure),
      lost: (failure) => this.#linkLost(link, failure),
    });
    return this.#link = link;
  }

  #answered(id: number, failure: (() => AmqpFailure) | undefined): void {
    const pending = this.#inFlight.get(id);
    if (pending === undefined) return;
    this.#inFlight.delete(id);
    this.#queue.answered(pending.message.to);
    this.#failures = 0;
    this.#rights.confirm();
    if (failure === undefined) {
      pending.options.watched?.answered({});
      this.#settle(pending);
    } else if (!pending.isSettled) {
      this.#sendAgain(pending, failure());
    }
    this.#flush();
  }

  /** Sends a message again that the hub has returned on a working link. */
  #sendAgain(pending: PendingSend, failure: AmqpFailure): void {
    const { options: call } = pending;
    call.watched?.answered({ error: failure.toError(call) });
    const wait = backOff(this.#settings.retryOptions, pending.retries);
    if (!this.#mayBeSentAgain(pending, failure, failure.facts.retryable, wait)) return;
    const { to } = pending.message;
    this.#queue.putBack(pending, wait, () => {
      let count = 0;
      for (const other of this.#inFlight.values()) if (other.message.to === to) count++;
      return count;
    });
  }

  #linkLost(link: C2dLink, failure: AmqpFailure): void {
    if (link !== this.#link) return;
    this.#link = undefined;
    const connection = this.#connection!;
    const { hasHadCredit } = link;
    this.#startAgain(failure, this.#rights.mayPass(failure, hasHadCredit, connection), hasHadCredit);
    connection.tellLinkLost(C2D_ADDRESS, failure);
  }

  /**
   * Starts again after the link was lost. Messages without a verdict may or may not have arrived, and are sent again
   * before the rest. If nothing could be sent at all, this counts as an attempt for every message that waits.
   */
  #startAgain(failure: AmqpFailure, mayPass: boolean, hasWorked: boolean): void {
    const wait = backOff(this.#settings.retryOptions, this.#failures++);
    const inFlight = [...this.#inFlight.values()].filter(({ isSettled }) => !isSettled);
    for (const pending of inFlight) pending.mayHaveArrived = true;
    this.#inFlight.clear();
    const waiting = hasWorked ? [] : [...this.#queue];
    this.#queue.putBackAll(inFlight);
    for (const pending of [...inFlight, ...waiting]) {
      if (!this.#mayBeSentAgain(pending, failure, mayPass, wait)) this.#queue.delete(pending);
    }
    if (this.#pending === 0) return void (this.#failures = 0);
    clearTimeout(this.#reconnectTimer);
    this.#reconnectTimer = setTimeout(() => {
      this.#reconnectTimer = undefined;
      this.#flush();
    }, wait);
  }

  /** Counts one more attempt, or rejects the send if no attempt is left. Whoever is told of it may end the send as well. */
  #mayBeSentAgain(pending: PendingSend, failure: AmqpFailure, mayPass: boolean, waitInMs: number): boolean {
    if (pending.isSettled) return false;
    pending.lastFailure = failure;
    const isInTime = performance.now() + waitInMs < pending.deadline;
    if (mayPass && isInTime && pending.retries < this.#settings.retryOptions.maxRetries) {
      pending.retries++;
      const { options: call } = pending;
      call.watched?.waits({ error: failure.toError(call), waitInMs });
      return !pending.isSettled;
    }
    this.#settle(pending, failureOf(pending, failure));
    return false;
  }

  /** Rejects a send. A message that has already been sent keeps its place until the hub's verdict comes. */
  #leave(pending: PendingSend, reason: unknown): void {
    this.#queue.delete(pending);
    this.#settle(pending, reason);
  }

  #settle(pending: PendingSend, reason?: unknown): void {
    if (pending.isSettled) return;
    pending.isSettled = true;
    const { message, options, onAbort, resolve, reject } = pending;
    if (onAbort !== undefined) unfollow(options.abortSignal!, onAbort);
    this.#pendingBytes -= message.body.byteLength;
    if (--this.#pending === 0) this.#becomeIdle();
    if (reason === undefined) resolve();
    else reject(reason);
  }

  #becomeIdle(): void {
    clearTimeout(this.#reconnectTimer);
    this.#reconnectTimer = undefined;
    this.#failures = 0;
    this.#connection?.rest();
  }

  /** Sets the one timer that all sends share to whatever is due first. When it fires, it checks every send. */
  #watch(due: number): void {
    if (due >= this.#timerDue) return;
    this.#timerDue = due;
    this.#timer.setAt(Date.now() + Math.max(0, due - performance.now()), () => this.#sweep());
  }

  #sweep(): void {
    // A timer may fire a little early.
    const now = Math.max(performance.now(), this.#timerDue);
    this.#timerDue = Infinity;
    let next = Infinity;
    for (const pending of this.#inFlight.values()) {
      if (pending.isSettled) continue;
      if (pending.deadline > now) next = Math.min(next, pending.deadline);
      else {
        pending.mayHaveArrived = true;
        this.#settle(pending, timedOut(pending, "the hub gave no verdict"));
      }
    }
    for (const pending of [...this.#queue]) {
      if (pending.deadline > now) next = Math.min(next, pending.deadline);
      else this.#leave(pending, timedOut(pending, this.#whyItWaits(pending)));
    }
    const oldest = this.#inFlight.values().next().value;
    let isLate = false;
    if (oldest !== undefined) {
      const due = oldest.sentAt + this.#settings.attemptTimeoutInMs;
      isLate = due <= now;
      if (!isLate) next = Math.min(next, due);
    }
    if (next < Infinity) this.#watch(next);
    // The verdict is lost or very late, and the message still holds its place in the library's buffer: reconnect.
    if (isLate) this.#connection!.end(noVerdict(this.#settings.attemptTimeoutInMs));
  }

  #whyItWaits(pending: PendingSend): string {
    const { lastFailure } = pending;
    if (lastFailure !== undefined) return `it has to be sent again, since ${lastFailure.message}`;
    if (this.#link === undefined) return this.#connection?.whyNotReady() ?? "there was no AMQP connection";
    if (this.#queue.isHeldBack(pending)) return "an earlier message for the same device has to be sent again";
    return "the hub granted no credit to send";
  }
}
