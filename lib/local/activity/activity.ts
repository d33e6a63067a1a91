import type { FaultListeners } from "../fault_listeners.ts";
import { HubFault } from "../hub_fault.ts";
import { readClock } from "../hub_time.ts";
import { ListenerSet } from "../listener_set.ts";
import type { LocalHubEvent, LocalHubEventListener, LocalHubOutcome, LocalHubProtocol } from "./hub_event.ts";

/** An event without what every event has. */
export type HubEventContent = WithoutTime<LocalHubEvent>;

type WithoutTime<T> = T extends unknown ? Omit<T, "timeUtc"> : never;

/**
 * Tells whoever wants to know what the hub does. Listeners are called once the hub is done with what it is at, so that
 * what they do cannot come in between; in the order in which things have happened.
 */
export class Activity {
  readonly #now: () => number;
  readonly #faults: FaultListeners;
  readonly #listeners = new ListenerSet<LocalHubEvent>();
  #untold: LocalHubEvent[] = [];

  constructor(now: () => number, faults: FaultListeners) {
    this.#now = now;
    this.#faults = faults;
  }

  /** Whether somebody wants to know. */
  get isWatched(): boolean {
    return !this.#listeners.isEmpty;
  }

  /** Adds a listener. @returns A function that removes it. */
  add(listener: LocalHubEventListener): () => void {
    return this.#listeners.add(listener);
  }

  /** Tells of an event, which is made only if somebody wants to know. */
  tell(makeEvent: () => HubEventContent): void {
    if (!this.isWatched) return;
    this.#untold.push({ timeUtc: new Date(readClock(this.#now)), ...makeEvent() });
    if (this.#untold.length === 1) queueMicrotask(() => this.#tellAll());
  }

  /**
   * Does some work, and tells how it has gone.
   *
   * @param work Passes its result on, or what it throws.
   * @param makeEvent Is given the outcome, and the result if there is one.
   */
  observe<T>(work: () => T, makeEvent: (outcome: LocalHubOutcome, result?: T) => HubEventContent): T {
    if (!this.isWatched) return work();
    const started = performance.now();
    try {
      const result = work();
      this.tell(() => makeEvent(outcomeOf(started), result));
      return result;
    } catch (error) {
      this.tell(() => makeEvent(outcomeOf(started, { error })));
      throw error;
    }
  }

  /** Tells that somebody was not let in. */
  refuse(protocol: LocalHubProtocol, { code, message }: HubFault): void {
    this.tell(() => ({ kind: "refusedSignIn", protocol, errorCode: code, reason: message }));
  }

  #tellAll(): void {
    for (const event of this.#untold.splice(0)) {
      this.#listeners.tell(event, (error) => void this.#faults.report(error));
    }
  }
}

/**
 * Says how something has gone.
 *
 * @param started When it began, by `performance.now()`.
 * @param failure What it has thrown, and the signal of a caller who may not have waited for the end.
 */
export function outcomeOf(
  started: number,
  failure?: { readonly error: unknown; readonly signal?: AbortSignal },
): LocalHubOutcome {
  const durationInMs = performance.now() - started;
  if (failure === undefined) return { status: 200, errorCode: undefined, durationInMs };
  const { error, signal } = failure;
  if (error instanceof HubFault) return { status: error.status, errorCode: error.code, durationInMs };
  if (signal?.aborted) return { status: 499, errorCode: "ClientClosedRequest", durationInMs };
  return { status: 500, errorCode: "ServerError", durationInMs };
}
