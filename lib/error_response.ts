import { errorNameOf, errorNumberOf } from "./error_codes.ts";
import { type ClientErrorCode, IoTHubError, type IoTHubErrorFacts } from "./errors.ts";
import { type OperationName, OPERATIONS } from "./operation_facts.ts";
import { redactText } from "./redaction.ts";

/** What an error's text is about: the method and the identity it was called for. */
export interface CallSubject {
  /** The method's name, such as `"getTwin"`. */
  readonly operation: OperationName;
  readonly deviceId?: string;
  readonly moduleId?: string;
}

/** What an answer says about an error, wherever in it that stands. */
interface ErrorFacts {
  code?: string;
  errorNumber?: number;
  trackingId?: string;
  text?: string;
}

/** Names for a status that comes without one, from a proxy for example. */
const STATUS_CODES: Readonly<Record<number, string>> = {
  400: "GenericBadRequest",
  401: "Unauthorized",
  403: "GenericForbidden",
  404: "GenericNotFound",
  405: "GenericMethodNotAllowed",
  409: "Conflict",
  412: "PreconditionFailed",
  415: "GenericUnsupportedMediaType",
  429: "GenericTooManyRequests",
  500: "ServerError",
  502: "GenericBadGateway",
  503: "ServiceUnavailable",
  504: "GatewayTimeout",
};

/** Statuses that say nothing against the request itself. */
const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** A device that does not answer in time is the one 504 that is about the device and not about the way to it. */
const DEVICE_DID_NOT_ANSWER = 504101;

/** What is read of a text at most; a message shows much less. */
const MAX_TEXT_LENGTH = 8192;

/** A tracking id that is longer is not the hub's. */
const MAX_ID_LENGTH = 128;

/** Turns an HTTP answer that is no success into the error that says so. Every shape the hub uses is understood here. */
export function errorFromResponse(
  subject: CallSubject,
  status: number,
  header: (name: string) => string | null,
  body: string,
  signedInAs: string,
  secrets: readonly string[] = [],
): IoTHubError {
  const facts: ErrorFacts = {};
  readBody(body, facts);
  hideSecretsOf(facts, secrets);
  const name = header("iothub-errorcode") ?? header("iothuberrorcode");
  const named = nameOf(name && redactText(name, secrets));
  const code = named ?? facts.code ?? STATUS_CODES[status] ?? "HttpError";
  const known = named ?? facts.code;
  const errorNumber = facts.errorNumber ?? (known === undefined ? undefined : errorNumberOf(known));
  const numbered = errorNumber === undefined ? code : `${code} (${errorNumber})`;
  const text = facts.text ? `: ${shorten(facts.text)}` : "";
  const advice = status === 401 ? unauthorizedAdvice(subject, signedInAs, header("date")) : adviceFor(code, status);
  return new IoTHubError(
    `${failed(subject)}: the hub answered ${status} ${numbered}${text}${advice && `; ${advice}`}`,
    {
      code,
      operation: subject.operation,
      retryable: RETRYABLE_STATUSES.has(status) && errorNumber !== DEVICE_DID_NOT_ANSWER,
      statusCode: status,
      errorNumber,
      trackingId: facts.trackingId?.slice(0, MAX_ID_LENGTH),
      retryAfterInMs: retryAfter(header, facts.text),
    },
  );
}

/** A policy without the right, a wrong key, or a clock that makes the token expired: 401 looks the same for all. */
function unauthorizedAdvice({ operation }: CallSubject, signedInAs: string, date: string | null): string {
  const off = date === null ? NaN : Math.round((Date.now() - Date.parse(date)) / 1000);
  const clock = Math.abs(off) > 60
    ? `this machine's clock, which is ${Math.abs(off)} s ${off > 0 ? "ahead of" : "behind"} the hub's`
    : "its key and this machine's clock";
  return `check that ${signedInAs} has the right ${OPERATIONS[operation].right}, and check ${clock}`;
}

/** The header comes from proxies; the hub itself writes the seconds into its text. */
function retryAfter(header: (name: string) => string | null, text: string | undefined): number | undefined {
  const value = header("retry-after");
  if (value !== null) {
    const until = Date.parse(value) - Date.parse(header("date") ?? new Date().toUTCString());
    const wait = /^\s*\d+\s*$/.test(value) ? toMilliseconds(value) : until;
    if (wait >= 0) return wait;
  }
  const seconds = /\bwait (\d+) seconds?\b/i.exec(text ?? "")?.[1];
  return seconds === undefined ? undefined : toMilliseconds(seconds);
}

/** However many digits there are, the result is a number that can be counted with. */
function toMilliseconds(seconds: string): number {
  return Math.min(Number(seconds) * 1000, Number.MAX_SAFE_INTEGER);
}

