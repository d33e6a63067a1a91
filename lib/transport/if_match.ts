import { checkType, quote, wrongValue } from "../values/checks.ts";
import type { OperationOptions } from "../timing/operation_options.ts";

/** The etag of a caller who names none: whatever is there. */
const ANY_ETAG = "*";

/**
 * The headers of a write that holds for an etag only. The hub ignores a value without quotes, be it the star, and the
 * write goes through although the etag is stale, so that quotes are added where they are missing.
 */
export function ifMatch({ etag = ANY_ETAG }: OperationOptions & { etag?: string }): { "If-Match": string } {
  checkType("etag", etag, "string");
  // Visible ASCII without a quote is what RFC 9110 allows in an etag that a header can carry unharmed. An empty one
  // would count as absent on the hub and turn a conditional write into an unconditional one; a weak one never matches.
  const bare = /^("?)([\x21\x23-\x7e]+)\1$/.exec(etag)?.[2];
  if (bare === undefined) {
    throw wrongValue(`etag ${quote(etag)}`, "visible ASCII without quotes inside; leave it out to accept any");
  }
  return { "If-Match": `"${bare}"` };
}
