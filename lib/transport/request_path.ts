/** The templates used so far, split into fixed texts and, between them, the names of parameters. */
const prepared = new Map<string, readonly string[]>();

/**
 * Returns the path and query of a request. Each path parameter is percent-encoded as one segment. The caller must have
 * checked that it is not empty, `.` or `..`. Query parameters that are `undefined` are left out.
 */
export function requestPath(
  template: string,
  path: Record<string, string> = {},
  query: Record<string, unknown> = {},
): string {
  let parts = prepared.get(template);
  if (parts === undefined) prepared.set(template, parts = template.split(/[{}]/));
  let result = parts[0]!;
  for (let index = 1; index < parts.length; index += 2) {
    result += encodeURIComponent(path[parts[index]!]!) + parts[index + 1]!;
  }
  let separator = "?";
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    result += `${separator}${name}=${encodeURIComponent(String(value))}`;
    separator = "&";
  }
  return result;
}
