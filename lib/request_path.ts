/**
 * Path and query of a request. Each path parameter is percent-encoded as one segment; that it is none of `.`, `..` and
 * the empty string has been checked before. Query parameters that are undefined are left out.
 */
export function requestPath(
  template: string,
  path: Record<string, string> = {},
  query: Record<string, unknown> = {},
): string {
  // Every second piece is a parameter.
  const pieces = template.split(/[{}]/);
  let result = pieces.map((piece, index) => index % 2 === 0 ? piece : encodeURIComponent(path[piece]!)).join("");
  let separator = "?";
  for (const name in query) {
    const value = query[name];
    if (value === undefined) continue;
    result += `${separator}${name}=${encodeURIComponent(String(value))}`;
    separator = "&";
  }
  return result;
}
