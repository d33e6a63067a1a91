import { checkType, wrongType, wrongValue } from "../../values/checks.ts";
import { fromBase64 } from "../keys.ts";
import { type CertificateFields, readCertificate } from "./certificate_fields.ts";

/** What verifies signatures, of `node:crypto`. */
interface SignedCertificate {
  readonly publicKey: unknown;
  /** Whether the other certificate's subject is the issuer of this one. */
  checkIssued(other: SignedCertificate): boolean;
  /** Whether a key has signed this certificate. */
  verify(publicKey: unknown): boolean;
}

type CertificateReader = new (der: Uint8Array) => SignedCertificate;

/** A certificate that was read. */
interface Certificate {
  readonly fields: CertificateFields;
  readonly signed: SignedCertificate;
}

/** The certificates that a client has shown, in DER: its own first. */
export type CertificateChain = readonly Uint8Array[];

/** How many certificates of a client are looked at, its own included. */
export const MAX_CHAIN = 10;

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g;
const RULE = "the certificate of an authority (CA:TRUE) in PEM";

/** The authorities whose certificates let devices in. */
export class DeviceAuthorities {
  readonly #authorities: readonly Certificate[];
  readonly #now: () => number;
  /** The result for each chain, by what of it and of the authorities is valid at a time. */
  readonly #results = new WeakMap<CertificateChain, Map<string, boolean>>();
  readonly #read = new WeakMap<CertificateChain, readonly (Certificate | undefined)[]>();

  /**
   * Reads the certificates of the authorities.
   *
   * @throws {TypeError} When they are no list of texts, or where certificates cannot be verified.
   * @throws {RangeError} When one is not the certificate of an authority in PEM.
   */
  constructor(pems: readonly string[], now: () => number) {
    this.#authorities = pems.flatMap((pem, index) => readPem(`deviceAuthorities[${index}]`, pem));
    this.#now = now;
  }

  /**
   * Whether an authority has signed the certificate of a client, be it by way of others that the client has shown, and
   * the certificate is that of an identity: its common name is `deviceId` or `deviceId/moduleId`.
   */
  vouchFor(chain: CertificateChain, identity: string): boolean {
    const certificates = this.#certificatesOf(chain);
    const { commonNames = [] } = certificates[0]?.fields ?? {};
    return commonNames.length === 1 && commonNames[0] === identity && this.#isSigned(chain, certificates);
  }

  #isSigned(chain: CertificateChain, certificates: readonly (Certificate | undefined)[]): boolean {
    const now = this.#now();
    const isValid = (certificate: Certificate | undefined): boolean =>
      certificate !== undefined && certificate.fields.notBefore <= now && now <= certificate.fields.notAfter;
    // Signatures do not change. So what there is to find changes only with what is valid.
    const known = this.#results.get(chain) ?? new Map<string, boolean>();
    this.#results.set(chain, known);
    const key = [...certificates, ...this.#authorities].map((certificate) => Number(isValid(certificate))).join("");
    const result = known.get(key) ??
      isReached(certificates.filter(isValid), certificates[0], this.#authorities.filter(isValid));
    known.set(key, result);
    return result;
  }

  #certificatesOf(chain: CertificateChain): readonly (Certificate | undefined)[] {
    const known = this.#read.get(chain);
    if (known !== undefined) return known;
    const reader = certificateReader();
    const read = reader === undefined ? [] : chain.slice(0, MAX_CHAIN).map((der) => tryRead(reader, der));
    this.#read.set(chain, read);
    return read;
  }
}

/**
 * Whether a way leads from a certificate to an authority, each step of which is signed by the next. The shortest ways come
 * first, so that each certificate is looked at once.
 */
function isReached(
  shown: readonly (Certificate | undefined)[],
  leaf: Certificate | undefined,
  authorities: readonly Certificate[],
): boolean {
  if (leaf === undefined || !shown.includes(leaf)) return false;
  const left = new Set(shown.filter((certificate) => certificate !== undefined));
  left.delete(leaf);
  let reached: readonly Certificate[] = [leaf];
  for (let length = 0; reached.length > 0; length++) {
    const next: Certificate[] = [];
    for (const certificate of reached) {
      if (authorities.some((authority) => isSignedBy(certificate, authority, length))) return true;
      for (const candidate of left) {
        if (!isSignedBy(certificate, candidate, length)) continue;
        left.delete(candidate);
        next.push(candidate);
      }
    }
    reached = next;
  }
  return false;
}

/** @param length How many authorities stand between the issuer and the certificate of the client. */
function isSignedBy(certificate: Certificate, issuer: Certificate, length: number): boolean {
  const { isAuthority, maxPathLength } = issuer.fields;
  if (!isAuthority || maxPathLength < length) return false;
  try {
    return certificate.signed.checkIssued(issuer.signed) && certificate.signed.verify(issuer.signed.publicKey);
  } catch {
    // The key is of a kind that this runtime does not know.
    return false;
  }
}

function readPem(name: string, pem: unknown): Certificate[] {
  checkType(name, pem, "string");
  const blocks = [...pem.matchAll(PEM_BLOCK)].map(([, base64 = ""]) => fromBase64(base64.replace(/\s/g, "")));
  if (blocks.length === 0) throw wrongValue(name, RULE);
  const reader = certificateReader();
  if (reader === undefined) throw new TypeError(`Cannot use ${name}: this runtime has no node:crypto to verify with`);
  return blocks.map((der) => {
    const certificate = der && tryRead(reader, der);
    if (certificate === undefined || !certificate.fields.isAuthority) throw wrongValue(name, RULE);
    return certificate;
  });
}

function tryRead(reader: CertificateReader, der: Uint8Array): Certificate | undefined {
  const fields = readCertificate(der);
  if (fields === undefined) return undefined;
  try {
    return { fields, signed: new reader(der) };
  } catch {
    return undefined;
  }
}

/** Throws unless an option is a list of certificates. */
export function checkDeviceAuthorities(deviceAuthorities: unknown): void {
  if (!Array.isArray(deviceAuthorities)) throw wrongType("deviceAuthorities", "an array of texts", deviceAuthorities);
}

/** A hub in process has no use for it, so it is no import. */
function certificateReader(): CertificateReader | undefined {
  const { process } = globalThis as {
    process?: { getBuiltinModule?(id: string): { X509Certificate: CertificateReader } };
  };
  return process?.getBuiltinModule?.("node:crypto").X509Certificate;
}
