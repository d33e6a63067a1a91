import { checkNumber, checkType } from "../values/checks.ts";

/** How calls are repeated that failed for a reason that may pass. */
export interface RetryOptions {
  /**
   * How often a call is repeated at most; 0 switches repeating off.
   * @default {4}
   */
  maxRetries?: number;
  /**
   * The wait before the first repetition, in milliseconds. It doubles each time; what is really waited is a random part.
   * @default {500}
   */
  retryDelayInMs?: number;
  /**
   * The longest wait, in milliseconds, unless the hub names a longer one.
   * @default {30000}
   */
  maxRetryDelayInMs?: number;
}

/** The options with what was left out; throws unless each is what it should be. */
export function resolveRetryOptions(options: RetryOptions = {}): Required<RetryOptions> {
  checkType("retryOptions", options, "object");
  const { maxRetries = 4, retryDelayInMs = 500, maxRetryDelayInMs = 30_000 } = options;
  checkNumber(
    "retryOptions.maxRetries",
    maxRetries,
    (count) => Number.isInteger(count) && count >= 0,
    "a whole number from 0 on",
  );
  checkNumber("retryOptions.retryDelayInMs", retryDelayInMs, (time) => time >= 0, "a number from 0 on");
  checkNumber("retryOptions.maxRetryDelayInMs", maxRetryDelayInMs, (time) => time >= 0, "a number from 0 on");
  return { maxRetries, retryDelayInMs, maxRetryDelayInMs };
}
