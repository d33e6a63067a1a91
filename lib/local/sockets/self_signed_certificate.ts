import { encodeBase64 } from "../../values/base64.ts";
import type { CryptoKey } from "../../values/crypto_key.ts";
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
} from "./der.ts";

// A library for X.509 would be larger than all other dependencies together. The one kind of certificate needed here
// takes two short files.

const EC_ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const OID = {
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  authorityKeyIdentifier: "2.5.29.35",
  subjectAltName: "2.5.29.17",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
};
const DAY = 24 * 60 * 60 * 1000;
const DAYS_OF_VALIDITY = 90;
const MAX_COMMON_NAME = 64;

/** The period in which a certificate is valid. */
export interface Validity {
  /**
   * When the certificate becomes valid.
   * @default {a day ago}
   */
  notBefore?: Date;
  /**
   * When the certificate expires.
   * @default {in 90 days}
   */
  notAfter?: Date;
}

/** A server's certificate and its private key, both in PEM. */
export interface ServerCertificate {
  /** The certificate in PEM. */
  cert: string;
  /** The private key in PEM. */
  key: string;
}

/**
 * Creates a self-signed server certificate. A client that is given it as a root certificate trusts the server.
 *
 * @param names The host names and the IP addresses that the certificate is for. The first is also its common name.
 * @param validity The period in which it is valid.
 * @returns The certificate and its private key.
 */
export async function makeSelfSignedCertificate(
  names: readonly string[],
  validity: Validity = {},
): Promise<ServerCertificate> {
  const keys = await crypto.subtle.generateKey(EC_ALGORITHM, true, ["sign", "verify"]);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey));
  const keyId = await keyIdentifier(keys.publicKey);
  const body = certificateBody(names, publicKey, keyId, validity);
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, keys.privateKey, body);
  const certificate = sequence(body, signatureAlgorithm(), bitString(derSignature(new Uint8Array(signature))));
  const privateKey = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  return { cert: pem("CERTIFICATE", certificate), key: pem("PRIVATE KEY", privateKey) };
}

/** Names a key by the first 160 bits of its SHA-256, as RFC 7093 has it. */
async function keyIdentifier(publicKey: CryptoKey): Promise<Uint8Array> {
  const point = await crypto.subtle.exportKey("raw", publicKey);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", point)).subarray(0, 20);
}

function certificateBody(
  names: readonly string[],
  publicKey: Uint8Array,
  keyId: Uint8Array,
  validity: Validity,
): Uint8Array<ArrayBuffer> {
  // It starts a day early, since the clock of another machine may be behind.
  const { notBefore = new Date(Date.now() - DAY), notAfter = new Date(Date.now() + DAYS_OF_VALIDITY * DAY) } = validity;
  const commonName = utf8String(names[0]!.slice(0, MAX_COMMON_NAME));
  const name = sequence(setOf(sequence(objectIdentifier(OID.commonName), commonName)));
  return sequence(
    contextual(0, unsignedInteger(Uint8Array.of(2))),
    unsignedInteger(crypto.getRandomValues(new Uint8Array(16))),
    signatureAlgorithm(),
    name,
    sequence(utcTime(notBefore), utcTime(notAfter)),
    name,
    publicKey,
    contextual(3, sequence(...extensions(names, keyId))),
  );
}

function extensions(names: readonly string[], keyId: Uint8Array): Uint8Array[] {
  const alternatives = [...new Set(names)].map((name) =>
    isAddress(name) ? encode(0x87, addressBytes(name)) : encode(0x82, new TextEncoder().encode(name))
  );
  // It does not claim to be a certificate authority: Deno refuses a server whose certificate does, and every runtime
  // accepts a root that does not.
  return [
    sequence(objectIdentifier(OID.extendedKeyUsage), octetString(sequence(objectIdentifier(OID.serverAuth)))),
    sequence(objectIdentifier(OID.subjectAltName), octetString(sequence(...alternatives))),
    // They tell it from other certificates of the same name: of another hub, or of this one before its last start.
    sequence(objectIdentifier(OID.subjectKeyIdentifier), octetString(octetString(keyId))),
    sequence(objectIdentifier(OID.authorityKeyIdentifier), octetString(sequence(encode(0x80, keyId)))),
  ];
}

function isAddress(name: string): boolean {
  return name.includes(":") || /^\d+\.\d+\.\d+\.\d+$/.test(name);
}

function signatureAlgorithm(): Uint8Array<ArrayBuffer> {
  return sequence(objectIdentifier(OID.ecdsaWithSha256));
}

/** Web Crypto returns a signature as two numbers side by side; a certificate holds them as a SEQUENCE. */
function derSignature(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  return sequence(unsignedInteger(signature.subarray(0, 32)), unsignedInteger(signature.subarray(32)));
}

function contextual(number: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  return encode(0xa0 | number, content);
}

/** Returns the 4 bytes of an IPv4 address or the 16 of an IPv6 address, in which `::` fills up with zeros. */
function addressBytes(address: string): Uint8Array {
  if (!address.includes(":")) return Uint8Array.from(address.split("."), Number);
  const [head = [], tail = []] = address.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = new Array<string>(8 - head.length - tail.length).fill("0");
  return Uint8Array.from(
    [...head, ...zeros, ...tail].flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]),
  );
}

function pem(label: string, der: Uint8Array): string {
  const lines = encodeBase64(der).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
