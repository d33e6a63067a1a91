import { follow, unfollow } from "./abort_listeners.ts";
import { keepAlive } from "./keep_alive.ts";
import { checkNumber, wrongType } from "../values/checks.ts";

/** `setTimeout` counts in 32 bits. With a longer delay it would fire at once. */
const MAX_TIMEOUT_IN_MS = 2 ** 31 - 1;

/** Throws unless `timeoutInMs` is a time-out for which a timer can be set. */
export function checkTimeout(timeoutInMs: unknown, name: string = "timeoutInMs"): void {
  checkNumber(
    name,
    timeoutInMs,
    (time) => time > 0 && time <= MAX_TIMEOUT_IN_MS,
    `over 0 and at most ${MAX_TIMEOUT_IN_MS}`,
  );
}

/** Throws unless `signal` is an AbortSignal, which may come from another realm or a polyfill. */
export function checkAbortSignal(signal: unknown): void {
  const { aborted, addEventListener } = (signal ?? {}) as Partial<AbortSignal>;
  if (typeof aborted !== "boolean" || typeof addEventListener !== "function") {
    throw wrongType("abortSignal", "an AbortSignal", signal);
  }
}

/** Why a signal was aborted, or what is said where there is no reason: the signal of a polyfill may have none. */
export function abortReason(signal?: AbortSignal): unknown {
  return signal?.reason ?? new DOMException("The call was aborted", "AbortError");
}

/** Throws the reason of a signal that was aborted. (Older signals have no `throwIfAborted`.) */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortReason(signal);
}

/**
 * The deadline of one call: its time-out or its caller's signal, whichever comes first. {@linkcode Deadlines} starts it.
 */
export class Deadline {
  /** When the time is up, as a value of `performance.now`. */
  readonly due: number;
  readonly #outer: AbortSignal | undefined;
  readonly #follow: (() => void) | undefined;
  #controller: AbortController | undefined;
  #onEnd: ((reason: unknown) => void) | undefined;
  #reason: unknown;
  #hasEnded = false;
  #hasExpired = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Callers often know the time already, which is dear on Deno, so they say when it is up and not in how long. */
  constructor(due: number, outer: AbortSignal | undefined) {
    this.due = due;
    if (outer === undefined) return;
    this.#outer = outer;
    this.#follow = () => this.end(abortReason(outer));
    if (outer.aborted) this.#follow();
    else follow(outer, this.#follow);
  }

  /** Fires when the call ends. It is created on first use, since a signal is a tenth of what a call costs on Node. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#hasEnded) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Whether the time-out has ended the call. */
  get hasExpired(): boolean {
    return this.#hasExpired;
  }

  /**
   * Sets the one listener that is called when the call ends. If it has ended already, the listener is called at once.
   * `undefined` removes the listener.
   */
  listen(listener: ((reason: unknown) => void) | undefined): void {
    this.#onEnd = listener;
    if (this.#hasEnded) listener?.(this.#reason);
  }

  /** Ends the call now. */
  end(reason: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.#onEnd?.(reason);
  }

  /** Ends the call because its time is up. */
  expire(): void {
    this.#hasExpired = true;
    this.end(new DOMException("The call's time is up", "TimeoutError"));
  }

  /** Waits for a promise that does not depend on this deadline. Rejects with the deadline's reason if that ends first. */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      // This comes first in any case, since a rejection that nobody handles could end the process.
      promise.then(resolve, reject);
      this.listen(reject);
    });
  }

  /** Waits for the given time. Rejects with the deadline's reason if the call ends first. */
  sleep(timeInMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, timeInMs);
      this.listen((reason) => {
        clearTimeout(timer);
        reject(reason);
      });
    });
  }

  /** Sets a timer for this deadline alone, in place of the one that all deadlines share. */
  setOwnTimer(): void {
    const remaining = this.due - performance.now();
    if (remaining < Infinity) this.#timer = setTimeout(() => this.expire(), Math.max(0, remaining));
  }

  /** Stops listening to the caller's signal, and clears the timer. */
  release(): void {
    clearTimeout(this.#timer);
    if (this.#follow !== undefined) unfollow(this.#outer!, this.#follow);
  }
}

/**
 * The deadlines of all calls in progress. They share one timer, since setting and clearing a timer for each would be a
 * good part of what a call costs on some runtimes. The timer is set for the earliest deadline. It stays when no call is in
 * progress, for the next one, but lets the process end then. On Workers each deadline has its own timer.
 */
export class Deadlines {
  /** On Workers a timer ends with the request that set it, so calls of several requests cannot share one. */
  readonly #timersBelongToRequests: boolean = globalThis.navigator?.userAgent === "Cloudflare-Workers";
  /** The deadlines, each with its caller. */
  readonly #running = new Map<Deadline, unknown>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerDue = Infinity;

  /** Starts the deadline of a call. It must be passed to {@linkcode Deadlines.stop} when the call is done. */
  start(due: number, outer: AbortSignal | undefined, caller?: unknown): Deadline {
    const deadline = new Deadline(due, outer);
    if (this.#timersBelongToRequests) deadline.setOwnTimer();
    else if (due < this.#timerDue) this.#setTimer(due);
    else if (this.#running.size === 0) this.#keepAlive(true);
    this.#running.set(deadline, caller);
    return deadline;
  }

  /** Stops a deadline and releases its resources. */
  stop(deadline: Deadline): void {
    deadline.release();
    this.#running.delete(deadline);
    if (this.#running.size === 0) this.#keepAlive(false);
  }

  /** Clears the timer. To be called when there will be no more calls. */
  close(): void {
    this.#setTimer(Infinity);
  }

  /** Ends all calls now, or those of one caller. */
  endAll(caller?: unknown, reason: unknown = abortReason()): void {
    for (const [deadline, owner] of this.#running) {
      if (caller === undefined || owner === caller) deadline.end(reason);
    }
  }

  #keepAlive(isWanted: boolean): void {
    if (this.#timer !== undefined) keepAlive(this.#timer, isWanted);
  }

  #setTimer(due: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerDue = due;
    if (due < Infinity) this.#timer = setTimeout(() => this.#sweep(), Math.max(0, due - performance.now()));
  }

  #sweep(): void {
    // A timer may fire a little early.
    const now = Math.max(performance.now(), this.#timerDue);
    let next = Infinity;
    for (const deadline of this.#running.keys()) {
      if (deadline.due <= now) deadline.expire();
      else next = Math.min(next, deadline.due);
    }
    this.#setTimer(next);
  }
}
