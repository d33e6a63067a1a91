import { decodeBase64 } from "../values/base64.ts";
import { checkChoice, wrongType } from "../values/checks.ts";

/** The first byte of every certificate in DER. */
const ASN1_SEQUENCE = 0x30;

const PEM_REGEXP = /-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/;

/**
 * Computes the thumbprint of a certificate, by which the hub identifies devices with self-signed certificates.
 *
 * @param pemOrDer The certificate as PEM text, of which the first certificate is used, or as DER bytes.
 * @param algorithm The digest, `"SHA-1"` by default. The hub accepts both.
 * @returns The digest in upper-case hexadecimal, without separators.
 * @throws {TypeError} When the input is not a certificate.
 * @throws {RangeError} When the algorithm is neither of the two.
 *
 * @example Register a device by its certificate
 * ```ts
 * import { certificateThumbprint } from "@iothub/registry-manager";
 *
 * const der = Uint8Array.of(0x30, 0x03, 0x02, 0x01, 0x2a);
 * const primaryThumbprint = await certificateThumbprint(der, "SHA-256");
 * console.assert(/^[0-9A-F]{64}$/.test(primaryThumbprint));
 * ```
 */
export async function certificateThumbprint(
  pemOrDer: string | Uint8Array,
  algorithm: "SHA-1" | "SHA-256" = "SHA-1",
): Promise<string> {
  checkChoice("algorithm", algorithm, ["SHA-1", "SHA-256"]);
  const der = derOf(pemOrDer);
  if (der?.[0] !== ASN1_SEQUENCE) throw wrongType("the certificate", "a PEM block CERTIFICATE or DER bytes", pemOrDer);
  const digest = new Uint8Array(await crypto.subtle.digest(algorithm, der));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("").toUpperCase();
}

function derOf(pemOrDer: string | Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const isBytes = pemOrDer instanceof Uint8Array;
  if (isBytes && pemOrDer[0] === ASN1_SEQUENCE) return new Uint8Array(pemOrDer);
  const pem = isBytes ? new TextDecoder().decode(pemOrDer) : pemOrDer;
  return decodeBase64(PEM_REGEXP.exec(pem)?.[1]?.replace(/\s/g, ""));
}
