import { hubRate, type HubTier, type ThrottledOperation } from "../timing/hub_tiers.ts";
import type { HubAlarm } from "./hub_alarm.ts";
import { HubFault } from "./hub_fault.ts";

/** How long a request waits for its turn at most, before the hub refuses it. */
const LONGEST_WAIT_IN_MS = 10_000;
/** How many requests of a kind wait for their turn at most. */
const MAX_WAITING = 1000;

/** The kinds whose rates are documented for a second. The others may be used up in a burst once a minute. */
const PER_SECOND: readonly ThrottledOperation[] = ["twinReads", "twinUpdates", "methods", "connections"];

/** How a hub limits what its callers may do. */
export interface ThrottleSettings {
  readonly tier: HubTier;
  readonly units: number;
  readonly bulkCost: "devices" | "request";
}

/** The requests of one kind: how many may go on at once, and how many wait. */
interface Bucket {
  readonly ratePerMs: number;
  readonly capacity: number;
  /** What is left, which is less than nothing if requests wait for it. */
  level: number;
  at: number;
  waiting: number;
}

/**
 * Limits how many requests of each kind the hub carries out. A bucket of tokens that is empty makes requests wait at first,
 * and be refused when they would wait for too long. One that costs more than the bucket can hold needs a full one.
 */
export class Throttle {
  readonly #settings: ThrottleSettings;
  readonly #now: () => number;
  readonly #alarm: HubAlarm;
  readonly #buckets = new Map<ThrottledOperation, Bucket>();
  readonly #waiting = new Set<() => void>();

  constructor(settings: ThrottleSettings, now: () => number, alarm: HubAlarm) {
    this.#settings = settings;
    this.#now = now;
    this.#alarm = alarm;
  }

  /**
   * Waits until a request may be carried out.
   *
   * @param operation What it does.
   * @param name How the hub calls that in its refusals.
   * @param cost For how many it counts.
   * @throws {HubFault} 429 `ThrottlingBacklogTimeout` or `ThrottleBacklogLimitExceeded`.
   */
  async admit(operation: ThrottledOperation, name: string, cost: number = 1): Promise<void> {
    if (cost === 0) return;
    const bucket = this.#fill(operation);
    const wait = waitFor(bucket, cost);
    if (wait > LONGEST_WAIT_IN_MS) throw refusal("ThrottlingBacklogTimeout", name, wait);
    if (bucket.waiting >= MAX_WAITING) throw refusal("ThrottleBacklogLimitExceeded", name, wait);
    bucket.level -= cost;
    // Nobody overtakes those that were there before, even if their time has come and nothing has woken them yet.
    if (wait === 0 && bucket.waiting === 0) return;
    bucket.waiting++;
    await this.#until(bucket.at + wait);
    bucket.waiting--;
  }

  /**
   * Counts something that cannot wait.
   *
   * @param operation What it is.
   * @param name How the hub calls that in its refusals.
   * @throws {HubFault} 429 `ThrottlingException`.
   */
  take(operation: ThrottledOperation, name: string): void {
    const bucket = this.#fill(operation);
    const wait = waitFor(bucket, 1);
    if (wait > 0) throw refusal("ThrottlingException", name, wait);
    bucket.level--;
  }

  /** Waits until requests in bulk may be carried out, which count as their elements or as one. */
  async admitBulk(identities: number, twins: number): Promise<void> {
    const isOne = this.#settings.bulkCost === "request";
    await this.admit("registry", "CRUD", isOne ? Math.min(identities, 1) : identities);
    await this.admit("twinUpdates", "TwinUpdate", isOne ? Math.min(twins, 1) : twins);
  }

  /** Lets all go on that wait. */
  close(): void {
    for (const goOn of this.#waiting) goOn();
    this.#waiting.clear();
  }

  #fill(operation: ThrottledOperation): Bucket {
    const now = this.#now();
    let bucket = this.#buckets.get(operation);
    if (bucket === undefined) {
      const { tier, units } = this.#settings;
      const rate = hubRate(operation, tier, units);
      const capacity = rate * (PER_SECOND.includes(operation) ? 1 : 60);
      bucket = { ratePerMs: rate / 1000, capacity, level: capacity, at: now, waiting: 0 };
      this.#buckets.set(operation, bucket);
    }
    bucket.level = Math.min(bucket.capacity, bucket.level + Math.max(0, now - bucket.at) * bucket.ratePerMs);
    bucket.at = now;
    return bucket;
  }

  #until(time: number): Promise<void> {
    return new Promise((resolve) => {
      const goOn = (): void => {
        this.#waiting.delete(goOn);
        resolve();
      };
      this.#waiting.add(goOn);
      this.#alarm.set({ wake: goOn }, time);
    });
  }
}

/** How long it takes until a bucket has what something costs; one that costs more than it can hold needs a full one. */
function waitFor({ capacity, level, ratePerMs }: Bucket, cost: number): number {
  return Math.max(0, Math.min(cost, capacity) - level) / ratePerMs;
}

function refusal(code: string, name: string, waitInMs: number): HubFault {
  const wait = `Wait ${Math.ceil(waitInMs / 1000)} seconds and try again`;
  return new HubFault(code, 429, `The request has been throttled. ${wait}. Operation type: ${name}`);
}
