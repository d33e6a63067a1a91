import type { C2dMessage } from "../messages/c2d_message.ts";
import type { CallOptions } from "../messages/message_connection.ts";
import type { IoTHubError } from "../errors/errors.ts";
import { type FailedCall, failure } from "../errors/failures.ts";
import { AmqpFailure } from "./amqp_failure.ts";

/** A message whose caller waits for the hub's verdict. */
export interface PendingSend {
  /** The message's position in the order of sending. */
  readonly sequence: number;
  readonly message: C2dMessage;
  readonly options: CallOptions;
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
  /** Whether it was sent once and the verdict is lost, so that the hub may have it. */
  mayHaveArrived: boolean;
  /** Whether the caller has its result. The hub's verdict may still be outstanding. */
  isSettled: boolean;
}

/** What is said of a message that the hub may have, although it gave no verdict. */
const MAY_HAVE_ARRIVED = "the hub may or may not have the message";

/**
 * Creates the error of a send for which there is no further attempt. Another call would send another message, so it is not
 * retryable where the hub may have this one.
 */
export function failureOf({ options, mayHaveArrived }: PendingSend, failure: AmqpFailure): IoTHubError {
  if (!mayHaveArrived) return failure.toError(options);
  return new AmqpFailure(`${failure.message}; ${MAY_HAVE_ARRIVED}`, { ...failure.facts, retryable: false })
    .toError(options);
}

/** Creates the error of a send that has timed out; `phase` says what it was waiting for. */
export function timedOut(pending: PendingSend, phase: string): IoTHubError {
  const { options, lastFailure } = pending;
  const cause = lastFailure?.toError(options);
  const reason = `not done within ${options.timeoutInMs} ms: ${phase}`;
  return failureOf(pending, new AmqpFailure(reason, { code: "Timeout", retryable: true, cause }));
}

/** Creates the error of a send that would exceed the limits of what may wait. */
export function tooManyPending(call: FailedCall, pending: number, bytes: number): IoTHubError {
  const waiting = `${pending} messages of ${bytes} bytes in total are already waiting to be sent`;
  const reason = `${waiting}; await some of those sends before starting more`;
  return failure(call, "TooManyPendingMessages", reason, { retryable: true });
}

/** Creates the failure of a connection on which a verdict is overdue. */
export function noVerdict(timeoutInMs: number): AmqpFailure {
  return new AmqpFailure(`the hub gave no verdict on a message within ${timeoutInMs} ms`, {
    code: "Timeout",
    retryable: true,
  });
}
