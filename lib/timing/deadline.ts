import { checkNumber, wrongType } from "../values/checks.ts";

/** setTimeout counts in 32 bits; a longer wait would end at once. */
const MAX_TIMEOUT_IN_MS = 2 ** 31 - 1;

/** Throws unless `timeoutInMs` is a time-out a timer can keep. */
export function checkTimeout(timeoutInMs: unknown, name: string = "timeoutInMs"): void {
  checkNumber(
    name,
    timeoutInMs,
    (time) => time > 0 && time <= MAX_TIMEOUT_IN_MS,
    `over 0 and at most ${MAX_TIMEOUT_IN_MS}`,
  );
}

/** Throws unless `signal` is an AbortSignal, be it one of another realm or of a polyfill. */
export function checkAbortSignal(signal: unknown): void {
  const { aborted, addEventListener } = (signal ?? {}) as Partial<AbortSignal>;
  if (typeof aborted !== "boolean" || typeof addEventListener !== "function") {
    throw wrongType("abortSignal", "an AbortSignal", signal);
  }
}

/**
 * The end of one call: its time-out or its caller's signal, whichever comes first. {@linkcode Deadlines} starts it.
 */
export class Deadline {
  /** When the time is up, on the clock of `performance.now`. */
  readonly due: number;
  readonly #outer: AbortSignal | undefined;
  readonly #follow: (() => void) | undefined;
  #controller: AbortController | undefined;
  #onEnd: ((reason: unknown) => void) | undefined;
  #reason: unknown;
  #hasEnded = false;
  #hasExpired = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeoutInMs: number, outer: AbortSignal | undefined) {
    this.due = performance.now() + timeoutInMs;
    if (outer === undefined) return;
    this.#outer = outer;
    this.#follow = () => this.end(outer.reason);
    if (outer.aborted) this.#follow();
    else outer.addEventListener("abort", this.#follow);
  }

  /** Fires at the end. Not made before it is wanted, since a signal is a tenth of what a call costs on Node. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#hasEnded) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Whether the time-out was what ended the call. */
  get hasExpired(): boolean {
    return this.#hasExpired;
  }

  /** Has `listener` called at the end, which may be now, instead of the one before; `undefined` for none. */
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

  /** Waits for a promise that knows nothing of this deadline; rejects with the reason if that ends first. */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      // Listened to in any case, since a promise that nobody listens to must not fail.
      promise.then(resolve, reject);
      this.listen(reject);
    });
  }

  /** Waits for some time; rejects with the reason if the call ends first. */
  sleep(timeInMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, timeInMs);
      this.listen((reason) => {
        clearTimeout(timer);
        reject(reason);
      });
    });
  }

  /** Expires by a timer of its own, instead of one that all deadlines share. */
  setOwnTimer(): void {
    const remaining = this.due - performance.now();
    if (remaining < Infinity) this.#timer = setTimeout(() => this.expire(), Math.max(0, remaining));
  }

  /** Releases the caller's signal, and the timer. */
  release(): void {
    clearTimeout(this.#timer);
    if (this.#follow !== undefined) this.#outer!.removeEventListener("abort", this.#follow);
  }
}

/**
 * The deadlines of all calls under way. They share one timer, since to set one and clear it again is a good part of what a call
 * costs on some runtimes. It is set for the earliest of them, and never without a call. On Workers each has its own.
 */
export class Deadlines {
  /** On Workers a timer ends with the request that set it, so that calls of several requests cannot share one. */
  readonly #timersBelongToRequests: boolean = globalThis.navigator?.userAgent === "Cloudflare-Workers";
  /** The deadlines, each with the one whose call it is. */
  readonly #running = new Map<Deadline, unknown>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerDue = Infinity;

  /** Starts the clock of one call, which must be given to {@linkcode Deadlines.stop} at the call's end. */
  start(timeoutInMs: number, outer: AbortSignal | undefined, caller?: unknown): Deadline {
    const deadline = new Deadline(timeoutInMs, outer);
    this.#running.set(deadline, caller);
    if (this.#timersBelongToRequests) deadline.setOwnTimer();
    else if (deadline.due < this.#timerDue) this.#setTimer(deadline.due);
    return deadline;
  }

  /** Releases what a deadline holds. */
  stop(deadline: Deadline): void {
    deadline.release();
    this.#running.delete(deadline);
    if (this.#running.size === 0) this.#setTimer(Infinity);
  }

  /** Ends all calls now, or those of one caller. */
  endAll(caller?: unknown): void {
    const reason = new DOMException("The call was given up", "AbortError");
    for (const [deadline, owner] of this.#running) {
      if (caller === undefined || owner === caller) deadline.end(reason);
    }
  }

  #setTimer(due: number): void {
    clearTimeout(this.#timer);
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
