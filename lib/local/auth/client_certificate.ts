import type { AnyRecord } from "../records/identity_records.ts";

/** The certificate that a client has shown in the TLS handshake, which proves that it has the private key. */
export interface ClientCertificate {
  /** The SHA-1 and the SHA-256 of the certificate, in hexadecimal. */
  readonly thumbprints: readonly string[];
}

/**
 * What tells a TLS server of Node to ask for a certificate, without requiring one. Whether it is known is decided later,
 * since those of devices are signed by themselves.
 */
export const ASK_FOR_CERTIFICATE: { readonly requestCert: true; readonly rejectUnauthorized: false } = {
  requestCert: true,
  rejectUnauthorized: false,
};

/** The part of a TLS socket that tells of the client's certificate; other sockets, and some runtimes, lack it. */
interface CertifiedSocket {
  getPeerCertificate?(): { fingerprint?: string; fingerprint256?: string } | null | undefined;
}

/** Returns the certificate of the client at a socket; `undefined` when it has shown none, or the runtime does not. */
export function clientCertificateOf(socket: object): ClientCertificate | undefined {
  const { fingerprint, fingerprint256 } = (socket as CertifiedSocket).getPeerCertificate?.() ?? {};
  const thumbprints = [fingerprint, fingerprint256].filter((text) => text !== undefined)
    .map((text) => text.replaceAll(":", "").toUpperCase());
  return thumbprints.length === 0 ? undefined : { thumbprints };
}

/** Whether an identity signs in with this certificate. */
export function hasCertificate({ authentication }: AnyRecord, { thumbprints }: ClientCertificate): boolean {
  const { primaryThumbprint, secondaryThumbprint } = authentication.x509Thumbprint;
  return [primaryThumbprint, secondaryThumbprint].some((known) =>
    known !== null && thumbprints.includes(known.toUpperCase())
  );
}
