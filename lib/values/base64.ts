/** The bytes of a base64 text, padded or not; `undefined` when it is empty or not base64. */
export function decodeBase64(text: unknown): Uint8Array<ArrayBuffer> | undefined {
  // atob would also take white space, which no key carries on purpose.
  if (typeof text !== "string" || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** The base64 text of some bytes, which must be few enough to be arguments of a function. */
export function encodeBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
