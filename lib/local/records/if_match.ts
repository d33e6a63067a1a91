/** `undefined`: no condition; `"*"`: whatever is there; anything else: exactly this etag, without quotes. */
export type IfMatch = string | undefined;

/**
 * Reads an `If-Match` header. The hub takes a quoted and an unquoted star or etag alike, and an empty value, quoted or
 * not, as if the header were absent.
 */
export function readIfMatch(header: string | null): IfMatch {
  if (header === null) return undefined;
  const text = header.trim();
  const quoted = text.length >= 2 && text.startsWith('"') && text.endsWith('"');
  const etag = quoted ? text.slice(1, -1) : text;
  return etag === "" ? undefined : etag;
}
