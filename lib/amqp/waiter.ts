import { follow, unfollow } from "../timing/abort_listeners.ts";
import { abortReason } from "../timing/deadline.ts";

interface WaitingCall<T> {
  resolve(value: T | undefined): void;
  reject(reason: unknown): void;
}

/** The one call that waits for a message, for a limited time; and the end, after which there will be none. */
export class Waiter<T> {
  /** Resolves at the end. */
  readonly closed: Promise<void>;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  readonly #onEnd: () => void;
  #onClosed = (): void => {};
  #ended: { readonly reason: unknown } | undefined;
  #current: WaitingCall<T> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `signal` ends it, and `onEnd` is called at the end. */
  constructor(signal: AbortSignal | undefined, onEnd: () => void) {
    this.closed = new Promise((resolve) => this.#onClosed = resolve);
    this.#onEnd = onEnd;
    this.#signal = signal;
    this.#onAbort = () => this.end(abortReason(signal));
    if (signal !== undefined) follow(signal, this.#onAbort);
  }

  /** Why there will be no more messages, if it has ended. */
  get ended(): { readonly reason: unknown } | undefined {
    return this.#ended;
  }

  /** Whether a call is waiting. */
  get isThere(): boolean {
    return this.#current !== undefined;
  }

  /** Begins to wait. `onLate` is called when the time is up. */
  wait(maxWaitInMs: number, onLate: () => void): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#current = { resolve, reject };
      this.#timer = maxWaitInMs === Infinity ? undefined : setTimeout(onLate, maxWaitInMs);
    });
  }

  /** Ends the wait with a value, `undefined` for none. Returns whether a call was waiting. */
  answer(value: T | undefined): boolean {
    const waiter = this.#take();
    waiter?.resolve(value);
    return waiter !== undefined;
  }

  /** Ends it for good, and the wait with an error. */
  end(reason: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason };
    if (this.#signal !== undefined) unfollow(this.#signal, this.#onAbort);
    this.#take()?.reject(reason);
    this.#onEnd();
    this.#onClosed();
  }

  #take(): WaitingCall<T> | undefined {
    const waiter = this.#current;
    this.#current = undefined;
    clearTimeout(this.#timer);
    return waiter;
  }
}
