/** The fixed pieces of a URL template, and the parameters that stand between them. */
interface PathParts {
  readonly pieces: readonly string[];
  readonly parameters: readonly string[];
}

const prepared = new Map<string, PathParts>();

/**
 * Path and query of a request. Each path parameter is percent-encoded as one segment; that it is none of `.`, `..` and
 * the empty string has been checked before. Query parameters that are undefined are left out.
 */
export function requestPath(
  template: string,
  path: Record<string, string> = {},
  query: Record<string, unknown> = {},
): string {
  const { pieces, parameters } = prepared.get(template) ?? prepare(template);
  let result = pieces[0]!;
  for (let index = 0; index < parameters.length; index++) {
    result += encodeURIComponent(path[parameters[index]!]!) + pieces[index + 1]!;
  }
  let separator = "?";
  for (const name in query) {
    const value = query[name];
    if (value === undefined) continue;
    result += `${separator}${name}=${encodeURIComponent(String(value))}`;
    separator = "&";
  }
  return result;
}

function prepare(template: string): PathParts {
  const pieces = template.split(/\{\w+\}/);
  const parameters = Array.from(template.matchAll(/\{(\w+)\}/g), (match) => match[1]!);
  const parts = { pieces, parameters };
  prepared.set(template, parts);
  return parts;
}
