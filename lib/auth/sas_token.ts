import { decodeBase64, encodeBase64 } from "../values/base64.ts";
import { checkText, wrongType, wrongValue } from "../values/checks.ts";
import { checkMembers } from "../values/members.ts";
import type { CryptoKey } from "../values/crypto_key.ts";

/** How long a shared access signature is valid by default, in seconds. */
export const DEFAULT_SAS_TTL_IN_SECONDS = 3600;

/** The longest time that a token can be valid, in seconds. A larger number might not be printed as plain digits. */
export const MAX_SAS_TTL_IN_SECONDS: number = Number.MAX_SAFE_INTEGER;

/** The input of {@linkcode createSasToken}. */
export interface SasTokenInput {
  /**
   * The resource that the token gives access to: a hub's host name, or a path below it such as
   * `myhub.azure-devices.net/devices/d1`.
   */
  resourceUri: string;
  /** The shared access key, in base64. */
  key: string;
  /** The name of the shared access policy that the key belongs to. Leave it out for a device's own key. */
  keyName?: string | undefined;
  /** When the token expires. It replaces `ttlInSeconds`, so only one of the two can be given. */
  expiresOn?: Date | undefined;
  /**
   * How long the token is valid, in seconds from now.
   * @default {3600}
   */
  ttlInSeconds?: number | undefined;
}

/**
 * Creates a shared access signature (HMAC-SHA256), with which services, devices and modules sign in.
 *
 * The token is valid for one hour by default. The clock is not read if `expiresOn` is given.
 *
 * @param input The resource, the key and the expiry.
 * @returns The token, `SharedAccessSignature sr=…&sig=…&se=…[&skn=…]`.
 * @throws {TypeError} When a part is missing or has the wrong type.
 * @throws {RangeError} When the key is not base64, or when the expiry or the policy's name is not legal.
 *
 * @example Create a token for a device
 * ```ts
 * import { createSasToken } from "@iothub/registry-manager";
 *
 * const token = await createSasToken({
 *   resourceUri: "myhub.azure-devices.net/devices/thermostat-1",
 *   key: btoa("sixteen bytes or more"),
 *   ttlInSeconds: 600,
 * });
 * console.assert(token.startsWith("SharedAccessSignature sr=myhub.azure-devices.net%2Fdevices%2Fthermostat-1&sig="));
 * ```
 */
export async function createSasToken(input: SasTokenInput): Promise<string> {
  checkMembers("input", input, ["resourceUri", "key", "keyName", "expiresOn", "ttlInSeconds"]);
  const { resourceUri, key, keyName, expiresOn, ttlInSeconds } = input;
  if (typeof resourceUri !== "string" || resourceUri === "") {
    throw wrongType("resourceUri", "a non-empty string", resourceUri);
  }
  if (/\p{Surrogate}/u.test(resourceUri)) throw wrongValue("resourceUri", "well-formed Unicode");
  if (keyName !== undefined) checkPolicyName(keyName);
  if (expiresOn !== undefined && ttlInSeconds !== undefined) {
    throw new TypeError("Cannot use both expiresOn and ttlInSeconds");
  }
  const expiry = expiresOn === undefined
    ? expiryAfter(ttlInSeconds ?? DEFAULT_SAS_TTL_IN_SECONDS)
    : expiryAt(expiresOn);
  return await signSasToken(await importSasKey(key), resourceUri, expiry, keyName);
}

/**
 * Decodes a shared access key. `name` names it in errors.
 *
 * @throws {RangeError} When the key is empty or not base64.
 */
export function keyBytes(name: string, key: unknown): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase64(key);
  if (bytes === undefined) throw wrongValue(name, "base64");
  return bytes;
}

/** Imports a base64 key for {@linkcode signSasToken}. This takes as long as a signature, so do it once per key. */
export function importSasKey(key: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", keyBytes("key", key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

/** Signs one token. `expiry` is in seconds since 1970. */
export async function signSasToken(
  key: CryptoKey,
  resourceUri: string,
  expiry: number,
  keyName?: string,
): Promise<string> {
  // The hub verifies the text exactly as it was sent, so the encoded form must be signed.
  const sr = percentEncode(resourceUri);
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`${sr}\n${expiry}`));
  const sig = encodeBase64(new Uint8Array(signature)).replaceAll("+", "%2B").replaceAll("=", "%3D");
  return `SharedAccessSignature sr=${sr}&sig=${sig}&se=${expiry}` + (keyName === undefined ? "" : `&skn=${keyName}`);
}

/** Throws unless `keyName` can be the name of a shared access policy. It is not encoded in the token. */
export function checkPolicyName(keyName: unknown): asserts keyName is string {
  // The error does not show the name, since in a mangled connection string it may be the key.
  checkText("the policy name", keyName, /^[A-Za-z0-9_.@-]+$/, "made up of A-Za-z0-9_.@-");
}

/** Throws unless `token` has the form of a shared access signature. `name` names it in the error. */
export function checkSasToken(name: string, token: unknown): asserts token is string {
  checkText(name, token, /^SharedAccessSignature [\x21-\x7e]+$/, "a SAS token, SharedAccessSignature sr=…");
}

function expiryAfter(ttlInSeconds: number): number {
  if (typeof ttlInSeconds !== "number" || !(ttlInSeconds > 0 && ttlInSeconds <= MAX_SAS_TTL_IN_SECONDS)) {
    throw wrongValue(`ttlInSeconds ${ttlInSeconds}`, `over 0 and at most ${MAX_SAS_TTL_IN_SECONDS}`);
  }
  return Math.ceil(Date.now() / 1000 + ttlInSeconds);
}

function expiryAt(expiresOn: Date): number {
  if (!(expiresOn instanceof Date)) throw wrongType("expiresOn", "a Date", expiresOn);
  const expiry = Math.floor(expiresOn.getTime() / 1000);
  if (!(expiry >= 0)) throw wrongValue(`expiresOn ${expiresOn}`, "a Date in 1970 or later");
  return expiry;
}

function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
