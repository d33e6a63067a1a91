import type { FaultListeners } from "./fault_listeners.ts";

/** What the hub does by itself, with no caller who waits for it, such as a job. */
export class BackgroundWork {
  readonly #faults: FaultListeners;
  readonly #running = new Set<Promise<void>>();

  constructor(faults: FaultListeners) {
    this.#faults = faults;
  }

  /** Starts some work. What it throws is reported. */
  start(work: () => Promise<void>): void {
    const running = work().catch((error) => void this.#faults.report(error)).then(() => {
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  /** Whether some work is not done. */
  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  /** Waits until all work is done, that which is started meanwhile included. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}

/** Lets everything else have its turn, as long work must now and then. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
