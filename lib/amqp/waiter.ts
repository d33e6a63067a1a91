interface WaitingCall<T> {
  resolve(value: T | undefined): void;
  reject(reason: unknown): void;
}

/** The one call that waits for a message, for a limited time. */
export class Waiter<T> {
  #current: WaitingCall<T> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

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

  /** Ends the wait with an error. */
  fail(reason: unknown): void {
    this.#take()?.reject(reason);
  }

  #take(): WaitingCall<T> | undefined {
    const waiter = this.#current;
    this.#current = undefined;
    clearTimeout(this.#timer);
    return waiter;
  }
}
