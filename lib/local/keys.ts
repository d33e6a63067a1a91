import { randomBytes } from "./random_bytes.ts";
import { decodeBase64, encodeBase64 } from "../values/base64.ts";

const STANDARD_BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Decodes standard base64 with padding, the only form that the hub accepts; `undefined` for any other text. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  return STANDARD_BASE64.test(text) ? decodeBase64(text) : undefined;
}

const MIN_KEY_BYTES = 16;
const MAX_KEY_BYTES = 64;

/** How long a symmetric key may be. */
export const KEY_LENGTH_RULE: string = `from ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes`;
/** What a symmetric key must be. */
export const SYMMETRIC_KEY_RULE: string = `standard base64 of ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes`;

/** Whether a symmetric key may have so many bytes. */
export function isKeyLength(length: number): boolean {
  return length >= MIN_KEY_BYTES && length <= MAX_KEY_BYTES;
}

/** Whether a text is what {@linkcode SYMMETRIC_KEY_RULE} says. */
export function isSymmetricKey(text: string): boolean {
  return isKeyLength(fromBase64(text)?.length ?? 0);
}

/** Creates a symmetric key as the hub does: 32 random bytes in base64. */
export function randomKey(): string {
  return encodeBase64(randomBytes(32));
}
