import { IoTHubError } from "../errors/errors.ts";
import { type FailedCall, idsOf } from "../errors/failures.ts";
import type {
  ClientCallAnsweredEvent,
  ClientCallSentEvent,
  ClientEventContent,
  ClientEventFailure,
} from "./client_event.ts";

/** Is told of calls. */
export interface CallTeller {
  tell(event: ClientEventContent): void;
  /** Returns what goes with a request or message, if anything does. */
  contextOf(callId: number): Record<string, string> | undefined;
}

/** One call, of which each step is told. */
export class WatchedCall {
  readonly #teller: CallTeller;
  readonly #base: FailedCall & { readonly callId: number };
  readonly #began: number = performance.now();
  #at: number = this.#began;
  #attempt = 0;

  constructor(teller: CallTeller, call: FailedCall, callId: number) {
    this.#teller = teller;
    this.#base = { callId, operation: call.operation, ...idsOf(call) };
  }

  begin(protocol: "amqp" | "http", noun: string): void {
    this.#teller.tell({ kind: "callBegun", ...this.#base, noun, protocol });
  }

  /** It waits to be repeated after an error, or for its turn. */
  waits(after?: { readonly error: unknown; readonly waitInMs: number }): void {
    if (after === undefined) return this.#teller.tell({ kind: "callWaiting", ...this.#base, reason: "limit" });
    const { error, waitInMs } = after;
    const reason = error instanceof IoTHubError && error.statusCode === 429 ? "throttle" : "retry";
    this.#teller.tell({ kind: "callWaiting", ...this.#base, reason, waitInMs, ...failureFacts(error) });
  }

  /** It is being sent, for the first time or again. */
  sent(what: Pick<ClientCallSentEvent, "method" | "url" | "route" | "messageId">): void {
    const waitedInMs = this.#passed();
    this.#teller.tell({ kind: "callSent", ...this.#base, attempt: ++this.#attempt, waitedInMs, ...what });
  }

  /** What goes with the request or message, as headers or properties. */
  get context(): Record<string, string> | undefined {
    return this.#teller.contextOf(this.#base.callId);
  }

  /** There is an answer to what was sent last. */
  answered(what: Pick<ClientCallAnsweredEvent, "status" | "requestId"> | { readonly error: unknown }): void {
    const facts = "error" in what ? failureFacts(what.error) : what;
    const durationInMs = this.#passed();
    this.#teller.tell({ kind: "callAnswered", ...this.#base, attempt: this.#attempt, durationInMs, ...facts });
  }

  /** It is over; well, unless there is an error. */
  end(error?: unknown): void {
    const durationInMs = performance.now() - this.#began;
    const facts = error === undefined ? {} : failureFacts(error);
    this.#teller.tell({ kind: "callEnded", ...this.#base, attempts: this.#attempt, durationInMs, ...facts });
  }

  /** Returns how much time has passed since this was asked last, or since the call began. */
  #passed(): number {
    const before = this.#at;
    this.#at = performance.now();
    return this.#at - before;
  }
}

/** The reason of a signal is the caller's own, and may hold anything. */
function failureFacts(error: unknown): Partial<ClientEventFailure> {
  return error instanceof IoTHubError ? { errorCode: error.code, message: error.message } : { errorCode: "Aborted" };
}
