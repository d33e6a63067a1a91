// Web Crypto and node:crypto check the signature of a certificate, but do not tell all that there is in it. This reads the
// few fields that the check of a chain needs, from DER. A library for X.509 would be larger than all else that is installed.

/** What a certificate says of itself. */
export interface CertificateFields {
  /** The common names in the subject: one, as a rule. */
  readonly commonNames: readonly string[];
  /** In milliseconds since the epoch, the first and the last moment included. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Whether it is one of an authority, which may sign others. */
  readonly isAuthority: boolean;
  /** How many authorities may stand between it and the certificate of a device. */
  readonly maxPathLength: number;
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const BOOLEAN = 0x01;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

/** The encodings of the types of text that a name may have. */
const TEXTS: ReadonlyMap<number, string> = new Map([
  [0x0c, "utf-8"],
  [0x13, "utf-8"],
  [0x14, "latin1"],
  [0x16, "utf-8"],
  [0x1e, "utf-16be"],
]);

const COMMON_NAME = "550403";
const KEY_USAGE = "551d0f";
const BASIC_CONSTRAINTS = "551d13";
/** Extensions that make no difference here: the identifiers of keys, other names, policies, what else a key is for. */
const HARMLESS: readonly string[] = ["551d0e", "551d23", "551d11", "551d12", "551d20", "551d25"];
/** In the first byte of the use of a key. */
const MAY_SIGN_CERTIFICATES = 0x04;

interface Value {
  readonly tag: number;
  readonly content: Uint8Array;
}

/**
 * Reads a certificate.
 *
 * @returns `undefined` for what is none, or one with a critical extension that the hub does not understand.
 */
export function readCertificate(der: Uint8Array): CertificateFields | undefined {
  try {
    return readFields(der);
  } catch {
    return undefined;
  }
}

function readFields(der: Uint8Array): CertificateFields {
  const [certificate] = valuesIn(der);
  const [body, outerAlgorithm] = valuesIn(expect(certificate, SEQUENCE));
  const fields = valuesIn(expect(body, SEQUENCE));
  if (fields[0]?.tag === VERSION) fields.shift();
  const [_serialNumber, algorithm, _issuer, validity, subject, _publicKey, ...rest] = fields;
  // It is there twice, and signed once.
  if (toHex(expect(algorithm, SEQUENCE)) !== toHex(expect(outerAlgorithm, SEQUENCE))) {
    throw new RangeError("The algorithm of the signature is not the one that is signed");
  }
  const [notBefore, notAfter] = valuesIn(expect(validity, SEQUENCE)).map(readTime);
  const extensions = rest.filter(({ tag }) => tag === EXTENSIONS);
  return {
    commonNames: commonNamesIn(expect(subject, SEQUENCE)),
    notBefore: notBefore!,
    notAfter: notAfter!,
    ...readExtensions(
      extensions.flatMap(({ content }) => valuesIn(content)).flatMap(({ content }) => valuesIn(content)),
    ),
  };
}

function readExtensions(extensions: readonly Value[]): Pick<CertificateFields, "isAuthority" | "maxPathLength"> {
  let isAuthority = false;
  let maySign = true;
  let maxPathLength = Infinity;
  for (const extension of extensions) {
    const parts = valuesIn(expect(extension, SEQUENCE));
    const id = toHex(expect(parts[0], OBJECT_IDENTIFIER));
    const isCritical = parts[1]?.tag === BOOLEAN && parts[1].content[0] !== 0;
    const value = valuesIn(expect(parts.at(-1), OCTET_STRING))[0];
    if (id === KEY_USAGE) maySign = (expect(value, BIT_STRING)[1]! & MAY_SIGN_CERTIFICATES) !== 0;
    else if (id === BASIC_CONSTRAINTS) {
      const [ca, length] = valuesIn(expect(value, SEQUENCE));
      isAuthority = ca?.tag === BOOLEAN && ca.content[0] !== 0;
      if (length !== undefined) maxPathLength = parseInt(toHex(expect(length, INTEGER)), 16);
    } else if (isCritical && !HARMLESS.includes(id)) throw new RangeError("A critical extension is not known");
  }
  return { isAuthority: isAuthority && maySign, maxPathLength };
}

function commonNamesIn(name: Uint8Array): string[] {
  const attributes = valuesIn(name).flatMap((set) => valuesIn(expect(set, SET)));
  return attributes.flatMap((attribute) => {
    const [type, value] = valuesIn(expect(attribute, SEQUENCE));
    if (toHex(expect(type, OBJECT_IDENTIFIER)) !== COMMON_NAME) return [];
    return [new TextDecoder(TEXTS.get(value!.tag)!, { fatal: true }).decode(value!.content)];
  });
}

/** Reads `YYMMDDHHMMSSZ`, whose years are those from 1950 to 2049, or `YYYYMMDDHHMMSSZ`. */
function readTime({ tag, content }: Value): number {
  const text = new TextDecoder().decode(content);
  const century = tag === UTC_TIME ? (Number(text.slice(0, 2)) < 50 ? "20" : "19") : "";
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(century + text);
  if (match === null || (tag !== UTC_TIME && tag !== GENERALIZED_TIME)) throw new RangeError("This is no time");
  const [, year, month, day, hours, minutes, seconds] = match;
  return Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`);
}

/** Returns the content of a value, which has to be there and of this type. */
function expect(value: Value | undefined, tag: number): Uint8Array {
  if (value?.tag === tag) return value.content;
  throw new RangeError("A value is missing, or has another type");
}

/** Takes apart what are values one after another. */
function valuesIn(bytes: Uint8Array): Value[] {
  const values: Value[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at++]!;
    let length = bytes[at++]!;
    if (length > 0x80) {
      const end = at + length - 0x80;
      for (length = 0; at < end; at++) length = length * 256 + bytes[at]!;
    }
    // A length that is missing, or of the kind that DER does not have, is not a number or leads beyond the end.
    if (!(at + length <= bytes.length)) throw new RangeError("A value ends after its container");
    values.push({ tag, content: bytes.subarray(at, at += length) });
  }
  return values;
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
