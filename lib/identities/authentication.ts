import type { AuthenticationMechanism } from "../../gen/types.gen.ts";
import { checkType } from "../values/checks.ts";

/** The two keys of an identity, base64 of 16 to 64 bytes each. */
export interface SymmetricKeys {
  /** The first key. */
  primaryKey: string;
  /** The second key, so that one can be changed while the other is in use. */
  secondaryKey: string;
}

/** The thumbprints of an identity's certificates: hexadecimal SHA-1 or SHA-256. */
export interface X509Thumbprints {
  /** The first certificate's. */
  primaryThumbprint: string;
  /** The second certificate's, so that one can be changed while the other is in use. */
  secondaryThumbprint?: string;
}

/** Sign-in with keys. A key left out is the hub's to make. */
export function sasAuthentication({ primaryKey, secondaryKey }: Partial<SymmetricKeys>): AuthenticationMechanism {
  if (primaryKey !== undefined) checkType("primaryKey", primaryKey, "string");
  if (secondaryKey !== undefined) checkType("secondaryKey", secondaryKey, "string");
  return { type: "sas", symmetricKey: { primaryKey, secondaryKey } };
}

/**
 * Sign-in with the keys of an update. There both must be given: the hub takes a key left out for the wish for a new one,
 * and the device would be locked out.
 */
export function sasAuthenticationOfUpdate(keys: SymmetricKeys): AuthenticationMechanism {
  checkType("primaryKey", keys.primaryKey, "string");
  checkType("secondaryKey", keys.secondaryKey, "string");
  return sasAuthentication(keys);
}

/** Sign-in with self-signed certificates that the hub knows by their thumbprints. */
export function x509Authentication(
  { primaryThumbprint, secondaryThumbprint }: X509Thumbprints,
): AuthenticationMechanism {
  checkType("primaryThumbprint", primaryThumbprint, "string");
  if (secondaryThumbprint !== undefined) checkType("secondaryThumbprint", secondaryThumbprint, "string");
  return { type: "selfSigned", x509Thumbprint: { primaryThumbprint, secondaryThumbprint } };
}

/** Sign-in with certificates of an authority that the hub trusts. */
export function certificateAuthority(): AuthenticationMechanism {
  return { type: "certificateAuthority" };
}
