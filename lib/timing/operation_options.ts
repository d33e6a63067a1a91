import { checkAbortSignal, checkTimeout } from "./deadline.ts";
import { checkType } from "../values/checks.ts";

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
  checkType("options", options, "object");
  if (options.timeoutInMs !== undefined) checkTimeout(options.timeoutInMs);
  if (options.abortSignal !== undefined) checkAbortSignal(options.abortSignal);
}
