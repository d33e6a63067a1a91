import type { IoTHubErrorCode } from "../errors/errors.ts";
import { errorNameOf, errorNumberOf } from "../errors/error_codes.ts";
import { isObject, parseJson } from "../values/json.ts";
import { redactText, shorten } from "../errors/redaction.ts";
import { AmqpFailure } from "./amqp_failure.ts";

/** An AMQP error as it arrives in an outcome, a detach, an end or a close. */
export interface AmqpCondition {
  condition?: string;
  description?: string;
  info?: unknown;
}

const LIMIT_EXCEEDED = "amqp:resource-limit-exceeded";
const HUB_SUSPENDED = "com.microsoft:iot-hub-suspended";

/** What a condition means when the hub adds no error number. */
const MEANINGS: ReadonlyMap<string, { code: IoTHubErrorCode; retryable: boolean; statusCode?: number }> = new Map([
  ["amqp:not-found", { code: "DeviceNotFound", retryable: false }],
  ["amqp:unauthorized-access", { code: "Unauthorized", retryable: false, statusCode: 401 }],
  [LIMIT_EXCEEDED, { code: "DeviceMaximumQueueDepthExceeded", retryable: false }],
  ["amqp:link:message-size-exceeded", { code: "MessageTooLarge", retryable: false }],
  ["amqp:not-allowed", { code: "InvalidOperation", retryable: false }],
  ["amqp:not-implemented", { code: "InvalidOperation", retryable: false }],
  ["amqp:internal-error", { code: "ServerError", retryable: true }],
  ["amqp:precondition-failed", { code: "PreconditionFailed", retryable: false }],
  ["amqp:link:detach-forced", { code: "ServiceUnavailable", retryable: true }],
  ["amqp:connection:forced", { code: "ServiceUnavailable", retryable: true }],
  ["com.microsoft:timeout", { code: "Timeout", retryable: true }],
  ["com.microsoft:argument-error", { code: "ArgumentInvalid", retryable: false }],
  ["com.microsoft:argument-out-of-range", { code: "ArgumentInvalid", retryable: false }],
  ["com.microsoft:device-already-exists", { code: "DeviceAlreadyExists", retryable: false }],
  ["com.microsoft:device-container-throttled", { code: "ThrottlingException", retryable: true }],
  ["com.microsoft:quota-exceeded", { code: "IotHubQuotaExceeded", retryable: true }],
  ["com.microsoft:precondition-failed", { code: "PreconditionFailed", retryable: false }],
  ["com.microsoft:message-lock-lost", { code: "DeviceMessageLockLost", retryable: false }],
  [HUB_SUSPENDED, { code: "IotHubSuspended", retryable: false }],
  ["com.microsoft:iot-hub-not-found-error", { code: "IotHubNotFound", retryable: false }],
]);

/**
 * Converts a condition to a failure. `subject` begins its text, as in "the hub rejected the message". The `secrets` of
 * the connection are removed from the hub's description.
 */
export function failureOfCondition(
  error: AmqpCondition | undefined,
  subject: string,
  secrets: readonly string[],
): AmqpFailure {
  const condition = shownText(error?.condition, secrets) ?? "";
  const description = parseDescription(error?.description, secrets);
  const info = isObject(error?.info) ? error.info : {};
  const errorNumber = toErrorNumber(info["com.microsoft:error-code"]) ?? description.errorNumber;
  const trackingId = shownText(info["com.microsoft:tracking-id"], secrets) ?? description.trackingId;

  const meaning = MEANINGS.get(condition);
  const name = errorNumber === undefined ? undefined : errorNameOf(errorNumber);
  const code = name ?? meaning?.code ?? (condition === "" ? "NetworkError" : codeOf(condition));
  const number = errorNumber ?? errorNumberOf(code);
  const statusCode = number === undefined ? meaning?.statusCode : Math.floor(number / 1000);

  const why = [description.text, condition].filter((text) => text !== "").join(", ");
  return new AmqpFailure(`${subject}${why === "" ? "" : ` (${why})`}`, {
    code,
    // The number is more specific than the condition, but only the condition tells whether a retry can help.
    retryable: meaning?.retryable ?? (condition === "" || isPassing(statusCode)),
    ...(statusCode === undefined ? {} : { statusCode }),
    ...(number === undefined ? {} : { errorNumber: number }),
    ...(trackingId === undefined ? {} : { trackingId }),
  });
}

