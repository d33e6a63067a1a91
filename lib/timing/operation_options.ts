import { checkAbortSignal, checkTimeout } from "./deadline.ts";
import { checkMembers } from "../values/members.ts";

/** The options that every call takes in its last argument. */
export interface OperationOptions {
  /** Aborts the call at once. It then rejects with the signal's reason. */
  abortSignal?: AbortSignal | undefined;
  /**
   * How long the call may take in total, including repetitions, in milliseconds.
   * @default {100000} or the `timeoutInMs` of the client
   */
  timeoutInMs?: number | undefined;
}

/**
 * The name of an option that only this module's own callers know, who wait themselves when the hub is throttled, so that the
 * call fails at once.
 */
export const OWN_PATIENCE: unique symbol = Symbol();

/** The options of a caller with patience of its own. */
export interface OwnPatience extends OperationOptions {
  /** Is given each wait for a repetition, and returns it. */
  readonly [OWN_PATIENCE]?: (wait: Promise<void>) => Promise<void>;
}

/**
 * Throws unless `options` is an object of known members, and those that every call takes have the right types and legal
 * values. `others` names the members that the call takes in addition, in groups.
 */
export function checkOptions(options: OperationOptions, others: readonly (readonly string[])[] = []): void {
  checkMembers("options", options, [...others.flat(), "abortSignal", "timeoutInMs"]);
  if (options.timeoutInMs !== undefined) checkTimeout(options.timeoutInMs);
  if (options.abortSignal !== undefined) checkAbortSignal(options.abortSignal);
}
