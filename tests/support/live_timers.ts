type Timer = ReturnType<typeof setTimeout>;

/** Keeps count of the timers that are set while it is in place, and hurries those that a test need not wait for. */
export class LiveTimers {
  readonly #setTimeout = globalThis.setTimeout;
  readonly #clearTimeout = globalThis.clearTimeout;
  readonly #live = new Set<Timer>();

  /** `isSkipped` is asked for each new timer's delay; what it says yes to fires at once. */
  constructor(isSkipped: (delayInMs: number) => boolean = () => false) {
    const set = (handler: () => void, delayInMs: number = 0): Timer => {
      const timer = this.#setTimeout(() => {
        this.#live.delete(timer);
        handler();
      }, isSkipped(delayInMs) ? 0 : delayInMs);
      this.#live.add(timer);
      return timer;
    };
    const clear = (timer: Timer | undefined): void => {
      if (timer !== undefined) this.#live.delete(timer);
      this.#clearTimeout(timer);
    };
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
  }

  /** How many timers have been set and have neither fired nor been cleared. */
  get count(): number {
    return this.#live.size;
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, { setTimeout: this.#setTimeout, clearTimeout: this.#clearTimeout });
  }
}
