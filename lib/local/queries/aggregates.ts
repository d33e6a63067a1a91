/** The aggregates of the language. */
export type AggregateName = "COUNT" | "AVG" | "SUM" | "MIN" | "MAX";

export const AGGREGATES: readonly AggregateName[] = ["COUNT", "AVG", "SUM", "MIN", "MAX"];

/** The running totals that an aggregate is computed from. */
export class Tally {
  #rows = 0;
  #numbers = 0;
  #sum = 0;
  #min = Infinity;
  #max = -Infinity;

  /** Counts a row, and the value in it if that is a number. */
  add(value: unknown): void {
    this.#rows++;
    if (typeof value !== "number") return;
    this.#numbers++;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  /** Returns the value of an aggregate. Of no numbers AVG, MIN and MAX have none, and their column is left out. */
  result(aggregate: AggregateName): number | undefined {
    if (aggregate === "COUNT") return this.#rows;
    if (aggregate === "SUM") return this.#sum;
    if (this.#numbers === 0) return undefined;
    if (aggregate === "AVG") return this.#sum / this.#numbers;
    return aggregate === "MIN" ? this.#min : this.#max;
  }
}
