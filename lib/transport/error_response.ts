import { errorNameOf } from "../errors/error_codes.ts";
import type { IoTHubError, IoTHubErrorCode } from "../errors/errors.ts";
import { type FailedCall, failure } from "../errors/failures.ts";
import type { HubRight, OperationFacts } from "./operations.ts";
import { reportedError } from "./reported_error.ts";
import { answeredAt, type WireResponse } from "./http_wire.ts";

/** A call that may fail, with what is known of its method. */
export interface CallSubject extends FailedCall {
  readonly facts: OperationFacts;
  /** What the caller can do about an error that only such calls have, by its code. */
  readonly advice?: Readonly<Record<string, string>>;
}

/** Codes for statuses whose first numbers (404000, 404001) have no name, or one that says more than the status does. */
const STATUS_CODES: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  409: "Conflict",
  413: "HttpError",
  499: "HttpError",
  504: "GatewayTimeout",
};

/** Statuses that say nothing against the request itself. */
const RETRYABLE_STATUSES: readonly number[] = [408, 429, 500, 502, 503, 504];

/** A device that does not answer in time is the one 504 that is about the device and not about the way to it. */
const DEVICE_DID_NOT_ANSWER = 504101;

/** What the caller can do about a status. */
const ADVICE: Readonly<Record<number, string>> = {
  403: "a quota or a limit of the hub is reached, or its tier lacks this operation",
  409: "update it instead, or choose another id",
  412: "it has changed: read it again, and use its new etag",
  429: "wait, or ask for less at once",
  504: "it may have been carried out all the same",
};

/** Turns an HTTP answer that is no success into the error that says so. */
export function errorFromResponse(
  subject: CallSubject,
  response: WireResponse,
  signedInAs: string,
  secrets: readonly string[],
): IoTHubError {
  const { status, headers } = response;
  const { name, errorNumber, trackingId, text } = reportedError(response, secrets);
  const code = name ?? codeOf(status);
  const now = answeredAt(response);
  const advice = subject.advice?.[code] ??
    (status === 401 ? unauthorizedAdvice(subject.facts.right, signedInAs, now) : ADVICE[status]);
  const line = text.replace(/\s+/g, " ").replace(/^(.{400}).+/, "$1…");
  const reason = [
    `the hub answered ${status} ${code}`,
    errorNumber && ` (${errorNumber})`,
    line && `: ${line}`,
    advice && `; ${advice}`,
  ];
  return failure(subject, code, reason.join(""), {
    retryable: RETRYABLE_STATUSES.includes(status) && errorNumber !== DEVICE_DID_NOT_ANSWER,
    statusCode: status,
    errorNumber,
    trackingId,
    retryAfterInMs: retryAfter(headers.get("retry-after"), now) ??
      retryAfter(/\bwait (\d+) seconds?\b/i.exec(text)?.[1], now),
  });
}

/** The code for a status that comes without a name, from a proxy for example. */
function codeOf(status: number): IoTHubErrorCode {
  return STATUS_CODES[status] ?? errorNameOf(status * 1000) ?? errorNameOf(status * 1000 + 1) ?? "HttpError";
}

/** A policy without the right, a wrong key, or a clock that makes the token expired: 401 looks the same for all. */
function unauthorizedAdvice(right: HubRight, signedInAs: string, answeredAt: number): string {
  const off = Math.round((Date.now() - answeredAt) / 1000);
  const clock = Math.abs(off) > 60 ? `, which is ${Math.abs(off)} s ${off > 0 ? "ahead of" : "behind"} the hub's` : "";
  return `check that ${signedInAs} has the right ${right}, its key, and this machine's clock${clock}`;
}

/** A wait in milliseconds that is given in seconds, or by its end; however many digits there are, it can be counted with. */
function retryAfter(value: string | null | undefined, now: number): number | undefined {
  const wait = /^\s*\d+\s*$/.test(value ?? "") ? Number(value) * 1000 : Date.parse(value ?? "") - now;
  return wait >= 0 ? Math.min(wait, Number.MAX_SAFE_INTEGER) : undefined;
}
