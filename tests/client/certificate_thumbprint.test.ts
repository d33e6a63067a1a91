import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { certificateThumbprint } from "../../mod.ts";

const DER = Uint8Array.from([0x30, 0x82, 0x01, 0x05, ...Array.from({ length: 261 }, (_, index) => index % 256)]);
const BASE64 = btoa(String.fromCharCode(...DER));
const PEM = `subject=CN = device\r\n-----BEGIN CERTIFICATE-----\r\n${
  BASE64.match(/.{1,64}/g)!.join("\r\n")
}\r\n-----END CERTIFICATE-----\r\n`;

function expected(algorithm: string): string {
  return createHash(algorithm).update(DER).digest("hex").toUpperCase();
}

test("certificateThumbprint() takes PEM text, DER bytes and PEM bytes", async () => {
  for (const input of [PEM, DER, new TextEncoder().encode(PEM), PEM + PEM]) {
    assert.equal(await certificateThumbprint(input), expected("sha1"));
    assert.equal(await certificateThumbprint(input, "SHA-256"), expected("sha256"));
  }
});

test("certificateThumbprint() counts the first certificate", async () => {
  const other = PEM.replace(BASE64.slice(0, 8), btoa("\x30\x01\x00\x00\x00\x00"));
  assert.notEqual(other, PEM);
  assert.equal(await certificateThumbprint(PEM + other), expected("sha1"));
});

test("certificateThumbprint() reads a view of a larger buffer", async () => {
  const larger = new Uint8Array(DER.length + 20);
  larger.set(DER, 10);
  assert.equal(await certificateThumbprint(larger.subarray(10, 10 + DER.length)), expected("sha1"));
});

test("certificateThumbprint() refuses what is no certificate", async () => {
  const key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
  for (const input of ["", "hello", key, new Uint8Array(), Uint8Array.of(1, 2, 3), BASE64]) {
    await assert.rejects(certificateThumbprint(input), TypeError);
  }
  await assert.rejects(certificateThumbprint(undefined as unknown as string), TypeError);
  await assert.rejects(certificateThumbprint(DER, "MD5" as "SHA-1"), RangeError);
});
