import { follow, unfollow } from "../timing/abort_listeners.ts";
import { abortReason, throwIfAborted } from "../timing/deadline.ts";

/** How long a hub that does not say so wants to be left alone. */
const DEFAULT_WAIT_IN_MS = 10_000;
/** How far requests may lag behind the rate and make up for it. */
const CREDIT_IN_MS = 100;
/** An answer that is quicker has not waited for its turn at the hub. */
const PROMPT_IN_MS = 1000;
/** How often a rate is raised while all is well, and by how much. */
const GROWTH_INTERVAL_IN_MS = 10_000;
const GROWTH = 1.05;
/** What is left of a documented rate when the hub refuses to keep it, since others use the hub too. */
const DECREASE = 0.7;
const LEAST_SHARE = 1 / 50;
/** A hub that carries out as many devices as these minutes allow, at once, does not count the devices of a request. */
const PROOF_IN_SECONDS = 300;
/** When to look again whether the hub counts requests, the first time; later ones take twice as long each. */
const NEXT_TRIAL_IN_MS = 600_000;
/** How many requests may be without an answer before the first one comes. */
const FIRST_REQUESTS = 4;

/** A request that a lane has let start. Its end must be told to the lane. */
export interface Passage {
  /** How many devices it is about. */
  readonly devices: number;
  readonly isBulk: boolean;
  readonly started: number;
}

interface Waiting {
  readonly devices: number;
  readonly isBulk: boolean;
  readonly start: (passage: Passage) => void;
}

/**
 * Lets one kind of request start as fast as a hub takes them. With a documented rate it keeps to that; otherwise it goes as
 * fast as it is allowed to until the hub refuses a request, and then keeps to the rate that the hub has shown.
 *
 * With a documented rate, a request in bulk counts as its devices. But first there is a trial: as long as each is answered
 * promptly, requests follow each other as if they counted as one each. A hub that counts devices soon refuses one, or takes
 * as long as its devices cost; the lane then falls back, and waits until what it was ahead is made up for.
 */
