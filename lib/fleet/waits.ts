/** What a run can wait for. */
export type FleetWait = "throttle" | "retry" | "source" | "consumer";

/** Those that are looked at first come first: what holds up everything explains more than what holds up a part. */
const BY_WEIGHT: readonly FleetWait[] = ["consumer", "throttle", "retry", "source"];

/** Counts what a run waits for at the moment. */
export class Waits {
  readonly #counts = new Map<FleetWait, number>();
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** What the run waits for, unless it waits for nothing but answers of the hub. */
  get current(): FleetWait | undefined {
    return BY_WEIGHT.find((wait) => (this.#counts.get(wait) ?? 0) > 0);
  }

  begin(wait: FleetWait): void {
    this.#add(wait, 1);
  }

  end(wait: FleetWait): void {
    this.#add(wait, -1);
  }

  /** Counts a wait until a promise is settled. */
  async during<T>(wait: FleetWait, promise: Promise<T>): Promise<T> {
    this.begin(wait);
    try {
      return await promise;
    } finally {
      this.end(wait);
    }
  }

  #add(wait: FleetWait, difference: number): void {
    const before = this.current;
    this.#counts.set(wait, (this.#counts.get(wait) ?? 0) + difference);
    if (this.current !== before) this.#onChange();
  }
}
