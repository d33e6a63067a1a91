import { checkType, quote } from "./identifiers.ts";

/** What `If-Match` says when the caller names no etag: whatever is there. Quoted, since the hub ignores an unquoted star. */
export const ANY_ETAG = '"*"';

/**
 * The `If-Match` value for an etag. The hub ignores a value without quotes, and the write goes through although the
 * etag is stale, so that quotes are added where they are missing.
 */
export function ifMatch(etag: string | undefined): string {
  if (etag === undefined) return ANY_ETAG;
  checkType("etag", etag, "string");
  const bare = etag.length > 1 && etag.startsWith('"') && etag.endsWith('"') ? etag.slice(1, -1) : etag;
  // Visible ASCII without a quote is what RFC 9110 allows in an etag that a header can carry unharmed. An empty one
  // would count as absent on the hub and turn a conditional write into an unconditional one; a weak one never matches.
  if (!/^[\x21\x23-\x7e]+$/.test(bare)) {
    throw new RangeError(
      `Cannot use etag ${quote(etag)}: it must be one or more visible ASCII characters, without quotes inside; ` +
        "leave it out to accept any",
    );
  }
  return `"${bare}"`;
}