/** The error for a call that failed on this side of the wire, on the way, or by an answer that is none. */
export function failure(
  subject: Omit<CallSubject, "operation"> & { operation: string },
  code: ClientErrorCode,
  reason: string,
  facts: Partial<IoTHubErrorFacts> = {},
): IoTHubError {
  const { operation } = subject;
  return new IoTHubError(`${failed(subject)}: ${reason}`, { code, operation, retryable: false, ...facts });
}

/** The error for a call on a manager that is closed. */
export function closed(subject: Omit<CallSubject, "operation"> & { operation: string }): IoTHubError {
  return failure(subject, "Closed", "the manager is closed; make a new one");
}

/** The beginning of every message: what could not be done, to whom. */
function failed(subject: Omit<CallSubject, "operation"> & { operation: string }): string {
  const device = subject.deviceId === undefined ? "" : ` of device ${JSON.stringify(subject.deviceId)}`;
  const module = subject.moduleId === undefined ? "" : `, module ${JSON.stringify(subject.moduleId)}`;
  return `Cannot complete ${subject.operation}${device}${module}`;
}

/** Texts from elsewhere, so that they may echo what was sent. */
function hideSecretsOf(facts: ErrorFacts, secrets: readonly string[]): void {
  for (const name of ["code", "trackingId", "text"] as const) {
    const value = facts[name];
    if (value !== undefined) facts[name] = redactText(value, secrets);
  }
}

function readBody(body: string, facts: ErrorFacts): void {
  const json = parseObject(body);
  if (json !== undefined) readObject(json, facts, 0);
  else if (!body.trimStart().startsWith("<")) readText(body, facts);
}

/** Members are matched in any case, and a `Message` may hold the whole error again, as an object or as JSON text. */
function readObject(object: Record<string, unknown>, facts: ErrorFacts, depth: number): void {
  for (const [key, value] of Object.entries(object)) {
    switch (key.toLowerCase()) {
      case "errorcode":
        readCode(value, facts);
        break;
      case "trackingid":
        if (typeof value === "string" && value !== "") facts.trackingId = redactText(value);
        break;
      case "exceptionmessage":
        if (typeof value === "string") readTrackingId(redactText(value.slice(0, MAX_TEXT_LENGTH)), facts);
        break;
      case "message": {
        const nested = typeof value === "string" ? parseObject(value) : asObject(value);
        if (nested !== undefined && depth < 8) readObject(nested, facts, depth + 1);
        else if (typeof value === "string") readText(value, facts);
      }
    }
  }
}

/** `ErrorCode:<name>;<text>`, or just a text. */
function readText(raw: string, facts: ErrorFacts): void {
  // Redacted before it is taken apart: a secret is known by the word in front of it.
  const text = redactText(raw.slice(0, MAX_TEXT_LENGTH));
  const match = /^\s*ErrorCode:\s*([^;\s]+)\s*;?([\s\S]*)$/i.exec(text);
  if (match !== null) readCode(match[1], facts);
  const rest = (match?.[2] ?? text).trim();
  if (rest !== "") facts.text = rest;
  readTrackingId(text, facts);
}

function readCode(value: unknown, facts: ErrorFacts): void {
  if (typeof value !== "number" && typeof value !== "string") return;
  const text = String(value);
  if (/^[45]\d{5}$/.test(text)) facts.errorNumber = Number(text);
  facts.code ??= nameOf(text);
}

function readTrackingId(text: string, facts: ErrorFacts): void {
  const match = /Tracking\s*ID:\s*(.+?)(?=-G\d*:|-TimeStamp:|[\s;,]|$)/i.exec(text);
  if (match?.[1]) facts.trackingId ??= match[1];
}

/** The name of an error; what is not made like a name is none, and may be a text with a secret. */
function nameOf(nameOrNumber: string | null): string | undefined {
  if (!nameOrNumber) return undefined;
  if (/^\d+$/.test(nameOrNumber)) return errorNameOf(Number(nameOrNumber));
  return /^[A-Za-z]\w{0,99}$/.test(nameOrNumber) ? nameOrNumber : undefined;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  if (!text.trimStart().startsWith("{")) return undefined;
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : undefined;
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 400 ? `${line.slice(0, 400)}…` : line;
}

/** What the caller can do about it. */
function adviceFor(code: string, status: number): string {
  switch (code) {
    case "DeviceAlreadyExists":
    case "ModuleAlreadyExistsOnDevice":
      return "update it instead, or choose another id";
    case "DeviceNotOnline":
      return "the device is not connected or takes no methods; connectTimeoutInSeconds makes the hub wait for it";
    case "GatewayTimeout":
      return status === 504 ? "the device may have run it all the same" : "";
  }
  switch (status) {
    case 403:
      return "a quota or a limit of the hub is reached, or its tier lacks this operation";
    case 412:
      return "it changed since it was read: read it again and retry with the new etag";
    case 429:
      return "wait before the next call, or ask for less at once";
  }
  return "";
}
