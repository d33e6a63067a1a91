import { X509Certificate } from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { makeSelfSignedCertificate, type ServerCertificate } from "../sockets/self_signed_certificate.ts";

const DAY_IN_MS = 86_400_000;
const DAYS_OF_VALIDITY = 365;
/** Whoever starts the hub wants it to run for some time. */
const MIN_DAYS_LEFT = 7;

/** A certificate that is kept in files. */
export interface CertificateFiles {
  readonly tls: ServerCertificate;
  /** The file with the certificate alone. */
  readonly certificateFile: string;
  /** The file with the public roots and the certificate, for clients whose list of roots is replaced by a file. */
  readonly bundleFile: string;
}

/**
 * Returns the certificate that is kept in a folder. If there is none, or it is for other names or about to expire, it is
 * made anew, so that clients which trust it go on doing so from one run to the next.
 *
 * @param names The names and addresses that it has to be for. The first is its common name.
 */
export async function keptCertificate(folder: string, names: readonly string[]): Promise<CertificateFiles> {
  const certificateFile = join(folder, "hub.pem");
  const keyFile = join(folder, "hub.key.pem");
  const bundleFile = join(folder, "roots-and-hub.pem");
  await mkdir(folder, { recursive: true });
  const [cert, key] = await Promise.all([certificateFile, keyFile].map((file) => readIfThere(file)));
  const isKept = cert !== undefined && key !== undefined && isGood(cert, names);
  const tls = isKept ? { cert, key } : await makeSelfSignedCertificate(names, {
    notAfter: new Date(Date.now() + DAYS_OF_VALIDITY * DAY_IN_MS),
  });
  if (!isKept) {
    await replace(keyFile, tls.key, 0o600);
    await replace(certificateFile, tls.cert, 0o644);
  }
  await replace(bundleFile, [...rootCertificates, tls.cert].map((pem) => pem.trimEnd() + "\n").join(""), 0o644);
  return { tls, certificateFile, bundleFile };
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether a certificate will do. One that cannot be read will not. */
function isGood(cert: string, names: readonly string[]): boolean {
  try {
    const certificate = new X509Certificate(cert);
    const { subjectAltName = "" } = certificate;
    const known = subjectAltName.split(", ").map((name) => name.replace(/^(?:DNS|IP Address):/, "").toLowerCase());
    return Date.parse(certificate.validTo) > Date.now() + MIN_DAYS_LEFT * DAY_IN_MS &&
      names.every((name) => known.includes(name.toLowerCase()) || isShortened(name, known));
  } catch {
    return false;
  }
}

/** Certificates tell an IPv6 address in full. */
function isShortened(name: string, known: readonly string[]): boolean {
  return name === "::1" && known.some((other) => /^(?:0+:){7}0*1$/.test(other));
}

/** Writes a file that is there as a whole or not at all. */
async function replace(file: string, text: string, mode: number): Promise<void> {
  const temporary = `${file}.new`;
  await writeFile(temporary, text, { mode });
  // A file that was there keeps its mode otherwise.
  await chmod(temporary, mode);
  await rename(temporary, file);
}
