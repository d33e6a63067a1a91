import { IoTHubError } from "../errors/errors.ts";
import { isBeforeSending } from "../errors/network_failure.ts";
import type { RetryOptions } from "./retry_options.ts";

/**
 * Whether a request that failed has run on the hub: surely not, hardly (the hub says so before it starts, though none has
 * promised it), or perhaps.
 */
type HasRun = "no" | "hardly" | "perhaps";

/** The hub was there, the device's part of it was not: the request may have got further. */
const DEVICE_UNAVAILABLE = 503102;

/** No answer comes sooner; and a timer may fire a little early, so that a call whose time is up seems to have some left. */
const LEAST_ATTEMPT_IN_MS = 5;

/** Whether the request of an attempt that ended with this error has run. */
function hasRun({ statusCode, errorNumber, code, cause }: IoTHubError): HasRun {
  if (statusCode === 401 || statusCode === 429 || code === "CredentialError" || isBeforeSending(cause)) return "no";
  return statusCode === 503 && errorNumber !== DEVICE_UNAVAILABLE ? "hardly" : "perhaps";
}

/**
 * Counts the repetitions of one call and says how long to wait before the next one, or that there is none.
 *
 * What may run twice is repeated after any failure that may pass; what must not, only if it has not run.
 */
export class Retries {
  readonly #options: Required<RetryOptions>;
  readonly #mayRunTwice: boolean;
  #count = 0;
  /** The likeliest of all attempts. */
  #hasRun: HasRun = "no";

  constructor(options: Required<RetryOptions>, mayRunTwice: boolean) {
    this.#options = options;
    this.#mayRunTwice = mayRunTwice;
  }

  /** Whether an earlier attempt may have done what a later one, which failed with this error, found done. */
  mayHaveDone(error: unknown): boolean {
    // Where somebody has written, it was hardly this call: two may well write the same, such as the next value of a counter.
    const wasOvertaken = error instanceof IoTHubError && error.statusCode === 412;
    return this.#hasRun === "perhaps" || (this.#hasRun === "hardly" && !wasOvertaken);
  }

  /** The wait before the next attempt, in milliseconds; `undefined` when the error is the call's outcome. */
  next(error: unknown, remainingInMs: number): number | undefined {
    if (!(error instanceof IoTHubError) || !error.retryable) return undefined;
    const ran = hasRun(error);
    if (ran === "perhaps" && !this.#mayRunTwice) return undefined;
    if (this.#count >= this.#options.maxRetries) return undefined;
    const wait = this.#wait(error.retryAfterInMs);
    // To wait for nothing helps nobody: the caller learns now what it would learn at the end.
    if (wait + LEAST_ATTEMPT_IN_MS > remainingInMs) return undefined;
    this.#count++;
    if (ran !== "no" && this.#hasRun !== "perhaps") this.#hasRun = ran;
    return wait;
  }

  /**
   * A random part of a wait that doubles, so that callers that failed together do not come back together. What the hub
   * asks for is waited in full, and a little more.
   */
  #wait(askedForInMs: number | undefined): number {
    const { retryDelayInMs } = this.#options;
    if (askedForInMs !== undefined) return askedForInMs + Math.random() * Math.min(retryDelayInMs, askedForInMs);
    return backOff(this.#options, this.#count);
  }
}

/** The wait, in milliseconds, after which something is tried again that has failed `count` times before. */
export function backOff({ retryDelayInMs, maxRetryDelayInMs }: Required<RetryOptions>, count: number): number {
  // So many doublings are more than enough, and many more would make of no delay none that is a number.
  return Math.random() * Math.min(maxRetryDelayInMs, retryDelayInMs * 2 ** Math.min(count, 30));
}
