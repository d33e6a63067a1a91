import { encodeBase64 } from "../values/base64.ts";

const ENCODER = new TextEncoder();

/** Returns the SHA-256 digest of a text, in base64. */
export async function digest(text: string): Promise<string> {
  return encodeBase64(new Uint8Array(await crypto.subtle.digest("SHA-256", ENCODER.encode(text))));
}
