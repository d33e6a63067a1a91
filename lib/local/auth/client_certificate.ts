import { type AnyRecord, keyOf } from "../records/identity_records.ts";
import { type CertificateChain, type DeviceAuthorities, MAX_CHAIN } from "./device_authorities.ts";

/** The certificate that a client has shown in the TLS handshake, which proves that it has the private key. */
export interface ClientCertificate {
  /** The SHA-1 and the SHA-256 of the certificate, in hexadecimal. */
  readonly thumbprints: readonly string[];
  /** The certificate with those that the client has shown besides, for an authority that has signed it. */
  readonly chain: CertificateChain;
}

/** `SSL_OP_NO_TICKET` of OpenSSL. */
const NO_TICKETS = 0x4000;

/**
 * What tells a TLS server of Node to ask for a certificate, without requiring one. Whether it is known is decided later,
 * since those of devices are signed by themselves. Every connection begins anew, without a ticket of an earlier one: with a
 * ticket Node does not know more of the chain than the client's own certificate.
 */
export const ASK_FOR_CERTIFICATE: {
  readonly requestCert: true;
  readonly rejectUnauthorized: false;
  readonly secureOptions: number;
} = { requestCert: true, rejectUnauthorized: false, secureOptions: NO_TICKETS };

/** A certificate as Node tells of it. The last of a chain may be its own issuer. */
interface PeerCertificate {
  readonly raw?: Uint8Array;
  readonly fingerprint?: string;
  readonly fingerprint256?: string;
  readonly issuerCertificate?: PeerCertificate;
}

/** The part of a TLS socket that tells of the client's certificate; other sockets, and some runtimes, lack it. */
interface CertifiedSocket {
  getPeerCertificate?(detailed: true): PeerCertificate | null | undefined;
}

/** The certificates at the sockets that are open: there is one for all requests. */
const AT_SOCKETS = new WeakMap<object, ClientCertificate | undefined>();

/** Returns the certificate of the client at a socket; `undefined` when it has shown none, or the runtime does not. */
export function clientCertificateOf(socket: object): ClientCertificate | undefined {
  if (!AT_SOCKETS.has(socket)) AT_SOCKETS.set(socket, readPeer((socket as CertifiedSocket).getPeerCertificate?.(true)));
  return AT_SOCKETS.get(socket);
}

function readPeer(peer: PeerCertificate | null | undefined): ClientCertificate | undefined {
  const thumbprints = [peer?.fingerprint, peer?.fingerprint256].filter((text) => text !== undefined)
    .map((text) => text.replaceAll(":", "").toUpperCase());
  if (thumbprints.length === 0) return undefined;
  const chain: Uint8Array[] = [];
  const seen = new Set<PeerCertificate>();
  for (let at = peer; at?.raw !== undefined && !seen.has(at) && chain.length < MAX_CHAIN; at = at.issuerCertificate) {
    seen.add(at);
    chain.push(new Uint8Array(at.raw));
  }
  return { thumbprints, chain };
}

/**
 * Whether an identity signs in with this certificate: by its thumbprint, or by an authority that has signed it for this
 * identity.
 */
export function hasCertificate(
  record: AnyRecord,
  { thumbprints, chain }: ClientCertificate,
  authorities: DeviceAuthorities,
): boolean {
  const { type, x509Thumbprint: { primaryThumbprint, secondaryThumbprint } } = record.authentication;
  if (type === "certificateAuthority") return authorities.vouchFor(chain, keyOf(record));
  return [primaryThumbprint, secondaryThumbprint].some((known) =>
    known !== null && thumbprints.includes(known.toUpperCase())
  );
}
