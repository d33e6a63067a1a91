import { causeToShow } from "../errors/shown_cause.ts";
import { IoTHubError, type IoTHubErrorFacts } from "../errors/errors.ts";
import { isCertificateError } from "../errors/network_failure.ts";
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

  /** Creates the error for the caller of `operation`. */
  toError(operation: string): IoTHubError {
    return new IoTHubError(`Cannot complete ${operation}: ${this.message}`, { ...this.facts, operation });
  }
}

/** Converts whatever was thrown or emitted to a failure; `during` says what was being done. The `secrets` are removed. */
export function toFailure(error: unknown, during: string, secrets: readonly string[]): AmqpFailure {
  if (error instanceof AmqpFailure) return error;
  if (error instanceof IoTHubError) {
    const { code, retryable, statusCode, errorNumber, trackingId, cause } = error;
    const reason = error.message.replace(`Cannot complete ${error.operation}: `, "");
    return new AmqpFailure(reason, { code, retryable, statusCode, errorNumber, trackingId, cause });
  }
  return new AmqpFailure(`${during} failed (${describe(error, secrets)})`, {
    code: "NetworkError",
    retryable: !isCertificateError(error),
    ...(error instanceof Error ? { cause: causeToShow(error, secrets) } : {}),
  });
}

/** Describes an error. Sockets emit errors; WebSockets emit DOM events that hold an error, a text or nothing at all. */
function describe(error: unknown, secrets: readonly string[]): string {
  if (typeof error !== "object" || error === null) return "no reason was given";
  const { error: inner, message, reason, code } = error as Record<string, unknown>;
  if (inner instanceof Error && inner !== error) return describe(inner, secrets);
  for (const text of [message, reason]) {
    if (typeof text === "string" && text !== "") return shorten(redactText(text, secrets));
  }
  // When every address of a host name has failed, the message is empty and the errors are inside.
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0], secrets);
  return code === undefined ? "no reason was given" : `code ${String(code)}`;
}
