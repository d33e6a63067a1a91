import { checkType, quote, wrongValue } from "../values/checks.ts";
import type { OperationOptions } from "../timing/operation_options.ts";

/** The etag that matches any version, for callers that do not name one. */
const ANY_ETAG = "*";

/**
 * Returns the header of a write that must only succeed if the etag still matches. Missing quotes are added, around the star
 * too: the hub ignores a value without quotes, and the write would succeed although the etag is stale.
 */
export function ifMatch({ etag = ANY_ETAG }: OperationOptions & { etag?: string | undefined }): { "If-Match": string } {
  checkType("etag", etag, "string");
  const bare = bareEtag(etag);
  if (bare === undefined) {
    throw wrongValue(`etag ${quote(etag)}`, "visible ASCII without quotes inside; leave it out to match any");
  }
  return { "If-Match": `"${bare}"` };
}

/** Whether a write with this etag, which came from the hub, can only succeed if nobody has written in between. */
export function isEtag(etag: unknown): boolean {
  const bare = typeof etag === "string" ? bareEtag(etag) : undefined;
  return bare !== undefined && bare !== ANY_ETAG;
}

/**
 * Returns an etag without its quotes, or `undefined` if it is none.
 *
 * Visible ASCII without quotes is what RFC 9110 allows in an etag and what a header can transport unchanged. On the hub an
 * empty etag would count as a missing one, and turn a conditional write into an unconditional one. A weak etag never matches.
 */
export function bareEtag(etag: string): string | undefined {
  return /^("?)([\x21\x23-\x7e]+)\1$/.exec(etag)?.[2];
}
