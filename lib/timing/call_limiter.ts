import type { Deadline } from "./deadline.ts";
import { checkNumber } from "../values/checks.ts";
import { checkMembers } from "../values/members.ts";

/** Limits for the HTTP requests that a client, and all clients that share its connections, send to the hub. */
export interface CallLimits {
  /**
   * How many requests may be in progress at the same time. Further ones wait their turn.
   * @default {Infinity}
   */
  maxConcurrentRequests?: number | undefined;
  /**
   * How many requests may start per second. They are spread evenly.
   * @default {Infinity}
   */
  maxRequestsPerSecond?: number | undefined;
  /**
   * How many connections there may be at the same time for HTTP. Direct methods, which may wait for minutes, have as many of
   * their own. This is for Node and Bun; other runtimes manage their connections themselves.
   * @default {128}
   */
  maxSockets?: number | undefined;
}

/** How many connections there may be by default. */
export const DEFAULT_MAX_SOCKETS = 128;

/** Throws unless each limit is a number that allows at least one request. */
export function checkLimits(limits: CallLimits): void {
  checkMembers("limits", limits, ["maxConcurrentRequests", "maxRequestsPerSecond", "maxSockets"]);
  const { maxConcurrentRequests = Infinity, maxRequestsPerSecond = Infinity, maxSockets = 1 } = limits;
  checkNumber("limits.maxConcurrentRequests", maxConcurrentRequests, (count) => count >= 1, "at least 1");
  checkNumber("limits.maxRequestsPerSecond", maxRequestsPerSecond, (rate) => rate > 0, "over 0");
  checkNumber("limits.maxSockets", maxSockets, (count) => count >= 1, "at least 1");
}

/** Lets requests start as the limits allow, first come, first served. */
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

  /** Starts a request if nothing stands in its way, which costs less than to wait. Returns whether it has started. */
  tryEnter(): boolean {
    if (this.#queue.size > 0 || this.#running >= this.#maxConcurrent) return false;
    // Without a rate there is no need to know the time.
    const now = this.#intervalInMs > 0 ? performance.now() : 0;
    const mayStart = now >= this.#nextStart;
    if (mayStart) this.#start(now);
    return mayStart;
  }

  /**
   * Waits until a request may start. {@linkcode CallLimiter.leave} must be called when it is done. Rejects if the deadline
   * ends first.
   */
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

  /** Makes room for another request. */
  leave(): void {
    this.#running--;
    this.#advance();
  }

  #advance(): void {
    // If a request was waiting for the timer, it may start late, since timers always fire a little late.
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
      // To keep the rate, a late start does not delay the starts after it. Time without requests is not made up for, so
      // that no burst follows a pause.
      this.#start(isLate ? now - this.#intervalInMs : now);
      this.#queue.delete(start);
      start();
    }
  }

  #start(earliest: number): void {
    this.#nextStart = Math.max(this.#nextStart, earliest) + this.#intervalInMs;
    this.#running++;
  }
}
