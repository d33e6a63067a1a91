import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import {
  bitString,
  encode,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  unsignedInteger,
  utcTime,
  utf8String,
} from "../../lib/local/sockets/der.ts";
import { encodeBase64 } from "../../lib/values/base64.ts";

/** What a certificate is to be. What is left out is as a good one for a device has it. */
export interface CertificateWish {
  readonly commonName: string;
  /** More attributes of the subject, by their object identifiers, before its common name. */
  readonly attributes?: readonly (readonly [oid: string, text: string])[];
  /** Who signs it; itself unless given. */
  readonly issuer?: IssuedCertificate | undefined;
  readonly isAuthority?: boolean | undefined;
  readonly maxPathLength?: number | undefined;
  /** The use of its key: whether it may sign certificates; left out, nothing is said of it. */
  readonly maySign?: boolean | undefined;
  readonly notBefore?: Date | undefined;
  readonly notAfter?: Date | undefined;
  /** Another extension, that is critical. */
  readonly criticalExtension?: string | undefined;
  /** The name and the key of another certificate, for one that looks like it. */
  readonly keys?: Keys | undefined;
}

interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A certificate that a test has made. */
export interface IssuedCertificate {
  readonly wish: CertificateWish;
  readonly keys: Keys;
  readonly der: Uint8Array<ArrayBuffer>;
  readonly cert: string;
  readonly key: string;
}

const DAY = 24 * 60 * 60 * 1000;
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";

/** Makes a key pair. */
export function makeKeys(): Keys {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

/** Makes a certificate. */
export function issue(wish: CertificateWish): IssuedCertificate {
  const keys = wish.keys ?? makeKeys();
  const issuer = wish.issuer ?? { wish, keys };
  const { notBefore = new Date(Date.now() - DAY), notAfter = new Date(Date.now() + DAY) } = wish;
  const body = sequence(
    encode(0xa0, unsignedInteger(Uint8Array.of(2))),
    unsignedInteger(crypto.getRandomValues(new Uint8Array(16))),
    sequence(objectIdentifier(ECDSA_WITH_SHA256)),
    nameOf(issuer.wish),
    sequence(timeOf(notBefore), timeOf(notAfter)),
    nameOf(wish),
    new Uint8Array(keys.publicKey.export({ type: "spki", format: "der" })),
    ...extensionsOf(wish),
  );
  const signature = new Uint8Array(sign("sha256", body, issuer.keys.privateKey));
  const der = sequence(body, sequence(objectIdentifier(ECDSA_WITH_SHA256)), bitString(signature));
  const base64 = encodeBase64(der).match(/.{1,64}/g)!.join("\n");
  return {
    wish,
    keys,
    der,
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    key: keys.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}

/** Makes an authority that has signed itself. */
export function issueAuthority(commonName: string = "Root"): IssuedCertificate {
  return issue({ commonName, isAuthority: true });
}

/** The upper-case hexadecimal of the hash of a certificate. */
export async function thumbprintOf({ der }: IssuedCertificate, algorithm: "SHA-1" | "SHA-256"): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest(algorithm, der));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("").toUpperCase();
}

function nameOf({ commonName, attributes = [] }: CertificateWish): Uint8Array {
  const parts = [...attributes, ["2.5.4.3", commonName] as const];
  return sequence(...parts.map(([oid, text]) => setOf(sequence(objectIdentifier(oid), utf8String(text)))));
}

/** The years from 2050 on need the longer form. */
function timeOf(time: Date): Uint8Array {
  if (time.getUTCFullYear() < 2050) return utcTime(time);
  return encode(0x18, new TextEncoder().encode(`${time.toISOString().replace(/\D/g, "").slice(0, 14)}Z`));
}

function extensionsOf(wish: CertificateWish): Uint8Array[] {
  const { isAuthority, maxPathLength, maySign, criticalExtension } = wish;
  const extension = (oid: string, value: Uint8Array): Uint8Array =>
    sequence(objectIdentifier(oid), encode(0x01, Uint8Array.of(0xff)), octetString(value));
  const extensions: Uint8Array[] = [];
  if (isAuthority) {
    const parts = [encode(0x01, Uint8Array.of(0xff))];
    if (maxPathLength !== undefined) parts.push(unsignedInteger(Uint8Array.of(maxPathLength)));
    extensions.push(extension("2.5.29.19", sequence(...parts)));
  }
  if (maySign !== undefined) {
    extensions.push(extension("2.5.29.15", encode(0x03, Uint8Array.of(maySign ? 2 : 7, maySign ? 0x04 : 0x80))));
  }
  if (criticalExtension !== undefined) extensions.push(extension(criticalExtension, sequence()));
  return extensions.length === 0 ? [] : [encode(0xa3, sequence(...extensions))];
}
