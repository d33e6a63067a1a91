import { failure } from "../errors/failures.ts";
import { IoTHubError } from "../errors/errors.ts";
import { AmqpFailure } from "./amqp_failure.ts";
import type { PendingSend } from "./pending_send.ts";

/** Why a send whose message has left is over without an answer. */
export const NO_VERDICT = "the hub gave no verdict, so that it may or may not have the message";

/** The time of a send is up; `phase` says what it was waiting for. */
export function timedOut({ options, lastFailure }: PendingSend, phase: string): IoTHubError {
  const { operation, timeoutInMs } = options;
  return new IoTHubError(`Cannot complete ${operation} within ${timeoutInMs} ms: ${phase}`, {
    code: "Timeout",
    operation,
    retryable: true,
    ...(lastFailure === undefined ? {} : { cause: lastFailure.toError(operation) }),
  });
}

/** Nothing more can be taken on. */
export function tooManyPending(operation: string, pending: number, bytes: number): IoTHubError {
  const waiting = `${pending} messages of ${bytes} bytes in all wait to be sent already`;
  const reason = `${waiting}; await some of those sends before making more`;
  return failure({ operation }, "TooManyPendingMessages", reason, { retryable: true });
}

/** The connection is of no use: an answer is overdue. */
export function noVerdict(timeoutInMs: number): AmqpFailure {
  return new AmqpFailure(`the hub gave no verdict on a message within ${timeoutInMs} ms`, {
    code: "Timeout",
    retryable: true,
  });
}
