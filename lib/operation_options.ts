import { checkAbortSignal, checkTimeout } from "./deadline.ts";
import { describeType } from "./identifiers.ts";

/** What every call takes in its last argument. */
export interface OperationOptions {
  /** Ends the call at once; it rejects with the signal's reason. */
  abortSignal?: AbortSignal;
  /**
   * How long the call may take in all, in milliseconds.
   * @default {100000}
   */
  timeoutInMs?: number;
}

/** Throws unless `options` is an object whose common members are what they should be. */
export function checkOptions(options: OperationOptions): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot use options: it must be an object, got ${describeType(options)}`);
  }
  if (options.timeoutInMs !== undefined) checkTimeout(options.timeoutInMs);
  if (options.abortSignal !== undefined) checkAbortSignal(options.abortSignal);
}

/** Throws unless the option `name` is a whole number from 1 to `most`. */
export function checkCount(name: string, value: unknown, most: number = Number.MAX_SAFE_INTEGER): void {
  if (typeof value !== "number") {
    throw new TypeError(`Cannot use ${name}: it must be a number, got ${describeType(value)}`);
  }
  if (!Number.isInteger(value) || value < 1 || value > most) {
    const range = most === Number.MAX_SAFE_INTEGER ? "over 0" : `from 1 to ${most}`;
    throw new RangeError(`Cannot use ${name} ${value}: it must be a whole number ${range}`);
  }
}
