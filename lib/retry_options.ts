import { describeType } from "./identifiers.ts";

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

const DEFAULTS: Required<RetryOptions> = { maxRetries: 4, retryDelayInMs: 500, maxRetryDelayInMs: 30_000 };

/** The options with what was left out; throws unless each is what it should be. */
export function resolveRetryOptions(options: RetryOptions = {}): Required<RetryOptions> {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot use retryOptions: it must be an object, got ${describeType(options)}`);
  }
  const resolved = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof RetryOptions)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (typeof value !== "number") {
      throw new TypeError(`Cannot use retryOptions.${name}: it must be a number, got ${describeType(value)}`);
    }
    if (!(value >= 0) || (name === "maxRetries" && !Number.isInteger(value))) {
      const kind = name === "maxRetries" ? "a whole number" : "a number";
      throw new RangeError(`Cannot use retryOptions.${name} ${value}: it must be ${kind} from 0 on`);
    }
    resolved[name] = value;
  }
  return resolved;
}
