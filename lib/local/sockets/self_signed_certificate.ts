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

// A library for X.509 would be larger than all other dependencies together; one fixed kind of certificate takes two
// short files.

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

/** From when until when a certificate is valid: from yesterday on for some months, unless it is said. */
export interface Validity {
  notBefore?: Date;
  notAfter?: Date;
}

/** A certificate and its private key, both in PEM. */
export interface ServerCertificate {
  /** The certificate in PEM. */
  cert: string;
  /** Its private key in PEM. */
  key: string;
}

/**
 * Makes a server certificate that has signed itself: a client trusts it by taking it as a root.
 *
 * @param dnsNames the host names that it is for; the first is also its common name
 * @param addresses the IP addresses that it is for
 * @param validity from when until when it is valid
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
  // The clocks of two machines may differ by a little.
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
  // Nothing says that it is an authority: Deno refuses a server whose certificate does, and all take a root without it.
  return [
    sequence(objectIdentifier(OID.extendedKeyUsage), octetString(sequence(objectIdentifier(OID.serverAuth)))),
    sequence(objectIdentifier(OID.subjectAltName), octetString(sequence(...names))),
  ];
}

function signatureAlgorithm(): Uint8Array<ArrayBuffer> {
  return sequence(objectIdentifier(OID.ecdsaWithSha256));
}

/** Web Crypto gives two numbers one after the other, a certificate wants them as a sequence. */
function derSignature(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  return sequence(unsignedInteger(signature.subarray(0, 32)), unsignedInteger(signature.subarray(32)));
}

function contextual(number: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  return encode(0xa0 | number, content);
}

/** Four bytes, or sixteen for one with colons. `::` stands for as many zeros as are missing. */
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
