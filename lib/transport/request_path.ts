/** The templates used so far, split into fixed texts and, between them, the names of parameters. */
const prepared = new Map<string, readonly string[]>();

/**
 * Returns the path of a request. Each parameter is percent-encoded as one segment. The caller must have checked that it is
 * not empty, `.` or `..`.
 */
export function requestPath(template: string, path: Record<string, string> = {}): string {
  let parts = prepared.get(template);
  if (parts === undefined) prepared.set(template, parts = template.split(/[{}]/));
  let result = parts[0]!;
  for (let index = 1; index < parts.length; index += 2) {
    result += encodeURIComponent(path[parts[index]!]!) + parts[index + 1]!;
  }
  return result;
}

/** Returns the query of a request, with its question mark. Parameters that are `undefined` are left out. */
export function queryText(query: Record<string, unknown> = {}): string {
  let result = "";
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) result += `${result && "&"}${name}=${encodeURIComponent(String(value))}`;
  }
  return result && `?${result}`;
}
