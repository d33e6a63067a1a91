import { checkNumber } from "../values/checks.ts";
import { checkMembers } from "../values/members.ts";

/** How calls are repeated after a failure that may be temporary. */
export interface RetryOptions {
  /**
   * How often a call is repeated at most. With 0 no call is repeated.
   * @default {4}
   */
  maxRetries?: number | undefined;
  /**
   * The longest wait before the first repetition, in milliseconds. It doubles with each repetition, and the actual wait is
   * a random part of it.
   * @default {500}
   */
  retryDelayInMs?: number | undefined;
  /**
   * The longest wait before any repetition, in milliseconds, unless the hub asks for a longer one.
   * @default {30000}
   */
  maxRetryDelayInMs?: number | undefined;
}

/** The same with their defaults. */
export interface ResolvedRetryOptions {
  readonly maxRetries: number;
  readonly retryDelayInMs: number;
  readonly maxRetryDelayInMs: number;
}

/** Returns the options with their defaults. Throws unless each has the right type and a legal value. */
export function resolveRetryOptions(options: RetryOptions = {}): ResolvedRetryOptions {
  checkMembers("retryOptions", options, ["maxRetries", "retryDelayInMs", "maxRetryDelayInMs"]);
  const { maxRetries = 4, retryDelayInMs = 500, maxRetryDelayInMs = 30_000 } = options;
  checkNumber(
    "retryOptions.maxRetries",
    maxRetries,
    (count) => Number.isInteger(count) && count >= 0,
    "a whole number of at least 0",
  );
  checkNumber("retryOptions.retryDelayInMs", retryDelayInMs, (time) => time >= 0, "at least 0");
  checkNumber("retryOptions.maxRetryDelayInMs", maxRetryDelayInMs, (time) => time >= 0, "at least 0");
  return { maxRetries, retryDelayInMs, maxRetryDelayInMs };
}
