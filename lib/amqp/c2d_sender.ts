import type { Connection, Delivery, EventContext, Sender } from "rhea";
import { IoTHubError } from "../errors.ts";
import { AmqpFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { type AmqpBytes, deliveryTag } from "./buffer_class.ts";
import { failureOfCondition } from "./conditions.ts";
import { HubConnection } from "./hub_connection.ts";

const ADDRESS = "/messages/devicebound";

/** The library keeps at most 2048 deliveries, answered or not, and throws beyond. */
const MAX_IN_FLIGHT = 1024;

/** What a send needs beside the message. */
export interface SendOptions {
  operation: string;
  abortSignal?: AbortSignal;
  timeoutInMs: number;
}

interface PendingSend {
  readonly payload: AmqpBytes;
  readonly options: SendOptions;
  readonly deadline: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  readonly onAbort: (() => void) | undefined;
  /** The caller has its answer, though the hub may still owe one. */
  settled: boolean;
}

/** What the library knows of a sender but does not declare. */
interface SenderCounters {
  readonly credit: number;
  /** How many messages have left. */
  readonly delivery_count: number;
}

/**
 * The sending link of one connection. Messages wait here, in order, for the connection, for the hub's token reply and for
 * link credit; then for the hub's verdict.
 */
export class C2dSender {
  readonly #connection: HubConnection;
  readonly #waiting: Set<PendingSend> = new Set();
  readonly #inFlight: Map<number, PendingSend> = new Map();
  #link: Sender & SenderCounters | undefined;
  #handedOver = 0;
  #retired = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerDue = Infinity;

  constructor(settings: AmqpSettings, options: { operation: string; forceRefresh: boolean }) {
    this.#connection = new HubConnection(settings, {
      ready: (connection) => this.#ready(connection, settings.userAgent),
      ended: (failure) => this.#ended(failure),
    }, options);
  }

  /** Whether more messages can be given to this sender. */
  get usable(): boolean {
    return !this.#retired && this.#connection.failure === undefined;
  }

  /** Whether the hub refused the token, so that the next connection had better bring a new one. */
  get tokenRefused(): boolean {
    return this.#connection.failure?.facts.statusCode === 401;
  }

  /** Sends an encoded message; resolves when the hub has accepted it. */
  send(payload: AmqpBytes, options: SendOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const { failure } = this.#connection;
      if (failure !== undefined) return reject(failure.toError(options.operation));
      const { abortSignal, timeoutInMs } = options;
      const onAbort = abortSignal === undefined ? undefined : () => this.#leave(pending, abortSignal.reason);
      const deadline = performance.now() + timeoutInMs;
      const pending: PendingSend = { payload, options, deadline, resolve, reject, onAbort, settled: false };
      if (onAbort !== undefined) abortSignal!.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(pending);
      this.#watch(deadline);
      this.#flush();
    });
  }

  /** Fails what is pending, and closes the connection. */
  async close(failure: AmqpFailure): Promise<void> {
    this.#connection.end(failure);
    await this.#connection.closed;
  }

  /** Settles when the connection is gone, for whatever reason. */
  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  #ready(connection: Connection, userAgent: string): void {
    this.#link ??= this.#attach(connection, userAgent);
    this.#flush();
  }

  #attach(connection: Connection, userAgent: string): Sender & SenderCounters {
    const options = {
      target: { address: ADDRESS },
      ...(userAgent === "" ? {} : { properties: { "com.microsoft:client-version": userAgent } }),
      treat_modified_as_released: false,
    };
    const link = connection.open_sender(options) as Sender & SenderCounters;
    link.on("sendable", () => this.#flush());
    link.on("accepted", ({ delivery }: EventContext) => this.#answered(delivery!, () => undefined));
    link.on("rejected", ({ delivery }: EventContext) => {
      const error = delivery!.remote_state?.error;
      const { secrets } = this.#connection;
      this.#answered(delivery!, () => failureOfCondition(error, "the hub rejected the message", secrets));
    });
    for (const outcome of ["released", "modified", "settled"]) {
      // "settled" follows each of the others, and means something only where none went before.
      link.on(outcome, ({ delivery }: EventContext) => this.#answered(delivery!, () => notAccepted(outcome)));
    }
    return link;
  }

  /** Hands over as much as the hub's credit and the library's buffer allow. */
  #flush(): void {
    const link = this.#link;
    if (link === undefined || this.#waiting.size === 0 || !this.#connection.isAuthorized()) return;
    for (const pending of this.#waiting) {
      // What was handed over in this turn has not been taken off the credit yet.
      const onItsWay = this.#handedOver - link.delivery_count;
      if (link.credit <= onItsWay || this.#inFlight.size >= MAX_IN_FLIGHT) return;
      this.#waiting.delete(pending);
      this.#inFlight.set(link.send(pending.payload, deliveryTag(this.#handedOver++), 0).id, pending);
    }
  }

  #answered(delivery: Delivery, failure: () => AmqpFailure | undefined): void {
    const pending = this.#inFlight.get(delivery.id);
    if (pending === undefined) return;
    this.#inFlight.delete(delivery.id);
    // A hub that leaves the last word to the sender gets it; else the delivery would stay in the library's buffer.
    if (!delivery.remote_settled) delivery.update(true);
    this.#settle(pending, failure()?.toError(pending.options.operation));
    if (this.#waiting.size > 0) this.#flush();
    else this.#leaveIfDone();
  }

  /** The caller no longer waits. A message that is on the wire keeps its place until the hub has answered. */
  #leave(pending: PendingSend, reason: unknown): void {
    this.#waiting.delete(pending);
    this.#settle(pending, reason);
    this.#leaveIfDone();
  }

  #settle(pending: PendingSend, reason?: unknown): void {
    if (pending.settled) return;
    pending.settled = true;
    if (pending.onAbort !== undefined) pending.options.abortSignal!.removeEventListener("abort", pending.onAbort);
    if (reason === undefined) pending.resolve();
    else pending.reject(reason);
  }

  #ended(failure: AmqpFailure): void {
    clearTimeout(this.#timer);
    const pending = [...this.#inFlight.values(), ...this.#waiting];
    this.#inFlight.clear();
    this.#waiting.clear();
    for (const send of pending) this.#settle(send, failure.toError(send.options.operation));
  }

  /** An opening that nobody waits for, and a retired connection with nothing in flight, are closed. */
  #leaveIfDone(): void {
    if (this.#waiting.size > 0 || this.#inFlight.size > 0) return;
    if (this.#link === undefined || this.#retired) this.#connection.end(closedUnused());
  }

  /** One timer for all: it is set for the earliest deadline, and looks at every send when it fires. */
  #watch(deadline: number): void {
    if (deadline >= this.#timerDue) return;
    clearTimeout(this.#timer);
    this.#timerDue = deadline;
    this.#timer = setTimeout(() => this.#sweep(), Math.max(0, deadline - performance.now()));
  }

  #sweep(): void {
    this.#timerDue = Infinity;
    const now = performance.now();
    let next = Infinity;
    for (const pending of this.#waiting) {
      if (pending.deadline > now) next = Math.min(next, pending.deadline);
      else {
        this.#waiting.delete(pending);
        const phase = this.#link === undefined
          ? "the AMQP connection was not ready"
          : "the hub granted no credit to send";
        this.#settle(pending, timedOut(pending, phase));
      }
    }
    for (const [id, pending] of this.#inFlight) {
      if (pending.deadline > now) next = Math.min(next, pending.deadline);
      else {
        // Its answer is lost or very late, and its place in the library's buffer with it: start afresh.
        this.#retired = true;
        this.#inFlight.delete(id);
        this.#settle(pending, timedOut(pending, "the hub gave no verdict, so that it may or may not have the message"));
      }
    }
    if (next < Infinity) this.#watch(next);
    this.#leaveIfDone();
  }
}

function timedOut({ options }: PendingSend, phase: string): IoTHubError {
  const { operation, timeoutInMs } = options;
  return new IoTHubError(`Cannot complete ${operation} within ${timeoutInMs} ms: ${phase}`, {
    code: "Timeout",
    operation,
    retryable: true,
  });
}

function notAccepted(outcome: string): AmqpFailure {
  return new AmqpFailure(`the hub did not take the message (${outcome})`, {
    code: "MessageNotAccepted",
    retryable: true,
  });
}

function closedUnused(): AmqpFailure {
  return new AmqpFailure("the AMQP connection was closed", { code: "NetworkError", retryable: true });
}
