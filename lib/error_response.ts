import { errorNameOf, errorNumberOf } from "./error_codes.ts";
import { IoTHubError } from "./errors.ts";
import { redactText } from "./redaction.ts";

/** What an error's text is about: the method and the identity it was called for. */
export interface CallSubject {
  /** The method's name, such as `"getTwin"`. */
  readonly operation: string;
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

/** Turns an HTTP answer that is no success into the error that says so. Every shape the hub uses is understood here. */
export function errorFromResponse(
  subject: CallSubject,
  status: number,
  header: (name: string) => string | null,
  body: string,
): IoTHubError {
  const facts: ErrorFacts = {};
  readBody(body, facts);
  const named = nameOf(header("iothub-errorcode") ?? header("iothuberrorcode"));
  const code = named ?? facts.code ?? STATUS_CODES[status] ?? "HttpError";
  const known = named ?? facts.code;
  const errorNumber = facts.errorNumber ?? (known === undefined ? undefined : errorNumberOf(known));
  const numbered = errorNumber === undefined ? code : `${code} (${errorNumber})`;
  const text = facts.text ? `: ${shorten(redactText(facts.text))}` : "";
  const advice = adviceFor(code, status);
  return new IoTHubError(
    `${failed(subject)}: the hub answered ${status} ${numbered}${text}${advice && `; ${advice}`}`,
    {
      code,
      operation: subject.operation,
      retryable: RETRYABLE_STATUSES.has(status) && errorNumber !== DEVICE_DID_NOT_ANSWER,
      statusCode: status,
      errorNumber,
      trackingId: facts.trackingId,
    },
  );
}

/** The beginning of every message: what could not be done, to whom. */
export function failed(subject: CallSubject): string {
  const device = subject.deviceId === undefined ? "" : ` of device ${JSON.stringify(subject.deviceId)}`;
  const module = subject.moduleId === undefined ? "" : `, module ${JSON.stringify(subject.moduleId)}`;
  return `Cannot complete ${subject.operation}${device}${module}`;
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
        if (typeof value === "string" && value !== "") facts.trackingId = value;
        break;
      case "exceptionmessage":
        if (typeof value === "string") readTrackingId(value, facts);
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
function readText(text: string, facts: ErrorFacts): void {
  const match = /^\s*ErrorCode:\s*([^;\s]+)\s*;?([\s\S]*)$/i.exec(text);
  if (match !== null) readCode(match[1], facts);
  const rest = (match?.[2] ?? text).trim();
  if (rest !== "") facts.text = rest;
  readTrackingId(text, facts);
}

function readCode(value: unknown, facts: ErrorFacts): void {
  const number = typeof value === "number" ? value : /^\d{6}$/.test(String(value)) ? Number(value) : undefined;
  if (number !== undefined) facts.errorNumber = number;
  if (typeof value === "number" || typeof value === "string") facts.code ??= nameOf(String(value));
}

function readTrackingId(text: string, facts: ErrorFacts): void {
  const match = /Tracking\s*ID:\s*(.+?)(?=-G\d*:|-TimeStamp:|[\s;,]|$)/i.exec(text);
  if (match?.[1]) facts.trackingId ??= match[1];
}

function nameOf(nameOrNumber: string | null): string | undefined {
  if (!nameOrNumber) return undefined;
  return /^\d+$/.test(nameOrNumber) ? errorNameOf(Number(nameOrNumber)) : nameOrNumber;
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
    case 401:
      return "check the policy's rights and its key, the token's expiry, and this machine's clock";
    case 403:
      return "a quota or a limit of the hub is reached, or its tier lacks this operation";
    case 412:
      return "it changed since it was read: read it again and retry with the new etag";
    case 429:
      return "wait before the next call, or ask for less at once";
  }
  return "";
}
