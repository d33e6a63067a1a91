/** A condition: `undefined` for none, `"*"` for any etag, or else the etag that must match, without quotes. */
export type IfMatch = string | undefined;

/**
 * Reads an `If-Match` header. The hub accepts a star or an etag with or without quotes, and treats an empty value,
 * quoted or not, as if the header were absent.
 */
export function readIfMatch(header: string | null): IfMatch {
  if (header === null) return undefined;
  const text = header.trim();
  const quoted = text.length >= 2 && text.startsWith('"') && text.endsWith('"');
  const etag = quoted ? text.slice(1, -1) : text;
  return etag === "" ? undefined : etag;
}
