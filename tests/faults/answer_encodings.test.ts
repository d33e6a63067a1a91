import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import zlib, { brotliCompressSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { AnswerServer, WAYS } from "../support/answer_server.ts";
import { ANY_TEXT, holds } from "../support/properties.ts";

/** The encodings that every runtime's own fetch undoes, in any case. */
const ENCODINGS: Record<string, (body: Uint8Array) => Uint8Array> = {
  "": (body) => body,
  identity: (body) => body,
  gzip: (body) => gzipSync(body),
  GZip: (body) => gzipSync(body),
  br: (body) => brotliCompressSync(body),
  BR: (body) => brotliCompressSync(body),
};

const MARK = "\ufeff";

for (const [way, connect] of WAYS) {
  describe(`an answer over ${way}`, () => {
    test("is the same with a byte order mark, with a compression and without, as a result and as an error", async () => {
      await using server = await AnswerServer.listen();
      await using registry = connect({ endpoint: server.endpoint, retryOptions: { maxRetries: 0 } });
      const cases = fc.record({
        encoding: fc.constantFrom(...Object.keys(ENCODINGS)),
        mark: fc.constantFrom("", MARK),
        value: ANY_TEXT.map((text) => text.toWellFormed()),
        isError: fc.boolean(),
        cut: fc.double({ min: 0, max: 1, noNaN: true }),
      });
      await holds(
        fc.asyncProperty(cases, async ({ encoding, mark, value, isError, cut }) => {
          const device = { deviceId: "d", statusReason: value };
          const error = { Message: "ErrorCode:DeviceNotFound;Gone", ExceptionMessage: "Tracking ID:abc" };
          const bytes = ENCODINGS[encoding]!(Buffer.from(mark + JSON.stringify(isError ? error : device)));
          server.answer = (response) => {
            response.writeHead(isError ? 404 : 200, encoding === "" ? {} : { "Content-Encoding": encoding });
            const middle = Math.floor(cut * bytes.length);
            response.write(bytes.subarray(0, middle));
            response.end(bytes.subarray(middle));
          };
          if (isError) {
            await assert.rejects(registry.getDevice("d"), {
              code: "DeviceNotFound",
              statusCode: 404,
              trackingId: "abc",
            });
          } else {
            assert.deepEqual(await registry.getDevice("d"), device);
          }
        }),
        80,
      );
    });

    test("is counted once it is decompressed", async () => {
      const bomb = Buffer.from(`{"deviceId":"${"a".repeat(8 * 2 ** 20)}"}`);
      await using server = await AnswerServer.listen();
      await using registry = connect({ endpoint: server.endpoint, maxResponseBytes: 2 ** 20 });
      for (const encoding of ["gzip", "br"]) {
        for (const status of [200, 404, 503]) {
          const bytes = ENCODINGS[encoding]!(bomb);
          assert.ok(bytes.length < 20_000);
          server.answer = (response) => {
            response.writeHead(status, { "Content-Encoding": encoding, "Content-Length": bytes.length }).end(bytes);
          };
          await assert.rejects(registry.getDevice("d"), { code: "InvalidResponse", statusCode: status });
        }
      }
    });

    test("that is not what its header says is an error, and nothing is left of it", async () => {
      await using server = await AnswerServer.listen();
      await using registry = connect({ endpoint: server.endpoint, retryOptions: { maxRetries: 0 } });
      for (const encoding of ["gzip", "br", "deflate", "zstd", "whatever", "gzip, gzip"]) {
        const bytes = gzipSync('{"deviceId":"d"}').subarray(encoding === "gzip" ? 9 : 0);
        server.answer = (response) => void response.writeHead(200, { "Content-Encoding": encoding }).end(bytes);
        const error = await registry.getDevice("d").then(() => assert.fail(encoding), (error) => error);
        assert.match(error.code, /^(?:NetworkError|InvalidResponse)$/, `${encoding}: ${error}`);
        server.answer = (response) => void response.end('{"deviceId":"d"}');
        assert.deepEqual(await registry.getDevice("d"), { deviceId: "d" });
      }
    });

    test("without a body may name an encoding", async () => {
      await using server = await AnswerServer.listen();
      await using registry = connect({ endpoint: server.endpoint });
      for (const encoding of ["gzip", "br"]) {
        server.answer = (response) => void response.writeHead(204, { "Content-Encoding": encoding }).end();
        await registry.deleteDevice("d");
        server.answer = (response) => {
          response.writeHead(200, { "Content-Encoding": encoding, "Content-Length": 0 }).end();
        };
        await registry.deleteDevice("d");
      }
    });
  });
}

const HUGE = 256 * 2 ** 20;
const HUGE_IN_BR = brotliCompressSync(Buffer.alloc(HUGE), { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } });

for (const [way, connect] of WAYS) {
  // What a fetch does before anyone can stop it is its own affair.
  const isOwn = way !== "a given fetch" || !("Bun" in globalThis);
  test(`over ${way} what is decompressed beyond the limit is not kept`, {
    skip: isOwn ? false : "Bun decompresses all at once",
  }, async () => {
    assert.ok(HUGE_IN_BR.length < 10_000);
    await using server = await AnswerServer.listen();
    const headers = { "Content-Encoding": "br", "Content-Length": HUGE_IN_BR.length };
    server.answer = (response) => void response.writeHead(200, headers).end(HUGE_IN_BR);
    await using registry = connect({ endpoint: server.endpoint, maxResponseBytes: 2 ** 20 });
    const before = process.memoryUsage.rss();
    for (let round = 0; round < 5; round++) {
      await assert.rejects(registry.getDevice("d"), { code: "InvalidResponse", statusCode: 200 });
    }
    const grown = process.memoryUsage.rss() - before;
    assert.ok(grown < HUGE / 2, `${grown} bytes more`);
  });
}

const isNode = !("Deno" in globalThis || "Bun" in globalThis);

describe("on Node", { skip: isNode ? false : "the other runtimes decompress by themselves" }, () => {
  test("a call that has ended leaves nothing to decompress, for whatever reason it has", async (t) => {
    const bomb = gzipSync(new Uint8Array(8 * 2 ** 20));
    await using server = await AnswerServer.listen();
    server.answer = (response) => void response.writeHead(200, { "Content-Encoding": "gzip" }).write(bomb);
    const { createGunzip } = zlib;
    let gunzip!: zlib.Gunzip;
    let onData = (): void => {};
    t.mock.method(zlib, "createGunzip", () => gunzip = createGunzip().once("data", () => onData()));
    const [, connect] = WAYS[0]!;
    await using strict = connect({ endpoint: server.endpoint, maxResponseBytes: 2 ** 20 });
    await assert.rejects(strict.getDevice("d"), { code: "InvalidResponse" });
    assert.ok(gunzip.destroyed, "after too much of it");
    const abort = new AbortController();
    onData = () => abort.abort();
    await using patient = connect({ endpoint: server.endpoint });
    await assert.rejects(patient.getDevice("d", { abortSignal: abort.signal }), { name: "AbortError" });
    assert.ok(gunzip.destroyed, "after an abort");
  });
});
