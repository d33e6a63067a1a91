import { invalidArgument } from "../hub_fault.ts";

/** Where the next page of a query starts. */
export interface Continuation {
  /** The sequence number of the last record, or the key of the last group, of the pages before. */
  readonly after: number | string;
  /** How many rows the pages before had. */
  readonly taken: number;
}

/** Writes a token that is good for one query text on one hub. */
export function writeContinuation(hubId: string, query: string, { after, taken }: Continuation): string {
  const json = JSON.stringify([fingerprint(hubId, query), after, taken]);
  return btoa(String.fromCharCode(...new TextEncoder().encode(json)));
}

/** @throws 400 `ArgumentInvalid` for a token that this hub has not written for this query text */
export function readContinuation(hubId: string, query: string, token: string): Continuation {
  const parts = parse(token);
  if (!Array.isArray(parts) || parts.length !== 3) {
    throw invalidArgument("The continuation token is not one of this hub");
  }
  const [mark, after, taken] = parts;
  if (mark !== fingerprint(hubId, query)) {
    throw invalidArgument("The continuation token belongs to another query: repeat the query text of the first page");
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

/** FNV-1a, twice: enough to tell query texts apart, and not meant to keep anything secret. */
function fingerprint(hubId: string, query: string): string {
  let low = 0x811c9dc5;
  let high = 0x01234567;
  for (const char of `${hubId} ${query}`) {
    low = Math.imul(low ^ char.codePointAt(0)!, 0x01000193);
    high = Math.imul(high ^ char.codePointAt(0)!, 0x01000193);
  }
  return `${(low >>> 0).toString(36)}${(high >>> 0).toString(36)}`;
}
