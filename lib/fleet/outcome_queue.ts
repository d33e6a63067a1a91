import type { FleetOutcome } from "./fleet_outcome.ts";

/** An outcome that the loop has not read yet. */
export interface KnownOutcome<Result> {
  readonly outcome: FleetOutcome<Result>;
  /** The position to acknowledge when the loop has read it. */
  readonly position: number | undefined;
}

/** Outcomes in the order in which they are known. They come in hundreds, and the loop takes one after the other. */
export class OutcomeQueue<Result> {
  #outcomes: KnownOutcome<Result>[] = [];
  /** How many of them have been taken. */
  #taken = 0;

  get isEmpty(): boolean {
    return this.#outcomes.length === 0;
  }

  add(outcome: FleetOutcome<Result>, position: number | undefined): void {
    this.#outcomes.push({ outcome, position });
  }

  take(): KnownOutcome<Result> | undefined {
    const known = this.#outcomes[this.#taken];
    if (known === undefined) return undefined;
    this.#taken++;
    // To take them off one by one would move all others each time.
    if (this.#taken === this.#outcomes.length) {
      this.#outcomes = [];
      this.#taken = 0;
    }
    return known;
  }
}
