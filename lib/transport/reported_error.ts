import { errorNameOf, errorNumberOf } from "../errors/error_codes.ts";
import { parseJson } from "../values/json.ts";
import { redactText } from "../errors/redaction.ts";
import { isPage } from "./web_page.ts";
import type { WireResponse } from "./http_wire.ts";

/** What an answer says about an error, without secrets. */
export interface ReportedError {
  /** The hub's name for the error; `undefined` if the answer has neither a name nor a known error number. */
  readonly name: string | undefined;
  readonly errorNumber: number | undefined;
  readonly trackingId: string | undefined;
  /** The message, which is empty if the answer has none. */
  readonly text: string;
}

/** More of an error is not read: the hub's are far shorter. */
const MAX_TEXT_LENGTH = 65_536;

/** The hub's tracking ids are not longer. */
const MAX_ID_LENGTH = 128;

/** Reads an answer that is not a success, in any of the shapes that the hub uses. The `secrets` are removed. */
export function reportedError({ body = "", headers }: WireResponse, secrets: readonly string[]): ReportedError {
  // An answer may echo what was sent. It is redacted before it is split up, since a secret is recognized by the name in
  // front of it.
  function textOf(value: unknown): string {
    return typeof value === "string" || typeof value === "number"
      ? redactText(beginningOf(String(value)), secrets)
      : "";
  }
  // HTML comes from a proxy and says nothing about the error.
  const members = isPage(body) ? {} : membersOf(body);
  const message = textOf(members["message"]);
  const [, code = "", text = message] = /^\s*ErrorCode:\s*([^;\s]+)\s*;?([\s\S]*)$/i.exec(message) ?? [];
  const header = headers.get("iothub-errorcode") ?? headers.get("iothuberrorcode");
  const codes = [header, members["errorcode"], code].map(textOf);
  const name = codes.map(nameOf).find(Boolean);
  const number = codes.find((text) => /^[45]\d{5}$/.test(text));
  // More text may follow the id directly, such as `-G:0-TimeStamp:01/01/2026 00:00:00`.
  const id = /Tracking\s*ID:\s*([^\s;,]+?)(?=-G\d*:|-TimeStamp:|[\s;,]|$)/i.exec(
    `${textOf(members["exceptionmessage"])} ${message}`,
  );
  return {
    name,
    errorNumber: number === undefined ? errorNumberOf(name) : Number(number),
    trackingId: (textOf(members["trackingid"]) || id?.[1])?.slice(0, MAX_ID_LENGTH),
    text: text.trim(),
  };
}

/** Cuts a text that is too long, between two words: half a secret would not be found. */
function beginningOf(text: string): string {
  if (text.length <= MAX_TEXT_LENGTH) return text;
  return text.slice(0, Math.max(0, text.lastIndexOf(" ", MAX_TEXT_LENGTH)));
}

/**
 * Returns the members of an error, with their names in lower case. Its `Message` may contain the whole error again, as an
 * object or as JSON text.
 */
function membersOf(error: unknown, depth = 0): Record<string, unknown> {
  const object = typeof error === "string" ? parseJson(error) : error;
  if (typeof object !== "object" || object === null || depth > 8) return { message: error };
  const members = Object.fromEntries(Object.entries(object).map(([name, value]) => [name.toLowerCase(), value]));
  return { ...members, ...membersOf(members["message"], depth + 1) };
}

/** Returns the name of an error, or `undefined` for an unknown number and for a text that does not look like a name. */
function nameOf(nameOrNumber: string): string | undefined {
  return errorNameOf(Number(nameOrNumber)) ?? (/^[A-Za-z]\w{0,99}$/.test(nameOrNumber) ? nameOrNumber : undefined);
}
