import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LocalHub } from "../../lib/local/mod.ts";
import { BlobCaller, BLOCK_BLOB } from "../support/blob_caller.ts";
import { holds } from "../support/properties.ts";

/** Bytes of which each differs from those around it. */
function bytesOf(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, at) => (at * 167 + (at >> 8)) % 256);
}

/** A body in pieces of these sizes. */
function bodyIn(bytes: Uint8Array<ArrayBuffer>, sizes: readonly number[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      let at = 0;
      for (const size of sizes) controller.enqueue(bytes.slice(at, at += size));
      controller.close();
    },
  });
}

describe("a blob", () => {
  test("that was written in any pieces is read by any range", async () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 150_000 })), {
      maxLength: 4,
    });
    const bound = fc.double({ min: 0, max: 1.2, noNaN: true });
    const property = fc.asyncProperty(sizes, bound, fc.option(bound, { nil: undefined }), async (sizes, from, to) => {
      const hub = new LocalHub();
      const blobs = new BlobCaller((request) => hub.fetch(request), hub.blobContainer("files").url);
      const whole = bytesOf(sizes.reduce((sum, size) => sum + size, 0));
      const init = { headers: BLOCK_BLOB, body: bodyIn(whole, sizes), duplex: "half" } as const;
      assert.equal((await blobs.call("PUT", "/b", init)).status, 201);

      const start = Math.floor(from * whole.length);
      const last = to === undefined ? undefined : start + Math.floor(to * whole.length);
      const range = `bytes=${start}-${last ?? ""}`;
      const response = await blobs.call("GET", "/b", { headers: { "range": "bytes=7-7", "x-ms-range": range } });
      const read = Buffer.from(await response.arrayBuffer());
      if (start >= whole.length) return assert.equal(response.status, 416);
      const expected = whole.subarray(start, last === undefined ? undefined : last + 1);
      assert.equal(response.status, 206);
      assert.ok(read.equals(expected));
      assert.equal(response.headers.get("content-length"), String(expected.length));
      const end = start + expected.length - 1;
      assert.equal(response.headers.get("content-range"), `bytes ${start}-${end}/${whole.length}`);
    });
    await holds(property, 40);
  });

  test("is not read by a range that is none", async () => {
    const hub = new LocalHub();
    const container = hub.blobContainer("files");
    container.write("b", "0123456789");
    const blobs = new BlobCaller((request) => hub.fetch(request), container.url);
    const ranges = fc.oneof(
      fc.constantFrom("bytes=-1", "bytes=5-4", "bytes=1-2,4-5", "bytes=0x1-2", "BYTES=1-2", "bytes= 1-2", "items=1-2"),
      fc.tuple(fc.nat(15), fc.nat(15)).map(([from, to]) => `bytes=${from}-${to}`),
      fc.string({ unit: fc.constantFrom(..."bytes=-,0123 ") }),
    );
    const property = fc.asyncProperty(ranges, async (range) => {
      const { status } = await blobs.call("GET", "/b", { headers: { range } });
      const match = /^bytes=(\d+)-(\d*)$/.exec(range.trim());
      const isRange = match !== null && (match[2] === "" || Number(match[2]) >= Number(match[1]));
      assert.equal(status, isRange ? Number(match[1]) < 10 ? 206 : 416 : 400, range);
    });
    await holds(property, 100);
  });
});
