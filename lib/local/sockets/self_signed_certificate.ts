import { encodeBase64 } from "../../values/base64.ts";
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
  subjectAltName: "2.5.29.17",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
};
const DAY = 24 * 60 * 60 * 1000;
const DAYS_OF_VALIDITY = 90;

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
 * @param dnsNames The host names that the certificate is for. The first is also its common name.
 * @param addresses The IP addresses that the certificate is for.
 * @param validity The period in which it is valid.
 * @returns The certificate and its private key.
 */
export async function makeSelfSignedCertificate(
  dnsNames: string[],
  addresses: string[],
  validity: Validity = {},
): Promise<ServerCertificate> {
  const keys = await crypto.subtle.generateKey(EC_ALGORITHM, true, ["sign", "verify"]);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey));
  const body = certificateBody(dnsNames, addresses, publicKey, validity);
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, keys.privateKey, body);
  const certificate = sequence(body, signatureAlgorithm(), bitString(derSignature(new Uint8Array(signature))));
  const privateKey = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  return { cert: pem("CERTIFICATE", certificate), key: pem("PRIVATE KEY", privateKey) };
}

function certificateBody(
  dnsNames: string[],
  addresses: string[],
  publicKey: Uint8Array,
  validity: Validity,
): Uint8Array<ArrayBuffer> {
  // It starts a day early, since the clock of another machine may be behind.
  const { notBefore = new Date(Date.now() - DAY), notAfter = new Date(Date.now() + DAYS_OF_VALIDITY * DAY) } = validity;
  const name = sequence(setOf(sequence(objectIdentifier(OID.commonName), utf8String(dnsNames[0] ?? "localhost"))));
  return sequence(
    contextual(0, unsignedInteger(Uint8Array.of(2))),
    unsignedInteger(crypto.getRandomValues(new Uint8Array(16))),
    signatureAlgorithm(),
    name,
    sequence(utcTime(notBefore), utcTime(notAfter)),
    name,
    publicKey,
    contextual(3, sequence(...extensions(dnsNames, addresses))),
  );
}

function extensions(dnsNames: string[], addresses: string[]): Uint8Array[] {
  const names = [
    ...dnsNames.map((name) => encode(0x82, new TextEncoder().encode(name))),
    ...addresses.map((address) => encode(0x87, addressBytes(address))),
  ];
  // It does not claim to be a certificate authority: Deno refuses a server whose certificate does, and every runtime
  // accepts a root that does not.
  return [
    sequence(objectIdentifier(OID.extendedKeyUsage), octetString(sequence(objectIdentifier(OID.serverAuth)))),
    sequence(objectIdentifier(OID.subjectAltName), octetString(sequence(...names))),
  ];
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
