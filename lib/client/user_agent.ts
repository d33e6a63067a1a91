/** The version of this module. A test keeps it equal to the one in deno.json. */
export const VERSION = "0.1.0";

/**
 * Returns the value for the header `User-Agent`, or `undefined` in a browser. There a value of our own would cost a
 * preflight request for each request, and would say less than the browser's value.
 */
export function userAgent(prefix: string = ""): string | undefined {
  if (globalThis.navigator?.userAgent?.startsWith("Mozilla/")) return undefined;
  // A header's value would be trimmed too.
  return `${prefix} iothub-registry-manager/${VERSION}`.trim();
}
