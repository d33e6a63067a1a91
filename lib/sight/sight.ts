import type { FailedCall } from "../errors/failures.ts";
import type { ClientEventContent, ClientEventListener } from "./client_event.ts";
import type { Spans } from "./spans.ts";
import { type CallTeller, WatchedCall } from "./watched_call.ts";

/** A call that may be watched, with the facts of its method. */
export interface SeenCall extends FailedCall {
  readonly facts: { readonly noun: string };
  /** The address to which it sends a message, if that is what it does. */
  readonly destination?: string;
}

/** Tells whoever asked for it what a client does: a function, a tracer or both. Where nobody did, there is none. */
export class Sight implements CallTeller {
  readonly #onEvent: ClientEventListener | undefined;
  readonly #spans: Spans | undefined;
  #calls = 0;
  #connections = 0;

  constructor(onEvent: ClientEventListener | undefined, spans: Spans | undefined) {
    this.#onEvent = onEvent;
    this.#spans = spans;
  }

  /** Tells of an event. It never throws, and waits for nothing. */
  tell(content: ClientEventContent): void {
    const event = { timeUtc: new Date(), ...content };
    ignoreFailure(() => this.#spans?.follow(event));
    ignoreFailure(() => this.#onEvent?.(event));
  }

  /** Returns what goes with a request or message, so that spans elsewhere can belong to the call's. */
  contextOf(callId: number): Record<string, string> | undefined {
    return ignoreFailure(() => this.#spans?.contextOf(callId));
  }

  /** Returns the number of a new connection. */
  numberConnection(): number {
    return ++this.#connections;
  }

  /** Does the work of a call, and tells when it begins and how it ends. */
  watch<T>(call: SeenCall, protocol: "amqp" | "http", work: (watched: WatchedCall) => Promise<T>): Promise<T> {
    const { operation, facts: { noun }, destination } = call;
    const callId = ++this.#calls;
    const run = async (): Promise<T> => {
      const watched = new WatchedCall(this, call, callId);
      watched.begin(protocol, noun);
      try {
        const result = await work(watched);
        watched.end();
        return result;
      } catch (error) {
        watched.end(error);
        throw error;
      }
    };
    return this.#spans === undefined ? run() : this.#spans.run({ callId, noun, operation, destination }, run);
  }
}

/** Does what may fail for reasons of its own, which are nobody else's concern. A rejection could even end the process. */
function ignoreFailure<T>(act: () => T): T | undefined {
  try {
    const result = act();
    // Promises may be of another kind than this module's.
    (result as PromiseLike<unknown> | undefined)?.then?.(undefined, () => {});
    return result;
  } catch {
    return undefined;
  }
}
