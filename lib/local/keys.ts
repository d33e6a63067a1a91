import { decodeBase64, encodeBase64 } from "../values/base64.ts";

const STANDARD_BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Decodes standard base64 with padding, the only form that the hub accepts; `undefined` for any other text. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  return STANDARD_BASE64.test(text) ? decodeBase64(text) : undefined;
}

/** Creates a symmetric key as the hub does: 32 random bytes in base64. */
export function randomKey(): string {
  return encodeBase64(crypto.getRandomValues(new Uint8Array(32)));
}
