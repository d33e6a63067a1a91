/** Decodes base64, with or without padding. Returns `undefined` for an empty text and for one that is not base64. */
export function decodeBase64(text: unknown): Uint8Array<ArrayBuffer> | undefined {
  // atob would also accept white space, which is never part of a key on purpose.
  if (typeof text !== "string" || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** Encodes bytes as base64. Each byte becomes an argument of a function, so there must not be too many. */
export function encodeBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode.apply(undefined, bytes as unknown as number[]));
}
