/**
 * The time for which somebody waits for something that is missing: too much of it is a failure. What soon goes again only
 * interrupts an outage; else something that comes and goes would never be taken for missing.
 */
export class Outage {
  readonly #limitInMs: number;
  readonly #onTooLong: () => void;
  #leftInMs: number;
  #since = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onTooLong is called when it was missing for `limitInMs` in all */
  constructor(limitInMs: number, onTooLong: () => void) {
    this.#limitInMs = limitInMs;
    this.#onTooLong = onTooLong;
    this.#leftInMs = limitInMs;
  }

  /** It is missing. */
  begin(): void {
    if (this.#timer !== undefined) return;
    this.#since = performance.now();
    this.#timer = setTimeout(this.#onTooLong, this.#leftInMs);
  }

  /** It is there, and may soon go again. */
  interrupt(): void {
    if (this.#timer === undefined) return;
    this.#stop();
    this.#leftInMs = Math.max(0, this.#leftInMs - (performance.now() - this.#since));
  }

  /** It was there for good, or nobody waits for it. */
  end(): void {
    this.#stop();
    this.#leftInMs = this.#limitInMs;
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