/**
 * Converts the condition with which the hub has closed a connection, session or link. Such a condition is about what was
 * closed and is no verdict on the messages that were on their way, even where it would be one in an outcome: the
 * resource whose limit was exceeded is not a device's queue, and what was not found is not a device.
 *
 * @param isRefused Whether the hub has never let it work, so that asking again may be in vain.
 */
export function failureOfClose(
  error: AmqpCondition | undefined,
  subject: string,
  secrets: readonly string[],
  { isRefused = false }: { isRefused?: boolean } = {},
): AmqpFailure {
  const failure = failureOfCondition(error, subject, secrets);
  const { retryable, statusCode, trackingId } = failure.facts;
  const condition = shownText(error?.condition, secrets) ?? "";
  if (retryable || statusCode === 401 || condition === HUB_SUSPENDED) return failure;
  const facts = trackingId === undefined ? {} : { trackingId };
  if (!isRefused || condition === LIMIT_EXCEEDED) {
    return new AmqpFailure(failure.message, { ...facts, code: "ServiceUnavailable", retryable: true });
  }
  if (failure.facts.code !== "DeviceNotFound") return failure;
  return new AmqpFailure(failure.message, { ...facts, code: codeOf(condition), retryable: false });
}

/** Converts a put-token reply that was neither 200 nor 202 to a failure. */
export function failureOfTokenReply(
  statusCode: number | undefined,
  statusDescription: unknown,
  secrets: readonly string[],
): AmqpFailure {
  const { text, errorNumber, trackingId } = parseDescription(statusDescription, secrets);
  const code: IoTHubErrorCode = (errorNumber === undefined ? undefined : errorNameOf(errorNumber)) ??
    (statusCode === undefined ? "InvalidResponse" : TOKEN_REPLIES.get(statusCode) ?? "Unauthorized");
  const status = statusCode === undefined ? "no status code" : `status ${statusCode}`;
  return new AmqpFailure(`the hub did not accept the token (${text === "" ? "" : `${text}, `}${status})`, {
    code,
    retryable: isPassing(statusCode),
    ...(statusCode === undefined ? {} : { statusCode }),
    ...(errorNumber === undefined ? {} : { errorNumber }),
    ...(trackingId === undefined ? {} : { trackingId }),
  });
}

const TOKEN_REPLIES: ReadonlyMap<number, IoTHubErrorCode> = new Map<number, IoTHubErrorCode>([
  [400, "ArgumentInvalid"],
  [404, "IotHubNotFound"],
  [429, "ThrottlingException"],
  [500, "ServerError"],
  [503, "ServiceUnavailable"],
]);

function isPassing(statusCode: number | undefined): boolean {
  return statusCode === 408 || statusCode === 429 ||
    (statusCode !== undefined && statusCode >= 500 && statusCode !== 501);
}

/** Reads a description, which is plain text or, from newer parts of the hub, JSON. The `secrets` are removed. */
function parseDescription(
  description: unknown,
  secrets: readonly string[],
): { text: string; errorNumber?: number | undefined; trackingId?: string | undefined } {
  const parsed = typeof description === "string" && description.startsWith("{") ? parseJson(description) : undefined;
  const text = shownText(description, secrets) ?? "";
  if (!isObject(parsed)) return { text };
  return {
    // Redacted again, since what is escaped in JSON text is not found there.
    text: shownText(parsed["message"], secrets) ?? shownText(parsed["Message"], secrets) ?? text,
    errorNumber: toErrorNumber(parsed["errorCode"]),
    trackingId: shownText(parsed["trackingId"], secrets),
  };
}

function toErrorNumber(value: unknown): number | undefined {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && number >= 400_000 && number < 600_000 ? number : undefined;
}

/** Returns the code for a condition without a meaning here, which is the condition itself if it looks like one. */
function codeOf(condition: string): IoTHubErrorCode {
  return /^[\w.:-]{1,100}$/.test(condition) ? condition : "InvalidResponse";
}

/** Returns a text of the hub as it may be shown; `undefined` if there is none. */
function shownText(value: unknown, secrets: readonly string[]): string | undefined {
  return typeof value === "string" && value !== "" ? shorten(redactText(value, secrets)) : undefined;
}
