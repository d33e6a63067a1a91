/** Kept equal to the version in deno.json by a test. */
export const VERSION = "0.1.0";

/**
 * The value of `User-Agent`, or `undefined` in a browser: there it would only make each request need one more, to ask
 * for permission, and say less than the browser's own.
 */
export function userAgent(prefix: string = ""): string | undefined {
  if (globalThis.navigator?.userAgent?.startsWith("Mozilla/")) return undefined;
  // Trimmed as the header would be.
  return `${prefix} iothub-registry-manager/${VERSION}`.trim();
}