export class Lane {
  #documented: number | undefined;
  /** In devices, or requests that are not in bulk, per second. */
  #rate = Infinity;
  #counts: "devices" | "requests" = "devices";
  #trial: { readonly started: number; devices: number } | undefined;
  #nextTrial = Infinity;
  #trials = 0;
  /** How many requests may be without an answer. */
  #allowance = FIRST_REQUESTS;
  #underWay = 0;
  /** When the next request may start by the rate, and when by the hub's word. */
  #next = -Infinity;
  #heldUntil = -Infinity;
  /** Since when the rate is observed, and what was answered since. */
  #observedSince: number = performance.now();
  #answered = 0;
  #grownAt: number = performance.now();
  readonly #waiting: Waiting[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Keeps to a documented rate from now on. */
  document(rate: number): void {
    if (this.#documented === rate) return;
    this.#documented = rate;
    this.#rate = rate;
    this.#allowance = Infinity;
    this.#nextTrial = -Infinity;
    this.#trials = 0;
    this.#counts = "devices";
  }

  /** Keeps to so many requests per second, whatever each is about. */
  limit(requestsPerSecond: number): void {
    this.#documented = requestsPerSecond;
    this.#rate = requestsPerSecond;
    this.#counts = "requests";
    this.#allowance = Infinity;
  }

  /** Waits until a request may start. One that the hub has refused goes before those that have not been sent. */
  enter(
    devices: number,
    { isBulk, isRepeated, signal }: { isBulk: boolean; isRepeated: boolean; signal: AbortSignal | undefined },
  ): Promise<Passage> {
    throwIfAborted(signal);
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        if (signal !== undefined) unfollow(signal, abort);
        reject(abortReason(signal));
      };
      const start = (passage: Passage): void => {
        if (signal !== undefined) unfollow(signal, abort);
        resolve(passage);
      };
      const waiting = { devices, isBulk, start };
      if (isRepeated) this.#waiting.unshift(waiting);
      else this.#waiting.push(waiting);
      if (signal !== undefined) follow(signal, abort);
      this.#advance();
    });
  }

  /** Tells that the hub has answered a request, whatever it said but that it is throttled. */
  answered(passage: Passage): void {
    const now = performance.now();
    this.#answered += passage.devices;
    this.#allowance++;
    if (now - this.#grownAt >= GROWTH_INTERVAL_IN_MS && this.#rate < Infinity) {
      this.#grownAt = now;
      this.#rate = Math.min(this.#rate * GROWTH, this.#limit());
    }
    this.#judgeTrial(passage, now);
    this.left();
  }

  /** Tells that the hub has refused a request because it is throttled, and how long to wait. */
  refused({ devices, isBulk }: Passage, waitInMs: number = DEFAULT_WAIT_IN_MS): void {
    const now = performance.now();
    if (this.#trial !== undefined && isBulk) this.#trial.devices -= devices;
    const until = now + waitInMs;
    // The others that were under way are refused for the same reason.
    if (now >= this.#heldUntil) {
      // What was refused costs nothing.
      this.#next = until;
      if (this.#trial !== undefined) this.#fallBack();
      else if (this.#documented !== undefined) {
        this.#rate = Math.max(this.#rate * DECREASE, this.#limit() * LEAST_SHARE);
      } else this.#learn(until);
      this.#grownAt = until;
    }
    this.#heldUntil = Math.max(this.#heldUntil, until);
    this.left();
  }

  /** Tells that a request has ended without an answer. */
  left(): void {
    this.#underWay--;
    this.#advance();
  }

  /** The highest rate that is documented. */
  #limit(): number {
    return this.#documented ?? Infinity;
  }

  /** Works out the rate from what the hub has answered since it was observed first, or refused a request. */
  #learn(until: number): void {
    const period = (until - this.#observedSince) / 1000;
    if (this.#answered > 0) this.#rate = this.#answered / period * GROWTH;
    else this.#rate /= 2;
    this.#answered = 0;
    this.#observedSince = until;
    this.#allowance = Math.max(1, Math.ceil(this.#underWay / 2));
  }

  #advance(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#waiting.length > 0 && this.#underWay < this.#allowance) {
      const now = performance.now();
      const wait = Math.max(this.#next, this.#heldUntil) - now;
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#advance(), Math.ceil(wait));
        return;
      }
      const { devices, isBulk, start } = this.#waiting.shift()!;
      // There is nothing to make up for yet.
      if (this.#next === -Infinity) this.#next = now;
      if (isBulk) this.#beginTrial(now);
      if (this.#trial !== undefined && isBulk) this.#trial.devices += devices;
      const price = this.#counts === "requests" || (isBulk && this.#trial !== undefined) ? 1 : devices;
      this.#next = Math.max(this.#next, now - CREDIT_IN_MS) + price / this.#rate * 1000;
      this.#underWay++;
      start({ devices, isBulk, started: now });
    }
  }

  #beginTrial(now: number): void {
    if (this.#documented === undefined || this.#trial !== undefined || now < this.#nextTrial) return;
    if (this.#counts === "requests") return;
    this.#trial = { started: now, devices: 0 };
    this.#allowance = 1;
  }

  #judgeTrial({ devices, isBulk, started }: Passage, now: number): void {
    if (this.#trial === undefined || !isBulk) return;
    const rate = this.#documented!;
    const proof = (PROOF_IN_SECONDS + (now - this.#trial.started) / 1000) * rate;
    if (this.#trial.devices > proof) {
      this.#counts = "requests";
      this.#trial = undefined;
      this.#allowance = Infinity;
    } else if (now - started > devices / rate * 500 && now - started > PROMPT_IN_MS) {
      this.#fallBack();
    }
  }

  /** Counts devices again, as the hub does. */
  #fallBack(): void {
    const { started, devices } = this.#trial!;
    this.#trial = undefined;
    this.#allowance = Infinity;
    this.#counts = "devices";
    this.#nextTrial = performance.now() + NEXT_TRIAL_IN_MS * 2 ** this.#trials++;
    this.#next = Math.max(this.#next, started + devices / this.#rate * 1000);
  }
}
