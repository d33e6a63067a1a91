import { VERSION } from "../values/version.ts";

/**
 * Returns the value for the header `User-Agent`, or `undefined` in a browser. There a value of our own would cost a
 * preflight request for each request, and would say less than the browser's value.
 */
export function userAgent(prefix: string = ""): string | undefined {
  if (globalThis.navigator?.userAgent?.startsWith("Mozilla/")) return undefined;
  // A header's value would be trimmed too.
  return `${prefix} iothub-registry-manager/${VERSION}`.trim();
}
