import { joinBytes } from "../../values/join_bytes.ts";

// The part of DER, the binary encoding of certificates, that a self-signed certificate needs.

const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  time: 0x17,
  sequence: 0x30,
  set: 0x31,
};

/** Encodes a value: its tag, its length and its contents. */
export function encode(tag: number, ...contents: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const content = joinBytes(contents);
  return joinBytes([Uint8Array.of(tag), encodeLength(content.length), content]);
}

/** Encodes a SEQUENCE. */
export function sequence(...contents: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return encode(TAG.sequence, ...contents);
}

/** Encodes a SET. */
export function setOf(...contents: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return encode(TAG.set, ...contents);
}

/** Encodes an INTEGER that is not negative, given as big-endian bytes. */
export function unsignedInteger(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Uint8Array.of(0) : bytes.subarray(first);
  // If the leading bit were set, the number would be read as negative.
  return encode(TAG.integer, ...(digits[0]! >= 0x80 ? [Uint8Array.of(0), digits] : [digits]));
}

/** Encodes an OBJECT IDENTIFIER, given in dotted form. */
export function objectIdentifier(text: string): Uint8Array<ArrayBuffer> {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  return encode(TAG.oid, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** Encodes a BIT STRING of whole bytes. */
export function bitString(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return encode(TAG.bitString, Uint8Array.of(0), bytes);
}

/** Encodes an OCTET STRING. */
export function octetString(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return encode(TAG.octetString, bytes);
}

/** Encodes a UTF8String. */
export function utf8String(text: string): Uint8Array<ArrayBuffer> {
  return encode(TAG.utf8, new TextEncoder().encode(text));
}

/** Encodes a UTCTime, which can express years up to 2049. */
export function utcTime(time: Date): Uint8Array<ArrayBuffer> {
  const digits = time.toISOString().replace(/\D/g, "").slice(2, 14);
  return encode(TAG.time, new TextEncoder().encode(`${digits}Z`));
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift(rest & 0x7f | 0x80);
  return bytes;
}

function encodeLength(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return Uint8Array.of(0x80 | bytes.length, ...bytes);
}
