/**
 * Measures how long something has been missing while somebody waits for it, and reports when that is too long.
 * Something that comes back only briefly interrupts an outage without ending it, or else an outage that flaps would
 * never be reported.
 */
export class Outage {
  readonly #limitInMs: number;
  readonly #onTooLong: () => void;
  #leftInMs: number;
  #since = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param limitInMs How long it may be missing in total, in milliseconds.
   * @param onTooLong Called when it was missing for longer.
   */
  constructor(limitInMs: number, onTooLong: () => void) {
    this.#limitInMs = limitInMs;
    this.#onTooLong = onTooLong;
    this.#leftInMs = limitInMs;
  }

  /** To be called when it is missing. */
  begin(): void {
    if (this.#timer !== undefined) return;
    this.#since = performance.now();
    this.#timer = setTimeout(this.#onTooLong, this.#leftInMs);
  }

  /** To be called when it is back, but perhaps not for long. */
  interrupt(): void {
    if (this.#timer === undefined) return;
    this.#stop();
    this.#leftInMs = Math.max(0, this.#leftInMs - (performance.now() - this.#since));
  }

  /** To be called when it has been back for long enough, or when nobody waits for it. */
  end(): void {
    this.#stop();
    this.#leftInMs = this.#limitInMs;
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
