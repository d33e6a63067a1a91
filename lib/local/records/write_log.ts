interface LoggedWrite {
  readonly time: number;
  readonly run: () => void;
  next: LoggedWrite | undefined;
}

/** Keeps writes until some time after they were made, and carries them out in their order. */
export class WriteLog {
  readonly #now: () => number;
  readonly #lagInMs: number;
  #oldest: LoggedWrite | undefined;
  #newest: LoggedWrite | undefined;

  constructor(now: () => number, lagInMs: number) {
    this.#now = now;
    this.#lagInMs = lagInMs;
  }

  /**
   * Adds a write that was made at `time`. Those that are due by then are carried out, so that the log does not grow when
   * nobody asks for them.
   */
  add(time: number, run: () => void): void {
    const write: LoggedWrite = { time, run, next: undefined };
    if (this.#oldest === undefined) this.#oldest = write;
    else this.#newest!.next = write;
    this.#newest = write;
    this.runDue(time);
  }

  /** Carries out the writes that are due. */
  runDue(now: number = this.#now()): void {
    while (this.#oldest !== undefined && this.#oldest.time <= now - this.#lagInMs) {
      this.#oldest.run();
      this.#oldest = this.#oldest.next;
    }
  }
}
