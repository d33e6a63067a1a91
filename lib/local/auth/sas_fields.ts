import { fromBase64 } from "../keys.ts";
import { cannotUse } from "../../values/checks.ts";
import { type HubFault, unauthorized } from "../hub_fault.ts";
import type { HubHosts } from "./hub_hosts.ts";
import { decodeOnce, readResourcePath } from "./resource_path.ts";
import type { CryptoKey } from "../../values/crypto_key.ts";

/** The fields of a shared access signature. */
export interface SasFields {
  /** The resource, encoded exactly as in the token: this text is what is signed. */
  readonly sr: string;
  /** The signature, decoded. */
  readonly sig: string;
  /** When the token expires, in seconds since the epoch. */
  readonly se: string;
  /** The name of the policy; `undefined` in the token of a device. */
  readonly skn: string | undefined;
}

/**
 * Reads a shared access signature.
 *
 * @throws {HubFault} `IotHubUnauthorized` (401) that says what is wrong with it.
 */
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
  if (!/^\d+$/.test(se)) throw badToken(cannotUse("se of the token", "digits: seconds since 1970"));
  const skn = fields.get("skn");
  return {
    sr: fields.get("sr")!,
    sig: unescape("sig", fields.get("sig")!),
    se,
    skn: skn ? unescape("skn", skn) : undefined,
  };
}

/**
 * Returns the segments of the path that a token is for. The field is encoded as a whole, and what it holds is the
 * address of a resource, whose ids are encoded as in any address.
 *
 * @throws {HubFault} `IotHubUnauthorized` (401) when the token is for another host.
 */
export function pathOfSas(sas: SasFields, hosts: HubHosts): string[] {
  const path = unescapedPathOfSas(sas, hosts);
  return readResourcePath(path.join("/")).map((segment, i) => segment ?? path[i]!);
}

/**
 * Returns every path that the signer of a token may have meant, the likeliest first. Some devices encode their id before
 * they encode the whole resource, some encode once, and some not at all. With ids that contain `%` these are different
 * identities: only the signature tells which of them has signed.
 *
 * @throws {HubFault} `IotHubUnauthorized` (401) when the token is for another host.
 */
export function possiblePathsOfSas(sas: SasFields, hosts: HubHosts): string[][] {
  return [pathOfSas(sas, hosts), unescapedPathOfSas(sas, hosts), withoutHost(sas.sr)];
}

function unescapedPathOfSas({ sr }: SasFields, hosts: HubHosts): string[] {
  const resource = unescape("sr", sr);
  const host = resource.split("/", 1)[0]!;
  if (!hosts.has(host)) throw badToken(`the token is for another host than ${hosts.hostName}`);
  return withoutHost(resource);
}

function withoutHost(resource: string): string[] {
  return resource.split("/").slice(1).filter((segment) => segment !== "");
}

/** Whether the token was signed with one of the keys. */
export async function isSignedBy({ sr, se, sig }: SasFields, keys: readonly CryptoKey[]): Promise<boolean> {
  const signature = fromBase64(sig);
  if (signature === undefined) return false;
  const signed = new TextEncoder().encode(`${sr}\n${se}`);
  for (const key of keys) {
    if (await crypto.subtle.verify("HMAC", key, signature, signed)) return true;
  }
  return false;
}

/** Imports a key from base64, for verifying signatures. */
export function importVerifyingKey(key: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", fromBase64(key)!, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

/** Imports a key whose own text signs, for verifying signatures. */
export function importVerifyingText(key: string): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(key);
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

/**
 * Returns when a token expires, in milliseconds since the epoch.
 *
 * @throws {HubFault} `IotHubUnauthorized` (401) when it has expired.
 */
export function expiryOfSas({ se }: SasFields, now: number, clockSkew: number): number {
  const expiresOn = Number(se) * 1000 + clockSkew;
  if (now >= expiresOn) throw badToken("the token has expired: sign a new one");
  return expiresOn;
}

/** 401 `IotHubUnauthorized`: the token is not valid. */
export function badToken(reason: string): HubFault {
  return unauthorized("IotHubUnauthorized", `Unauthorized: ${reason}`);
}

function unescape(name: string, text: string): string {
  const decoded = decodeOnce(text);
  if (decoded === undefined) throw badToken(cannotUse(`${name} of the token`, "percent-encoded UTF-8"));
  return decoded;
}
