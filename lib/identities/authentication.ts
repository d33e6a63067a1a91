import type { AuthenticationRequest } from "../../gen/types.gen.ts";
import { checkType } from "../values/checks.ts";

/** The two keys of an identity. Each has 16 to 64 bytes, in base64. */
export interface SymmetricKeys {
  /** The first key. */
  primaryKey: string;
  /** The second key. With two keys, one can be changed while the other is in use. */
  secondaryKey: string;
}

/** The thumbprints of an identity's certificates, which are SHA-1 or SHA-256 digests in hexadecimal. */
export interface X509Thumbprints {
  /** The thumbprint of the first certificate. */
  primaryThumbprint: string;
  /**
   * The thumbprint of the second certificate. With two, one can be changed while the other is in use. `null`, as in an
   * identity without one, is the same as none.
   */
  secondaryThumbprint?: string | null | undefined;
}

/** Describes sign-in with keys. The hub generates a key that is left out. */
export function sasAuthentication(
  { primaryKey, secondaryKey }: { primaryKey?: string | undefined; secondaryKey?: string | undefined },
): AuthenticationRequest {
  if (primaryKey !== undefined) checkType("primaryKey", primaryKey, "string");
  if (secondaryKey !== undefined) checkType("secondaryKey", secondaryKey, "string");
  return { type: "sas", symmetricKey: { primaryKey, secondaryKey } };
}

/**
 * Describes sign-in with the keys of an update. Both must be given, since the hub would replace a missing key with a new
 * one and so lock the device out.
 */
export function sasAuthenticationOfUpdate(keys: SymmetricKeys): AuthenticationRequest {
  checkType("primaryKey", keys.primaryKey, "string");
  checkType("secondaryKey", keys.secondaryKey, "string");
  return sasAuthentication(keys);
}

/** Describes sign-in with self-signed certificates, which the hub knows by their thumbprints. */
export function x509Authentication(
  { primaryThumbprint, secondaryThumbprint }: X509Thumbprints,
): AuthenticationRequest {
  checkType("primaryThumbprint", primaryThumbprint, "string");
  if (secondaryThumbprint !== undefined && secondaryThumbprint !== null) {
    checkType("secondaryThumbprint", secondaryThumbprint, "string");
  }
  return { type: "selfSigned", x509Thumbprint: { primaryThumbprint, secondaryThumbprint } };
}

/** Describes sign-in with certificates of an authority that the hub trusts. */
export function certificateAuthority(): AuthenticationRequest {
  return { type: "certificateAuthority" };
}
