import { IoTHubError, type IoTHubErrorFacts } from "../errors/errors.ts";
import { isBeforeSending } from "../errors/network_failure.ts";
import type { ResolvedRetryOptions } from "./retry_options.ts";

/**
 * Whether the hub may have carried out a request that failed: certainly not (`"no"`), probably not (`"hardly"`, since it
 * normally answers so before it starts, but nothing guarantees that), or possibly (`"perhaps"`).
 */
type HasRun = "no" | "hardly" | "perhaps";

/** The hub was available, but its part for the device was not, so the request may have got further than usual. */
const DEVICE_UNAVAILABLE = 503102;

/**
 * The shortest time in which an attempt is worth starting. No answer comes sooner. Moreover timers may fire a little early,
 * after which a call whose time is up seems to have some left.
 */
const LEAST_ATTEMPT_IN_MS = 5;

/** What an error tells about the attempt that failed. */
type AttemptFacts = Pick<IoTHubErrorFacts, "code" | "statusCode" | "errorNumber" | "cause">;

/** Whether the hub may well have carried out a request before its attempt failed. */
export function mayHaveRun(facts: AttemptFacts): boolean {
  return hasRun(facts) === "perhaps";
}

/** Tells from the error of an attempt whether the hub may have carried out its request. */
function hasRun({ statusCode, errorNumber, code, cause }: AttemptFacts): HasRun {
  if (statusCode === 401 || statusCode === 429 || code === "CredentialError" || isBeforeSending(cause)) return "no";
  return statusCode === 503 && errorNumber !== DEVICE_UNAVAILABLE ? "hardly" : "perhaps";
}

/**
 * Counts the repetitions of one call, and decides whether and when to repeat it again. It is repeated after each error that
 * is `retryable`. That of a call which must not run twice is so only if the call has certainly or probably not run.
 */
export class Retries {
  readonly #options: ResolvedRetryOptions;
  #count = 0;
  /** The answer for the attempt that is most likely to have run. */
  #hasRun: HasRun = "no";

  constructor(options: ResolvedRetryOptions) {
    this.#options = options;
  }

  /** Whether an earlier attempt may be the reason why a later one failed with this error. */
  mayHaveDone(error: unknown): boolean {
    // If this call has probably not run, a new etag means that someone else has written. That may even have been the same
    // value, such as the next value of a counter, so it must not be mistaken for a write of this call.
    const wasOvertaken = error instanceof IoTHubError && error.statusCode === 412;
    return this.#hasRun === "perhaps" || (this.#hasRun === "hardly" && !wasOvertaken);
  }

  /** How long to wait before the next attempt, in milliseconds; `undefined` if the call must not be repeated. */
  next(error: unknown, remainingInMs: number): number | undefined {
    if (!(error instanceof IoTHubError) || !error.retryable) return undefined;
    if (this.#count >= this.#options.maxRetries) return undefined;
    const wait = this.#wait(error.retryAfterInMs);
    // There is no point in waiting if no time is left for an attempt afterwards. The caller gets the error now.
    if (wait + LEAST_ATTEMPT_IN_MS > remainingInMs) return undefined;
    this.#count++;
    const ran = hasRun(error);
    if (ran !== "no" && this.#hasRun !== "perhaps") this.#hasRun = ran;
    return wait;
  }

  /**
   * Returns a wait that the hub asked for, in full and with a little random time added, or else a random part of a wait
   * that doubles each time. With that, callers that failed together do not come back together.
   */
  #wait(askedForInMs: number | undefined): number {
    const { retryDelayInMs } = this.#options;
    if (askedForInMs !== undefined) return askedForInMs + Math.random() * Math.min(retryDelayInMs, askedForInMs);
    return backOff(this.#options, this.#count);
  }
}

/** How long to wait before the next attempt, in milliseconds, if there were `count` repetitions before. */
export function backOff({ retryDelayInMs, maxRetryDelayInMs }: ResolvedRetryOptions, count: number): number {
  // 30 doublings are more than enough. With many more, a delay of 0 would be multiplied by Infinity and become NaN.
  return Math.random() * Math.min(maxRetryDelayInMs, retryDelayInMs * 2 ** Math.min(count, 30));
}
