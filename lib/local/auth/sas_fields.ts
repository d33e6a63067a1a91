import { fromBase64 } from "../keys.ts";
import { type HubFault, unauthorized } from "../hub_fault.ts";

/** What stands in a shared access signature. */
export interface SasFields {
  /** Exactly as in the token: this, not its meaning, is what is signed. */
  readonly sr: string;
  readonly sig: string;
  readonly se: string;
  /** The policy; none in the token of a device. */
  readonly skn: string | undefined;
}

/** @throws 401 that says what is wrong with the token */
export function parseSas(token: string): SasFields {
  const fields = new Map<string, string>();
  for (const field of token.slice(token.indexOf(" ") + 1).trim().split("&")) {
    const at = field.indexOf("=");
    if (at > 0) fields.set(field.slice(0, at), field.slice(at + 1));
  }
  for (const name of ["sr", "sig", "se"]) {
    if (!fields.get(name)) throw badToken(`the token has no ${name}`);
  }
  const se = fields.get("se")!;
  if (!/^\d+$/.test(se)) throw badToken("se of the token must be seconds since 1970, in digits");
  const skn = fields.get("skn");
  return {
    sr: fields.get("sr")!,
    sig: unescape("sig", fields.get("sig")!),
    se,
    skn: skn ? unescape("skn", skn) : undefined,
  };
}

/**
 * The segments of the path for which a token is.
 *
 * @throws 401 for a token that is for another host
 */
export function pathOfSas({ sr }: SasFields, hostName: string): string[] {
  const [host = "", ...path] = unescape("sr", sr).split("/");
  if (host.toLowerCase() !== hostName.toLowerCase()) throw badToken(`the token is for another host than ${hostName}`);
  return path.filter((segment) => segment !== "");
}

/** Whether one of the keys has made the signature. */
export async function isSignedBy({ sr, se, sig }: SasFields, keys: readonly CryptoKey[]): Promise<boolean> {
  const signature = fromBase64(sig);
  if (signature === undefined) return false;
  const signed = new TextEncoder().encode(`${sr}\n${se}`);
  for (const key of keys) {
    if (await crypto.subtle.verify("HMAC", key, signature, signed)) return true;
  }
  return false;
}

/** A key in base64, ready to verify signatures. */
export function importVerifyingKey(key: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", fromBase64(key)!, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

/**
 * When a token expires, in milliseconds since the epoch.
 *
 * @throws 401 where that is over
 */
export function expiryOfSas({ se }: SasFields, now: number, clockSkew: number): number {
  const expiresOn = Number(se) * 1000 + clockSkew;
  if (now >= expiresOn) throw badToken("the token has expired, sign a new one");
  return expiresOn;
}

/** An id that may be percent-encoded. */
export function decodeId(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

/** 401: the token is not good. */
export function badToken(reason: string): HubFault {
  return unauthorized("IotHubUnauthorized", `Unauthorized: ${reason}`);
}

function unescape(name: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badToken(`${name} of the token is not well percent-encoded`);
  }
}
