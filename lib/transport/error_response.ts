import type { HubCredential } from "../auth/credential.ts";
import { refusalAdvice } from "../auth/refusal_advice.ts";
import { proxyName } from "../client/proxy_name.ts";
import { errorNameOf } from "../errors/error_codes.ts";
import type { IoTHubError, IoTHubErrorCode } from "../errors/errors.ts";
import { type FailedCall, failure } from "../errors/failures.ts";
import type { HubRight, OperationFacts } from "./operations.ts";
import { PROXY_SIGN_IN } from "../errors/network_failure.ts";
import { shorten } from "../errors/redaction.ts";
import { mayHaveRun } from "../timing/retry.ts";
import { reportedError } from "./reported_error.ts";
import { answeredAt, type WireResponse } from "./http_wire.ts";
import { pageIn } from "./web_page.ts";

/** A call that may fail, with the facts about its method. */
export interface CallSubject extends FailedCall {
  readonly facts: OperationFacts;
  /** What the caller can do about errors that are specific to the method, by their codes. */
  readonly advice?: Readonly<Record<string, string>>;
}

/**
 * The codes for statuses whose first error numbers (such as 504000 and 504001) have no name, or (such as 413001) a name
 * that says more than the status does.
 */
const STATUS_CODES: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  409: "Conflict",
  413: "HttpError",
  499: "HttpError",
  504: "GatewayTimeout",
};

/** The statuses that do not mean that the request itself is wrong. */
const RETRYABLE_STATUSES: readonly number[] = [408, 429, 500, 502, 503, 504];

/** The device did not answer in time. Other errors with status 504 are about the connection, not about the device. */
const DEVICE_DID_NOT_ANSWER = 504101;

/** What is said of a call that the hub may have carried out although there was no good answer. */
export const MAY_HAVE_RUN = "it may still have been carried out";

/** What is said of an answer that comes from something on the way to the hub. */
export const NOT_THE_HUB = "sign in to this network if it asks for that, and check the host name, endpoint and proxy";

/** What the caller can do about a status. */
const ADVICE: Readonly<Record<number, string>> = {
  407: PROXY_SIGN_IN,
  409: "update it instead, or choose another id",
  412: "it has changed: read it again and use its new etag",
  429: "wait, or send fewer requests at once",
  504: MAY_HAVE_RUN,
  511: NOT_THE_HUB,
};

/** What errors tell about the hub and the way to it. */
export interface HubFacts {
  /** The source of the tokens. */
  readonly credential: Pick<HubCredential, "signedInAs" | "audience">;
  /** The URL of the proxy, if the client was given one. */
  readonly proxy: string | undefined;
}

/** Converts an HTTP answer that is not a success to an error. */
export function errorFromResponse(
  subject: CallSubject,
  response: WireResponse,
  hub: HubFacts,
  secrets: readonly string[],
): IoTHubError {
  const { status, headers, body } = response;
  const { name, errorNumber, trackingId, text } = reportedError(response, secrets);
  const code = name ?? codeOf(status);
  const now = answeredAt(response);
  const mayPass = RETRYABLE_STATUSES.includes(status) && errorNumber !== DEVICE_DID_NOT_ANSWER;
  const mayHarm = mayPass && !subject.facts.mayRunTwice && mayHaveRun({ code, statusCode: status, errorNumber });
  const line = shorten(text);
  const page = pageIn(body, secrets);
  const advice = subject.advice?.[code] ?? adviceOn(status, name, subject.facts.right, hub, now) ??
    (mayHarm ? MAY_HAVE_RUN : page && status < 500 ? NOT_THE_HUB : undefined);
  const reason = [
    `${whoAnswered(status, page, hub)} answered ${status} ${code}`,
    errorNumber && ` (${errorNumber})`,
    page && ` with ${page}`,
    line && `: ${line}`,
    advice && `; ${advice}`,
  ];
  return failure(subject, code, reason.join(""), {
    retryable: mayPass && !mayHarm,
    statusCode: status,
    errorNumber,
    trackingId,
    retryAfterInMs: retryAfter(headers.get("retry-after"), now) ??
      retryAfter(/\bwait (\d+) seconds?\b/i.exec(text)?.[1], now),
  });
}

/** Returns the code for a status without an error name, which a proxy may send for example. */
function codeOf(status: number): IoTHubErrorCode {
  return STATUS_CODES[status] ?? errorNameOf(status * 1000) ?? errorNameOf(status * 1000 + 1) ?? "HttpError";
}

function whoAnswered(status: number, page: string | undefined, { proxy }: HubFacts): string {
  if (status === 407) return proxyName(proxy);
  return page === undefined ? "the hub" : "a proxy or gateway";
}

/** Says what the caller can do about a status that came with this name of an error, or without any. */
function adviceOn(
  status: number,
  name: string | undefined,
  right: HubRight,
  { credential }: HubFacts,
  answeredAt: number,
): string | undefined {
  if (status === 401) return refusalAdvice(credential, right, clockFault(answeredAt));
  if (status !== 403) return ADVICE[status];
  if (name === undefined) {
    return "no hub refuses without a reason: a firewall or proxy may, or the hub's rules for networks";
  }
  return /Quota|Exceeded|Tier/.test(name)
    ? "a quota or limit of the hub was reached, or its tier lacks this"
    : undefined;
}

/** Says by how much this machine's clock is off, if that may be why a token was refused. */
function clockFault(answeredAt: number): string {
  const off = Math.round((Date.now() - answeredAt) / 1000);
  return Math.abs(off) > 60 ? `, which is ${Math.abs(off)} s ${off > 0 ? "ahead of" : "behind"} the hub's` : "";
}

/**
 * Reads a wait, which is given as a number of seconds or as the date of its end. It is returned in milliseconds, and limited
 * to a safe integer, however many digits there are.
 */
function retryAfter(value: string | null | undefined, now: number): number | undefined {
  const wait = /^\s*\d+\s*$/.test(value ?? "") ? Number(value) * 1000 : Date.parse(value ?? "") - now;
  return wait >= 0 ? Math.min(wait, Number.MAX_SAFE_INTEGER) : undefined;
}
