import type { Deadline } from "./deadline.ts";
import { checkNumber, checkType } from "../values/checks.ts";

/** How much a manager asks of its hub at once. */
export interface CallLimits {
  /**
   * How many requests may be under way at once.
   * @default {Infinity}
   */
  maxConcurrentRequests?: number;
  /**
   * How many requests may be started in a second.
   * @default {Infinity}
   */
  maxRequestsPerSecond?: number;
}

/** Throws unless each limit lets something through. */
export function checkLimits(limits: CallLimits): void {
  checkType("limits", limits, "object");
  const { maxConcurrentRequests = Infinity, maxRequestsPerSecond = Infinity } = limits;
  checkNumber("limits.maxConcurrentRequests", maxConcurrentRequests, (count) => count >= 1, "at least 1");
  checkNumber("limits.maxRequestsPerSecond", maxRequestsPerSecond, (rate) => rate > 0, "over 0");
}

/** Lets requests through, first come, first served, as the limits allow. */
export class CallLimiter {
  readonly #maxConcurrent: number;
  readonly #intervalInMs: number;
  readonly #queue = new Set<() => void>();
  #running = 0;
  #nextStart = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ maxConcurrentRequests = Infinity, maxRequestsPerSecond = Infinity }: CallLimits) {
    this.#maxConcurrent = maxConcurrentRequests;
    this.#intervalInMs = 1000 / maxRequestsPerSecond;
  }

  /** Waits for a turn; each one must be given back by {@linkcode CallLimiter.leave}. Rejects when the deadline ends first. */
  enter(deadline: Deadline): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.add(resolve);
      deadline.listen((reason) => {
        this.#queue.delete(resolve);
        reject(reason);
        this.#advance();
      });
      this.#advance();
    });
  }

  /** Gives a turn back. */
  leave(): void {
    this.#running--;
    this.#advance();
  }

  #advance(): void {
    // Somebody has waited for the moment, and a timer is always a little late.
    const isLate = this.#timer !== undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const start of this.#queue) {
      if (this.#running >= this.#maxConcurrent) return;
      const now = performance.now();
      if (now < this.#nextStart) {
        this.#timer = setTimeout(() => this.#advance(), this.#nextStart - now);
        return;
      }
      // Lateness is made up for, so that the rate is kept; a pause is not, so that no burst follows it.
      this.#nextStart = Math.max(this.#nextStart, isLate ? now - this.#intervalInMs : now) + this.#intervalInMs;
      this.#queue.delete(start);
      this.#running++;
      start();
    }
  }
}
