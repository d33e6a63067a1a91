import type { AuthenticationMechanism, AuthenticationRequest } from "../../gen/types.gen.ts";
import { digest } from "./digest.ts";

/** As long as the keys that the hub makes, and a byte that fills the last block of base64. */
const BLOCK_LENGTH = 33;
const KEY_LENGTH_IN_BASE64 = 43;

/** Makes random keys as the hub makes them: 32 bytes in base64. */
export function newKeys(count: number): string[] {
  const bytes = crypto.getRandomValues(new Uint8Array(count * BLOCK_LENGTH));
  for (let end = BLOCK_LENGTH - 1; end < bytes.length; end += BLOCK_LENGTH) bytes[end] = 0;
  // One call for all of them costs a tenth of one for each.
  const text = btoa(String.fromCharCode(...bytes));
  return Array.from({ length: count }, (_, index) => {
    const start = index * (KEY_LENGTH_IN_BASE64 + 1);
    return `${text.slice(start, start + KEY_LENGTH_IN_BASE64)}=`;
  });
}

/** How many keys a way to sign in lacks, which the hub would make. */
export function missingKeys(authentication: AuthenticationRequest | null | undefined): number {
  const { type, symmetricKey, x509Thumbprint } = authentication ?? {};
  if (type === undefined ? x509Thumbprint : type !== "sas") return 0;
  return Number(!symmetricKey?.primaryKey) + Number(!symmetricKey?.secondaryKey);
}

/** Gives a way to sign in the keys that it lacks. */
export function withKeys(
  authentication: AuthenticationRequest | null | undefined,
  keys: () => string,
): AuthenticationRequest {
  const { primaryKey, secondaryKey } = authentication?.symmetricKey ?? {};
  return {
    ...authentication,
    type: "sas",
    symmetricKey: { primaryKey: primaryKey || keys(), secondaryKey: secondaryKey || keys() },
  };
}

/** Returns a digest of what a device signs in with, which is the same for what is sent and for what the hub has. */
export function digestOf(
  authentication: AuthenticationRequest | AuthenticationMechanism | null | undefined,
): Promise<string> {
  const { type, symmetricKey, x509Thumbprint } = authentication ?? {};
  if (type === "sas" || (type === undefined && symmetricKey)) {
    return digest(JSON.stringify(["sas", symmetricKey?.primaryKey, symmetricKey?.secondaryKey]));
  }
  if (type !== "selfSigned" && !(type === undefined && x509Thumbprint)) return digest(String(type));
  const { primaryThumbprint, secondaryThumbprint } = x509Thumbprint ?? {};
  return digest(
    JSON.stringify(["selfSigned", primaryThumbprint?.toUpperCase(), secondaryThumbprint?.toUpperCase() || null]),
  );
}
