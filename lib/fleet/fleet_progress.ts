import type { FleetOutcome } from "./fleet_outcome.ts";
import { Waits } from "./waits.ts";
import type { FleetWait } from "./waits.ts";

/** How far a run is. */
export interface FleetProgress {
  /** How many entries are done. */
  readonly done: number;
  /** How many an earlier run had done. */
  readonly skipped: number;
  /** How many have failed. */
  readonly failed: number;
  /** How many may have been done. */
  readonly unknown: number;
  /** How many entries there are, if that is known: from the options, from an array, or when the source has ended. */
  readonly total?: number | undefined;
  /** How many entries the hub has answered per second of late, without those that were skipped. */
  readonly perSecond: number;
  /** How long the rest will take at this rate, in milliseconds, if the total and a rate are known. */
  readonly remainingInMs?: number | undefined;
  /**
   * What the run waits for: the hub's throttle, the next attempt after a failure, the source's next entry, or the loop that
   * reads the outcomes. `undefined` while it waits for nothing but answers.
   */
  readonly waitingFor?: FleetWait | undefined;
}

/** The shortest time between two reports. */
const REPORT_INTERVAL_IN_MS = 100;

/** How many moments are kept to tell the rate from. */
const MAX_MOMENTS = 64;

/** How many entries were answered up to a moment. */
interface Moment {
  readonly time: number;
  readonly count: number;
}

/** Counts the outcomes of a run, and reports how far it is. */
export class ProgressReport {
  readonly waits: Waits = new Waits(() => this.#changed());
  readonly #report: ((progress: FleetProgress) => void) | undefined;
  readonly #onFault: (error: unknown) => void;
  readonly #counts = { done: 0, skipped: 0, failed: 0, unknown: 0 };
  readonly #moments: Moment[] = [];
  /** The time between two moments that are kept. It doubles with the length of the run, so that their number is limited. */
  #spacingInMs = 1;
  /** Whether a moment is to be noted when all is counted that came together. */
  #isToNote = false;
  #reportedAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  total: number | undefined;

  constructor(
    total: number | undefined,
    report: ((progress: FleetProgress) => void) | undefined,
    onFault: (error: unknown) => void,
  ) {
    this.total = total;
    this.#report = report;
    this.#onFault = onFault;
  }

  get current(): FleetProgress {
    this.#note();
    const counts = { ...this.#counts };
    const perSecond = this.#rate();
    const { total } = this;
    const waitingFor = this.waits.current;
    const rest = total === undefined
      ? undefined
      : total - counts.done - counts.skipped - counts.failed - counts.unknown;
    const remainingInMs = this.#remaining(rest, perSecond);
    return {
      ...counts,
      ...(total !== undefined && { total }),
      perSecond,
      ...(remainingInMs !== undefined && { remainingInMs }),
      ...(waitingFor !== undefined && { waitingFor }),
    };
  }

  /** Counts outcomes that came together. */
  count(status: FleetOutcome["status"], number: number = 1): void {
    this.#counts[status] += number;
    if (status !== "skipped" && !this.#isToNote) {
      this.#isToNote = true;
      queueMicrotask(() => this.#note());
    }
    this.#changed();
  }

  /** Makes the last report. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tell();
  }

  /** Notes the moment. Entries that were answered together count at the same one. */
  #note(): void {
    if (!this.#isToNote) return;
    this.#isToNote = false;
    const { done, failed, unknown } = this.#counts;
    const moment = { time: performance.now(), count: done + failed + unknown };
    const [last, before] = [this.#moments.at(-1), this.#moments.at(-2)];
    const isTogether = last !== undefined && moment.time === last.time;
    if (isTogether || (before !== undefined && moment.time - before.time < this.#spacingInMs)) this.#moments.pop();
    this.#moments.push(moment);
    if (this.#moments.length < MAX_MOMENTS) return;
    // The older half of the run says little about its rest.
    this.#moments.splice(0, MAX_MOMENTS / 2);
    this.#spacingInMs = (moment.time - this.#moments[0]!.time) / (MAX_MOMENTS / 2);
  }

  /**
   * The slope of the line that lies closest to the moments: an answer that is late for once hardly turns it.
   * The first moment counts as the beginning only, since it is not known how long its entries took.
   */
  #rate(): number {
    const [first, last] = [this.#moments[0], this.#moments.at(-1)];
    if (first === undefined || last === undefined || last.time === first.time) return 0;
    const meanTime = mean(this.#moments.map(({ time }) => time));
    const meanCount = mean(this.#moments.map(({ count }) => count));
    let covariance = 0;
    let variance = 0;
    for (const { time, count } of this.#moments) {
      covariance += (time - meanTime) * (count - meanCount);
      variance += (time - meanTime) ** 2;
    }
    return covariance / variance * 1000;
  }

  #remaining(rest: number | undefined, perSecond: number): number | undefined {
    if (rest === undefined) return undefined;
    if (rest <= 0) return 0;
    if (perSecond === 0) return undefined;
    return Math.max(0, rest / perSecond * 1000 - (performance.now() - this.#moments.at(-1)!.time));
  }

  #changed(): void {
    if (this.#report === undefined || this.#timer !== undefined) return;
    const wait = this.#reportedAt + REPORT_INTERVAL_IN_MS - performance.now();
    if (wait <= 0) return this.#tell();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#tell();
    }, wait);
  }

  #tell(): void {
    this.#reportedAt = performance.now();
    try {
      this.#report?.(this.current);
    } catch (error) {
      this.#onFault(error);
    }
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
