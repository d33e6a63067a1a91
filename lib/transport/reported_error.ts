import { errorNameOf, errorNumberOf } from "../errors/error_codes.ts";
import { parseJson } from "../values/json.ts";
import { redactText } from "../errors/redaction.ts";
import type { WireResponse } from "./http_wire.ts";

/** What an answer says about an error, with nothing secret in it. */
export interface ReportedError {
  /** The hub's name of the error; `undefined` where the answer has none, or a number that is not known. */
  readonly name: string | undefined;
  readonly errorNumber: number | undefined;
  readonly trackingId: string | undefined;
  /** Empty where the answer has none. */
  readonly text: string;
}

/** A tracking id that is longer is not the hub's. */
const MAX_ID_LENGTH = 128;

/** Reads an answer that is no success; every shape that the hub uses is understood. The `secrets` are taken out. */
export function reportedError({ body, headers }: WireResponse, secrets: readonly string[]): ReportedError {
  // Whatever comes from elsewhere may echo what was sent, and is redacted before it is taken apart: a secret is known by the
  // word in front of it.
  function textOf(value: unknown): string {
    return typeof value === "string" || typeof value === "number" ? redactText(String(value), secrets) : "";
  }
  // A page of HTML is a proxy's.
  const members = /^\s*</.test(body) ? {} : membersOf(body);
  const message = textOf(members.message);
  const [, code = "", text = message] = /^\s*ErrorCode:\s*([^;\s]+)\s*;?([\s\S]*)$/i.exec(message) ?? [];
  const header = headers.get("iothub-errorcode") ?? headers.get("iothuberrorcode");
  const codes = [header, members.errorcode, code].map(textOf);
  const name = codes.map(nameOf).find(Boolean);
  const number = codes.find((text) => /^[45]\d{5}$/.test(text));
  // More may follow at once, such as `-G:0-TimeStamp:01/01/2026 00:00:00`.
  const id = /Tracking\s*ID:\s*([^\s;,]+?)(?=-G\d*:|-TimeStamp:|[\s;,]|$)/i.exec(
    `${textOf(members.exceptionmessage)} ${message}`,
  );
  return {
    name,
    errorNumber: number === undefined ? errorNumberOf(name) : Number(number),
    trackingId: (textOf(members.trackingid) || id?.[1])?.slice(0, MAX_ID_LENGTH),
    text: text.trim(),
  };
}

/** The members of an error, their names in lower case. Its `Message` may hold the whole error again, as an object or as JSON text. */
function membersOf(error: unknown, depth = 0): Record<string, unknown> {
  const object = typeof error === "string" ? parseJson(error) : error;
  if (typeof object !== "object" || object === null || depth > 8) return { message: error };
  const members = Object.fromEntries(Object.entries(object).map(([name, value]) => [name.toLowerCase(), value]));
  return { ...members, ...membersOf(members.message, depth + 1) };
}

/** The name of an error; what is not made like a name is none. */
function nameOf(nameOrNumber: string): string | undefined {
  return errorNameOf(Number(nameOrNumber)) ?? (/^[A-Za-z]\w{0,99}$/.test(nameOrNumber) ? nameOrNumber : undefined);
}
