import { IoTHubError } from "../errors/errors.ts";
import { type FailedCall, failure } from "../errors/failures.ts";
import { type Deadline, Deadlines } from "../timing/deadline.ts";
import type { OperationOptions } from "../timing/operation_options.ts";

/**
 * Runs a method that makes several calls, which have one time-out and one abort signal together. There is no time-out unless
 * the caller gives one: each of the calls has its own.
 *
 * @param run Makes the calls, with the result of `remaining` as their options.
 */
export async function severalCalls<T>(
  call: FailedCall,
  { abortSignal, timeoutInMs }: OperationOptions,
  run: (deadline: Deadline, remaining: () => OperationOptions) => Promise<T>,
): Promise<T> {
  const deadlines = new Deadlines();
  const deadline = deadlines.start(performance.now() + (timeoutInMs ?? Infinity), abortSignal);
  function remaining(): OperationOptions {
    // At least 1 ms is left, since the error of the call itself tells best that the time is up.
    return { abortSignal, timeoutInMs: timeoutInMs && Math.max(1, deadline.due - performance.now()) };
  }
  try {
    return await run(deadline, remaining);
  } catch (error) {
    if (!deadline.hasExpired || error instanceof IoTHubError) throw error;
    throw failure(call, "Timeout", `it took longer than ${timeoutInMs} ms`, { retryable: true });
  } finally {
    deadlines.stop(deadline);
    deadlines.close();
  }
}
