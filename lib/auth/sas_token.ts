import { decodeBase64, encodeBase64 } from "../values/base64.ts";
import { checkText, wrongType, wrongValue } from "../values/checks.ts";

/** How long a shared access signature lives when nothing else is said, in seconds. */
export const DEFAULT_SAS_TTL_IN_SECONDS = 3600;

/** The longest life, in seconds: a larger number would not be written in digits alone. */
export const MAX_SAS_TTL_IN_SECONDS: number = Number.MAX_SAFE_INTEGER;

/** What {@linkcode createSasToken} signs. */
export interface SasTokenInput {
  /** What the token gives access to: a hub's host name, or a path below it such as `myhub.azure-devices.net/devices/d1`. */
  resourceUri: string;
  /** The shared access key, base64. */
  key: string;
  /** The name of the shared access policy the key belongs to. Left out for a device's own key. */
  keyName?: string;
  /** When the token expires. Takes the place of `ttlInSeconds`. */
  expiresOn?: Date;
  /**
   * How long the token lives from now on, in seconds.
   * @default {3600}
   */
  ttlInSeconds?: number;
}

/**
 * Creates a shared access signature with Web Crypto (HMAC-SHA256), as services, devices and modules use them.
 *
 * The clock is read only where `expiresOn` is left out; the life is one hour unless said otherwise.
 *
 * @param input What to sign, with which key, for how long.
 * @returns The token, `SharedAccessSignature sr=…&sig=…&se=…[&skn=…]`.
 * @throws {TypeError} When a part is missing or has the wrong type.
 * @throws {RangeError} When the key is not base64, or the expiry or the policy's name is no legal one.
 *
 * @example A token for a device
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
  const { resourceUri, key, keyName, expiresOn, ttlInSeconds } = input;
  if (typeof resourceUri !== "string" || resourceUri === "") {
    throw wrongType("resourceUri", "a non-empty string", resourceUri);
  }
  if (!resourceUri.isWellFormed()) throw wrongValue("resourceUri", "well-formed Unicode");
  if (keyName !== undefined) checkPolicyName(keyName);
  if (expiresOn !== undefined && ttlInSeconds !== undefined) {
    throw new TypeError("Cannot use both expiresOn and ttlInSeconds");
  }
  const expiry = expiresOn === undefined
    ? expiryAfter(ttlInSeconds ?? DEFAULT_SAS_TTL_IN_SECONDS)
    : expiryAt(expiresOn);
  return await signSasToken(await importSasKey(key), resourceUri, expiry, keyName);
}

/** The bytes of a shared access key; throws unless it is base64 of at least one. `name` is what the caller calls it. */
export function keyBytes(name: string, key: unknown): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase64(key);
  if (bytes === undefined) throw wrongValue(name, "base64");
  return bytes;
}

/** Imports a base64 key for {@linkcode signSasToken}. The import costs as much as a signature: do it once per key. */
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
  // The hub verifies the very text it is sent, so that the encoded form is what must be signed.
  const sr = percentEncode(resourceUri);
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`${sr}\n${expiry}`));
  const sig = encodeBase64(new Uint8Array(signature)).replaceAll("+", "%2B").replaceAll("=", "%3D");
  return `SharedAccessSignature sr=${sr}&sig=${sig}&se=${expiry}` + (keyName === undefined ? "" : `&skn=${keyName}`);
}

/** Throws unless `keyName` is a legal name of a shared access policy; it travels in the token as it is. */
export function checkPolicyName(keyName: unknown): asserts keyName is string {
  // Not shown: in a mangled connection string it may be the key that stands here.
  checkText("the policy name", keyName, /^[A-Za-z0-9_.@-]+$/, "of A-Za-z0-9_.@-");
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
  if (!(expiry >= 0)) throw wrongValue(`expiresOn ${expiresOn}`, "a Date from 1970 on");
  return expiry;
}

function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
