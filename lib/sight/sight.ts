import type { FailedCall } from "../errors/failures.ts";
import type { ClientEventContent, ClientEventListener } from "./client_event.ts";
import { WatchedCall } from "./watched_call.ts";

/** A call that may be watched, with the facts of its method. */
export interface SeenCall extends FailedCall {
  readonly facts: { readonly noun: string };
}

/** Tells whoever asked for it what a client does. Where nobody did, there is none. */
export class Sight {
  readonly #onEvent: ClientEventListener;
  #calls = 0;
  #connections = 0;

  constructor(onEvent: ClientEventListener) {
    this.#onEvent = onEvent;
  }

  /** Tells of an event. It never throws, and waits for nothing. */
  tell(content: ClientEventContent): void {
    try {
      const result = this.#onEvent({ timeUtc: new Date(), ...content });
      // A rejection that nobody handles could end the process.
      if (result instanceof Promise) result.catch(() => {});
    } catch {
      // The listener's failure is its own. The call goes on.
    }
  }

  /** Returns the number of a new connection. */
  numberConnection(): number {
    return ++this.#connections;
  }

  /** Does the work of a call, and tells when it begins and how it ends. */
  async watch<T>(call: SeenCall, protocol: "amqp" | "http", work: (watched: WatchedCall) => Promise<T>): Promise<T> {
    const watched = new WatchedCall((event) => this.tell(event), call, ++this.#calls);
    watched.begin(protocol, call.facts.noun);
    try {
      const result = await work(watched);
      watched.end();
      return result;
    } catch (error) {
      watched.end(error);
      throw error;
    }
  }
}
