import type { FaultListeners } from "./fault_listeners.ts";

/** In so many turns without a step of its own, work waits for something else. */
const QUIET_TURNS = 5;

/** What the hub does by itself, with no caller who waits for it, such as a job. */
export class BackgroundWork {
  readonly #faults: FaultListeners;
  readonly #running = new Set<Promise<void>>();
  /** How many turns work has let others have. */
  #turns = 0;

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

  /** Lets everything else have its turn, as long work must now and then. */
  async nextTurn(): Promise<void> {
    this.#turns++;
    await nextTurn();
  }

  /** Waits until all work is done, or goes on no more without something else: a device, or the clock. */
  async rested(): Promise<void> {
    for (let quiet = 0; this.isBusy && quiet < QUIET_TURNS; quiet++) {
      const turns = this.#turns;
      await nextTurn();
      if (turns !== this.#turns) quiet = 0;
    }
  }

  /** Waits until all work is done, that which is started meanwhile included. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}

/** Lets everything else have its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
