import type { AuthenticationMechanism, AuthenticationRequest } from "../../gen/types.gen.ts";
import { sasAuthenticationOfUpdate, x509Authentication } from "./authentication.ts";

/** The members of a change of an identity that concern how it signs in: either keys or thumbprints. */
export interface AuthenticationChange {
  /** The first key, in base64. */
  primaryKey?: string | undefined;
  /** The second key, in base64. */
  secondaryKey?: string | undefined;
  /** The thumbprint of the first certificate. */
  primaryThumbprint?: string | undefined;
  /** The thumbprint of the second certificate; `null` removes it. */
  secondaryThumbprint?: string | null | undefined;
}

/** The names of these members. */
export const AUTHENTICATION_CHANGE: readonly string[] = [
  "primaryKey",
  "secondaryKey",
  "primaryThumbprint",
  "secondaryThumbprint",
];

/**
 * Describes how an identity signs in after a change. A key or thumbprint that the change leaves out stays. An identity that
 * has none yet, since it signs in in another way, needs both keys, or the first thumbprint.
 */
export function changedAuthentication(
  change: AuthenticationChange,
  { type, symmetricKey, x509Thumbprint }: Partial<AuthenticationMechanism> = {},
): AuthenticationRequest {
  const { primaryKey, secondaryKey, primaryThumbprint, secondaryThumbprint } = change;
  const changesKeys = primaryKey !== undefined || secondaryKey !== undefined;
  const changesThumbprints = primaryThumbprint !== undefined || secondaryThumbprint !== undefined;
  if (changesKeys && changesThumbprints) {
    throw new TypeError("Cannot use keys and thumbprints in the change: an identity signs in with one or the other");
  }
  if (changesThumbprints) {
    return x509Authentication({
      primaryThumbprint: changed(primaryThumbprint, x509Thumbprint?.primaryThumbprint as string),
      secondaryThumbprint: changed(secondaryThumbprint, x509Thumbprint?.secondaryThumbprint),
    });
  }
  // The hub would make new keys for an identity that comes without.
  if (changesKeys || type === "sas" || type === undefined) {
    return sasAuthenticationOfUpdate({
      primaryKey: changed(primaryKey, symmetricKey?.primaryKey as string),
      secondaryKey: changed(secondaryKey, symmetricKey?.secondaryKey as string),
    });
  }
  return type === "selfSigned" ? { type, x509Thumbprint } : { type };
}

/** Returns what a change says, or else what there is. */
export function changed<T>(value: T | undefined, current: T): T {
  return value === undefined ? current : value;
}
