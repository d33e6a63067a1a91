import { causeToShow } from "../errors/shown_cause.ts";
import { IoTHubError, type IoTHubErrorFacts } from "../errors/errors.ts";
import { isCertificateError } from "../errors/network_failure.ts";
import { redactText } from "../errors/redaction.ts";

/**
 * What went wrong on a connection, before it is known whose call it spoils: one broken connection fails many sends, and
 * each of them gets an `IoTHubError` of its own.
 */
export class AmqpFailure extends Error {
  readonly facts: Omit<IoTHubErrorFacts, "operation">;

  constructor(reason: string, facts: Omit<IoTHubErrorFacts, "operation">) {
    super(reason);
    this.facts = facts;
  }

  /** The error for the caller of `operation`. */
  toError(operation: string): IoTHubError {
    return new IoTHubError(`Cannot complete ${operation}: ${this.message}`, { ...this.facts, operation });
  }
}

/** Whatever was thrown or emitted, as a failure; `during` says what was being done. */
export function toFailure(error: unknown, during: string): AmqpFailure {
  if (error instanceof AmqpFailure) return error;
  if (error instanceof IoTHubError) {
    const { code, retryable, statusCode, errorNumber, trackingId, cause } = error;
    const reason = error.message.replace(`Cannot complete ${error.operation}: `, "");
    return new AmqpFailure(reason, { code, retryable, statusCode, errorNumber, trackingId, cause });
  }
  return new AmqpFailure(`${during} failed (${describe(error)})`, {
    code: "NetworkError",
    retryable: !isCertificateError(error),
    ...(error instanceof Error ? { cause: causeToShow(error) } : {}),
  });
}

/** Sockets emit errors, WebSockets emit DOM events that may hold an error, a text, or nothing at all. */
function describe(error: unknown): string {
  if (typeof error !== "object" || error === null) return "no reason was given";
  const { error: inner, message, reason, code } = error as Record<string, unknown>;
  if (inner instanceof Error && inner !== error) return describe(inner);
  for (const text of [message, reason]) {
    if (typeof text === "string" && text !== "") return redactText(text);
  }
  // Several addresses of one name may all have refused: the errors sit inside, and the message is empty.
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  return code === undefined ? "no reason was given" : `code ${String(code)}`;
}
