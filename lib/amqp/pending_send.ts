import type { C2dMessage } from "../messages/c2d_message.ts";
import type { SendOptions } from "../messages/message_connection.ts";
import { IoTHubError } from "../errors/errors.ts";
import { failure } from "../errors/failures.ts";
import { AmqpFailure } from "./amqp_failure.ts";

/** A message whose sender waits for the hub's verdict. */
export interface PendingSend {
  /** Messages are sent in the order of these. */
  readonly sequence: number;
  readonly message: C2dMessage;
  readonly options: SendOptions;
  /** When its time is up, on the clock of `performance.now`, as the two below. */
  readonly deadline: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  readonly onAbort: (() => void) | undefined;
  /** When it left last. */
  sentAt: number;
  /** How often it has been sent again, or would have been if the hub could be reached. */
  retries: number;
  /** Why it has to be sent again. */
  lastFailure: AmqpFailure | undefined;
  /** The caller has its answer, though the hub may still owe one. */
  isSettled: boolean;
}

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
