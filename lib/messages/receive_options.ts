import { checkTimeout } from "../timing/deadline.ts";
import { checkOptions, type OperationOptions } from "../timing/operation_options.ts";

/** How long to receive. */
export interface ReceiveOptions extends OperationOptions {
  /** Ends the loop at once: it throws the signal's reason. */
  abortSignal?: AbortSignal;
  /**
   * How long the hub may be out of reach while the loop waits, in milliseconds; then it throws. A link that the hub takes back
   * within ten seconds, before any message, does not make it start anew. The wait itself has no end of its own.
   * @default {100000}
   */
  timeoutInMs?: number;
  /**
   * Ends the loop, without an error, when nothing has come for so long, in milliseconds. Left out, it waits for ever.
   * @default {Infinity}
   */
  maxWaitTimeInMs?: number;
}

/** Throws unless each option is what it should be. */
export function checkReceiveOptions(options: ReceiveOptions): void {
  checkOptions(options);
  const { maxWaitTimeInMs } = options;
  if (maxWaitTimeInMs !== undefined && maxWaitTimeInMs !== Infinity) checkTimeout(maxWaitTimeInMs, "maxWaitTimeInMs");
}
