import type { C2dMessage } from "../messages/c2d_message.ts";
import type { SendOptions } from "../messages/message_connection.ts";
import { IoTHubError } from "../errors/errors.ts";
import { failure } from "../errors/failures.ts";
import { AmqpFailure } from "./amqp_failure.ts";

/** A message whose caller waits for the hub's verdict. */
export interface PendingSend {
  /** The message's position in the order of sending. */
  readonly sequence: number;
  readonly message: C2dMessage;
  readonly options: SendOptions;
  /** When the send times out, on the clock of `performance.now`. */
  readonly deadline: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  readonly onAbort: (() => void) | undefined;
  /** When the message was last sent, on the same clock. */
  sentAt: number;
  /** How many times it was sent again, or would have been if the hub had been reachable. */
  retries: number;
  /** Why it has to be sent again. */
  lastFailure: AmqpFailure | undefined;
  /** Whether the caller has its result. The hub's verdict may still be outstanding. */
  isSettled: boolean;
}

/** Why a send timed out after its message had been sent. */
export const NO_VERDICT = "the hub gave no verdict, so it may or may not have the message";

/** Creates the error of a send that has timed out; `phase` says what it was waiting for. */
export function timedOut({ options, lastFailure }: PendingSend, phase: string): IoTHubError {
  const { operation, timeoutInMs } = options;
  return new IoTHubError(`Cannot complete ${operation} within ${timeoutInMs} ms: ${phase}`, {
    code: "Timeout",
    operation,
    retryable: true,
    ...(lastFailure === undefined ? {} : { cause: lastFailure.toError(operation) }),
  });
}

/** Creates the error of a send that would exceed the limits of what may wait. */
export function tooManyPending(operation: string, pending: number, bytes: number): IoTHubError {
  const waiting = `${pending} messages of ${bytes} bytes in total are already waiting to be sent`;
  const reason = `${waiting}; await some of those sends before starting more`;
  return failure({ operation }, "TooManyPendingMessages", reason, { retryable: true });
}

/** Creates the failure of a connection on which a verdict is overdue. */
export function noVerdict(timeoutInMs: number): AmqpFailure {
  return new AmqpFailure(`the hub gave no verdict on a message within ${timeoutInMs} ms`, {
    code: "Timeout",
    retryable: true,
  });
}
