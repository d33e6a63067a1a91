import { hmac } from "@noble/hashes/hmac";
import { sha256 } from "@noble/hashes/sha2";
import { encodeBase64 } from "../../values/base64.ts";
import type { CryptoKey } from "../../values/crypto_key.ts";
import { HubFault } from "../hub_fault.ts";
import { fromBase64 } from "../keys.ts";

/** What the holder of a shared access signature may do: read, add, create, write, delete, list. */
export type BlobRight = "r" | "a" | "c" | "w" | "d" | "l";

/** What a signature is for: a container with its blobs, or one blob. */
export interface BlobResource {
  readonly container: string;
  readonly blob?: string | undefined;
}

/** The name of the storage account, which is the first segment of each path, as in emulators of Azure Storage. */
export const ACCOUNT = "blob";

const KEY_BYTES = 64;
/** The version of Azure Storage that is spoken. From it on a signature is made of the fields below. */
export const STORAGE_VERSION = "2020-12-06";
/** The fields that are signed, in order; the resource itself is signed as the fourth. */
const SIGNED_FIELDS = "sp st se / si sip spr sv sr snapshot ses rscc rscd rsce rscl rsct".split(" ");
/** Restrictions that the hub cannot keep to: a stored policy, addresses of callers, snapshots, encryption scopes. */
const UNKNOWN_RESTRICTIONS = ["si", "sip", "snapshot", "ses"];
const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?Z)?$/;
const HMAC = { name: "HMAC", hash: "SHA-256" };

/** The settings of a {@linkcode BlobSas}. Times are in milliseconds. */
export interface BlobSasOptions {
  now: () => number;
  /** How long a signature is still good after its expiry. */
  clockSkew: number;
  /** The key of the account in base64. A new one is made unless it is given. */
  key?: string | undefined;
}

/** Signs and checks the shared access signatures with which clients reach blobs. They are those of Azure Storage. */
export class BlobSas {
  readonly #now: () => number;
  readonly #clockSkew: number;
  #key: Uint8Array<ArrayBuffer>;
  #verifyingKey: Promise<CryptoKey> | undefined;

  constructor({ now, clockSkew, key }: BlobSasOptions) {
    this.#now = now;
    this.#clockSkew = clockSkew;
    this.#key = key === undefined ? crypto.getRandomValues(new Uint8Array(KEY_BYTES)) : fromBase64(key)!;
  }

  /** The key of the account, in base64. */
  get key(): string {
    return encodeBase64(this.#key);
  }

  /** Signs and checks with another key from now on. */
  useKey(key: string): void {
    this.#key = fromBase64(key)!;
    this.#verifyingKey = undefined;
  }

  /**
   * Signs for a resource, from now on.
   *
   * @param resource The container or the blob.
   * @param rights The rights, in the order of {@linkcode BlobRight}.
   * @param ttl For how long, in milliseconds.
   * @returns The query of the resource's address, without a question mark.
   */
  sign(resource: BlobResource, rights: string, ttl: number): string {
    // In whole seconds, and not shorter than wanted.
    const expiresOn = new Date(Math.ceil((this.#now() + ttl) / 1000) * 1000);
    const query = new URLSearchParams({
      sv: STORAGE_VERSION,
      sr: resource.blob === undefined ? "c" : "b",
      sp: rights,
      se: expiresOn.toISOString().replace(".000", ""),
    });
    // At once, as Web Crypto cannot: the address of a container is a property.
    query.set("sig", encodeBase64(hmac(sha256, this.#key, stringToSign(query, resource))));
    return query.toString();
  }

  /**
   * Checks the signature in an address.
   *
   * @param resource What the address names.
   * @param url The address.
   * @returns What its holder may do.
   * @throws {HubFault} `NoAuthenticationInformation` (401), or 403 that says what is wrong with the signature.
   */
  async check(resource: BlobResource, { protocol, searchParams: query }: URL): Promise<ReadonlySet<BlobRight>> {
    const sig = query.get("sig");
    if (sig === null) {
      throw new HubFault("NoAuthenticationInformation", 401, "The address has no shared access signature");
    }
    if ((query.get("sv") ?? "") < STORAGE_VERSION) {
      throw notAuthentic(`its version sv must be ${STORAGE_VERSION} or a later one`);
    }
    if (!await this.#isSigned(sig, query, resource)) throw notAuthentic("it does not match the address");
    for (const name of UNKNOWN_RESTRICTIONS) {
      if (query.has(name)) throw notAuthentic(`the local hub cannot keep to its restriction ${name}`);
    }
    if (query.get("spr") === "https" && protocol !== "https:") {
      throw new HubFault("AuthorizationProtocolMismatch", 403, "The signature is for HTTPS alone");
    }
    const now = this.#now();
    if (now < timeIn(query, "st")) throw notAuthentic("it is not valid yet");
    if (now >= timeIn(query, "se") + this.#clockSkew) throw notAuthentic("it has expired");
    return new Set((query.get("sp") ?? "") as Iterable<BlobRight>);
  }

  async #isSigned(sig: string, query: URLSearchParams, { container, blob }: BlobResource): Promise<boolean> {
    // A signature for a container is good for its blobs, too; one for a blob is for that blob alone.
    const resource = query.get("sr") === "c"
      ? { container }
      : query.get("sr") === "b" && blob !== undefined
      ? { container, blob }
      : undefined;
    const signature = fromBase64(sig);
    if (resource === undefined || signature === undefined) return false;
    this.#verifyingKey ??= crypto.subtle.importKey("raw", this.#key, HMAC, false, ["verify"]);
    return await crypto.subtle.verify("HMAC", await this.#verifyingKey, signature, stringToSign(query, resource));
  }
}

function stringToSign(query: URLSearchParams, { container, blob }: BlobResource): Uint8Array<ArrayBuffer> {
  const path = `/blob/${ACCOUNT}/${container}${blob === undefined ? "" : `/${blob}`}`;
  const lines = SIGNED_FIELDS.map((name) => name === "/" ? path : query.get(name) ?? "");
  return new TextEncoder().encode(lines.join("\n"));
}

/** Without a beginning a signature is valid from ever, and without an end it is not valid at all. */
function timeIn(query: URLSearchParams, name: "st" | "se"): number {
  const text = query.get(name);
  if (text === null) return -Infinity;
  const time = TIME.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time)) throw notAuthentic(`its time ${name} must be a time such as 2030-01-31T12:00:00Z`);
  return time;
}

function notAuthentic(reason: string): HubFault {
  return new HubFault("AuthenticationFailed", 403, `The shared access signature is not valid: ${reason}`);
}
