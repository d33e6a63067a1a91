/** A condition: `undefined` for none, `"*"` for any etag, or else the etag that must match, without quotes. */
export type IfMatch = string | undefined;

/**
 * Reads an `If-Match` header. The hub accepts a star or an etag with or without quotes, and treats an empty value,
 * quoted or not, as if the header were absent.
 */
export function readIfMatch(header: string | null): IfMatch {
  if (header === null) return undefined;
  const text = header.trim();
  const etag = isQuoted(text) ? text.slice(1, -1) : text;
  return etag === "" ? undefined : etag;
}

/**
 * Reads an `If-Match` header where the hub takes an etag in quotes only. Without them it is as if the header were
 * absent; a star needs none.
 */
export function readQuotedIfMatch(header: string | null): IfMatch {
  const text = header?.trim() ?? "";
  return text === "*" || isQuoted(text) ? readIfMatch(text) : undefined;
}

function isQuoted(text: string): boolean {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"');
}
