import type { FleetSource } from "./fleet_options.ts";
import type { Waits } from "./waits.ts";

/** How long entries wait for more to fill a request with, if the source is slow. */
const LINGER_IN_MS = 50;

/** Reads a source in parts. */
export class SourceReader<T> {
  readonly #iterator: Iterator<T> | AsyncIterator<T>;
  readonly #waits: Waits;
  /** What was read and not given yet, and how much of it is wanted. */
  #items: T[] = [];
  #wanted = 0;
  /** Whether somebody waits for a slow source, and takes whatever there is. */
  #wantsAny = false;
  #isReading = false;
  #isAtEnd = false;
  #isStopped = false;
  #failure: { readonly reason: unknown } | undefined;
  /** Ends the wait for entries. */
  #wake: (() => void) | undefined;

  constructor(source: FleetSource<T>, waits: Waits) {
    this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    this.#waits = waits;
  }

  /**
   * Reads up to `count` entries; fewer if the source ends, or is slow and `isExact` is false. `onSlow` is called when it
   * takes long.
   */
  async read(count: number, isExact: boolean, onSlow: () => void): Promise<T[]> {
    this.#wanted = count;
    if (!this.#isReading) this.#fill();
    if (this.#mustWait()) await this.#wait(LINGER_IN_MS);
    if (this.#mustWait()) {
      onSlow();
      this.#wantsAny = true;
      while (this.#mustWait() && (isExact || this.#items.length === 0)) {
        await this.#waits.during("source", this.#wait());
      }
      this.#wantsAny = false;
    }
    // What came before the source broke is not lost.
    if (this.#items.length === 0 && this.#failure !== undefined) throw this.#failure.reason;
    this.#wanted = 0;
    const items = this.#items;
    this.#items = [];
    return items;
  }

  /** Ends the wait for an entry, if there is one. */
  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }

  /** Tells the source that nothing more is wanted of it. */
  async close(): Promise<void> {
    if (this.#isAtEnd) return;
    this.#isAtEnd = true;
    const ended = this.#iterator.return?.();
    // A generator that is about to give an entry ends after that. It is not waited for, since it may wait for ever.
    if (!this.#isReading) await ended;
    else Promise.resolve(ended).catch(() => {});
  }

  #mustWait(): boolean {
    return this.#isReading && this.#items.length < this.#wanted && !this.#isStopped;
  }

  /** Waits until there is what was wanted, or one entry more after a while, or for a time only. */
  #wait(timeInMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeInMs === undefined ? undefined : setTimeout(resolve, timeInMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Reads as many entries as are wanted, on its own, so that a slow source holds up nobody. It never rejects. */
  async #fill(): Promise<void> {
    this.#isReading = true;
    try {
      while (this.#items.length < this.#wanted && !this.#isAtEnd) {
        const answer = this.#iterator.next();
        // Not every promise is an instance of this realm's `Promise`.
        const result = "then" in answer ? await answer : answer;
        if (result.done === true) this.#isAtEnd = true;
        else this.#items.push(result.value);
        if (this.#wantsAny) this.#wake?.();
      }
    } catch (error) {
      this.#isAtEnd = true;
      this.#failure = { reason: error };
    }
    this.#isReading = false;
    this.#wake?.();
  }
}
