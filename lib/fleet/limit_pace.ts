import { Lane } from "./lane.ts";

/** The pace that a run's own limit sets: so many requests per second, whatever they do. */
export class LimitPace {
  readonly #lane = new Lane();

  constructor(requestsPerSecond: number) {
    this.#lane.limit(requestsPerSecond);
  }

  lane(): Lane {
    return this.#lane;
  }
}
