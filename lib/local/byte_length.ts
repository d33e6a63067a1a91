const ENCODER = new TextEncoder();
// deno-lint-ignore no-control-regex
const ASCII_REGEXP = /^[\x00-\x7f]*$/;

/** Returns the size of a text in UTF-8. Most texts are ASCII and need not be encoded for that. */
export function byteLength(text: string): number {
  return ASCII_REGEXP.test(text) ? text.length : ENCODER.encode(text).length;
}
