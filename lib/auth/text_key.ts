import type { CryptoKey } from "../values/crypto_key.ts";

/** Imports a key whose own text signs, and not the bytes that it stands for: Event Hubs wants its tokens so. */
export function importTextKey(key: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", new TextEncoder().encode(key), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
}
