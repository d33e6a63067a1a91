import { cannotUse } from "../../values/checks.ts";
import { invalidArgument } from "../hub_fault.ts";

/** Where the next page of a query starts. */
export interface Continuation {
  /** The sequence number of the last record, or the key of the last group, of the previous page. */
  readonly after: number | string;
  /** How many rows all previous pages had together. */
  readonly taken: number;
}

/** Creates a token that is valid for one query text on one hub. */
export function writeContinuation(hubId: string, query: string, { after, taken }: Continuation): string {
  const json = JSON.stringify([fingerprint(hubId, query), after, taken]);
  // The key of a group can be long: each byte as an argument of a function would be too many.
  return btoa(Array.from(new TextEncoder().encode(json), (byte) => String.fromCharCode(byte)).join(""));
}

/**
 * Reads a token.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when this hub did not create the token for this query text.
 */
export function readContinuation(hubId: string, query: string, token: string): Continuation {
  const parts = parse(token);
  const [expected, after, taken] = Array.isArray(parts) && parts.length === 3 ? parts : [];
  if (typeof expected !== "string" || !["string", "number"].includes(typeof after) || !Number.isSafeInteger(taken)) {
    throw invalidArgument(cannotUse("the continuation token", "one that this hub has returned"));
  }
  if (expected !== fingerprint(hubId, query)) {
    throw invalidArgument(
      cannotUse("the continuation token of another query", "used with the query text of the first page"),
    );
  }
  return { after, taken };
}

function parse(token: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(token), (char) => char.charCodeAt(0))));
  } catch {
    return undefined;
  }
}

/** Hashes with FNV-1a, twice. This tells query texts apart; it does not protect anything. */
function fingerprint(hubId: string, query: string): string {
  let low = 0x811c9dc5;
  let high = 0x01234567;
  for (const char of `${hubId} ${query}`) {
    low = Math.imul(low ^ char.codePointAt(0)!, 0x01000193);
    high = Math.imul(high ^ char.codePointAt(0)!, 0x01000193);
  }
  return `${(low >>> 0).toString(36)}${(high >>> 0).toString(36)}`;
}
