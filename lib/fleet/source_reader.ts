import type { FleetSource } from "./fleet_options.ts";
import type { Waits } from "./waits.ts";

/** How long entries wait for more to fill a request with, if the source is slow. */
const LINGER_IN_MS = 50;

const SLOW: unique symbol = Symbol();

/** Reads a source in parts. */
export class SourceReader<T> {
  readonly #iterator: Iterator<T> | AsyncIterator<T>;
  readonly #waits: Waits;
  /** The entry that was asked for and has not come. */
  #pending: Promise<IteratorResult<T>> | undefined;
  #isAtEnd = false;
  #isStopped = false;
  /** Ends the wait for an entry. */
  #interrupt: (() => void) | undefined;

  constructor(source: FleetSource<T>, waits: Waits) {
    this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    this.#waits = waits;
  }

  /**
   * Reads up to `count` entries; fewer if the source ends, or is slow and `isExact` is false. `onSlow` is called when it
   * takes long.
   */
  async read(count: number, isExact: boolean, onSlow: () => void): Promise<T[]> {
    const items: T[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    let linger: Promise<typeof SLOW> | undefined;
    let isSlow = false;
    try {
      while (items.length < count && !this.#isAtEnd) {
        const answer = this.#pending ?? this.#iterator.next();
        if (!(answer instanceof Promise)) {
          this.#take(answer as IteratorResult<T>, items);
          continue;
        }
        this.#pending = answer;
        linger ??= new Promise((resolve) => timer = setTimeout(resolve, LINGER_IN_MS, SLOW));
        let result: IteratorResult<T> | typeof SLOW = isSlow ? SLOW : await Promise.race([answer, linger]);
        if (result === SLOW) {
          isSlow = true;
          onSlow();
          if (items.length > 0 && !isExact) break;
          const entry = await this.#waits.during("source", this.#unlessStopped(answer));
          if (entry === undefined) break;
          result = entry;
        }
        this.#pending = undefined;
        this.#take(result, items);
      }
    } finally {
      clearTimeout(timer);
    }
    return items;
  }

  /** Ends the wait for an entry, if there is one. */
  stop(): void {
    this.#isStopped = true;
    this.#interrupt?.();
  }

  /** Tells the source that nothing more is wanted of it. */
  async close(): Promise<void> {
    if (this.#isAtEnd) return;
    this.#isAtEnd = true;
    // A generator that is about to give an entry ends after that. It is not waited for, since it may wait for ever.
    const ended = this.#iterator.return?.();
    if (this.#pending === undefined) await ended;
    else Promise.allSettled([this.#pending, ended]);
  }

  #unlessStopped(answer: Promise<IteratorResult<T>>): Promise<IteratorResult<T> | undefined> {
    if (this.#isStopped) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#interrupt = () => resolve(undefined);
      answer.then(resolve, reject);
    });
  }

  #take(result: IteratorResult<T>, items: T[]): void {
    if (result.done === true) this.#isAtEnd = true;
    else items.push(result.value);
  }
}
