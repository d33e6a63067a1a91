import { checkAbortSignal, checkTimeout } from "./deadline.ts";
import { checkType } from "../values/checks.ts";

/** The options that every call takes in its last argument. */
export interface OperationOptions {
  /** Aborts the call at once. It then rejects with the signal's reason. */
  abortSignal?: AbortSignal;
  /**
   * How long the call may take in total, including repetitions, in milliseconds.
   * @default {100000} or the `timeoutInMs` of the client
   */
  timeoutInMs?: number;
}

/** Throws unless `options` is an object whose common members have the right types and legal values. */
export function checkOptions(options: OperationOptions): void {
  checkType("options", options, "object");
  if (options.timeoutInMs !== undefined) checkTimeout(options.timeoutInMs);
  if (options.abortSignal !== undefined) checkAbortSignal(options.abortSignal);
}
