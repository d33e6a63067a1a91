import { causeToShow } from "../errors/shown_cause.ts";
import { IoTHubError, type IoTHubErrorFacts } from "../errors/errors.ts";
import { type FailedCall, failure } from "../errors/failures.ts";
import { isForbidden, remedyFor } from "../errors/network_failure.ts";
import { redactText, shorten } from "../errors/redaction.ts";

/**
 * A failure of a connection or link, not yet tied to a call. One broken connection can fail many sends, and each of
 * them gets an `IoTHubError` of its own.
 */
export class AmqpFailure extends Error {
  readonly facts: Omit<IoTHubErrorFacts, "operation">;

  constructor(reason: string, facts: Omit<IoTHubErrorFacts, "operation">) {
    super(reason);
    this.facts = facts;
  }

  /** Creates the error for one call that it has failed. */
  toError(call: FailedCall): IoTHubError {
    return failure(call, this.facts.code, this.message, this.facts);
  }
}

/**
 * Converts whatever was thrown or emitted to a failure.
 *
 * @param during What was being done.
 * @param secrets What must not be shown.
 * @param advice What the user can do, if the error itself does not tell.
 */
export function toFailure(
  error: unknown,
  during: string,
  secrets: readonly string[],
  advice: string = "",
): AmqpFailure {
  if (error instanceof AmqpFailure) return error;
  if (error instanceof IoTHubError) {
    const { code, retryable, statusCode, errorNumber, trackingId, cause } = error;
    const reason = error.message.replace(`Cannot complete ${error.operation}: `, "");
    return new AmqpFailure(reason, { code, retryable, statusCode, errorNumber, trackingId, cause });
  }
  const remedy = remedyFor(error);
  const rest = remedy ?? advice;
  return new AmqpFailure(`${during} failed (${describe(error, secrets)})${rest === "" ? "" : `; ${rest}`}`, {
    code: isForbidden(error) ? "PermissionDenied" : "NetworkError",
    retryable: remedy === undefined,
    ...(error instanceof Error ? { cause: causeToShow(error, secrets) } : {}),
  });
}

/** Node's WebSocket, for one, keeps to itself why it could not connect. */
const NO_REASON = "the runtime does not say why";

/** Describes an error. Sockets emit errors; WebSockets emit DOM events that hold an error, a text or nothing at all. */
function describe(error: unknown, secrets: readonly string[]): string {
  if (typeof error !== "object" || error === null) return NO_REASON;
  const { error: inner, message, reason, code } = error as Record<string, unknown>;
  if (inner instanceof Error && inner !== error) return describe(inner, secrets);
  for (const text of [message, reason]) {
    if (typeof text === "string" && text !== "") return shorten(redactText(text, secrets));
  }
  // When every address of a host name has failed, the message is empty and the errors are inside.
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0], secrets);
  return code === undefined ? NO_REASON : `code ${String(code)}`;
}
