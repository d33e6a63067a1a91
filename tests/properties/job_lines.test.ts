import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { BlobContent } from "../../lib/local/blobs/blob_content.ts";
import { LineWriter, readLines } from "../../lib/local/jobs/lines.ts";
import { TestStorage } from "../support/blob_storage.ts";
import { holds } from "../support/properties.ts";

const MAX_LENGTH = 12;
const text = fc.string({ unit: fc.constantFrom("a", "ü", "😀", "\n", "\r", "\r\n", "aaaaaaaa"), maxLength: 40 });

/** A text in pieces that end anywhere, within a character, too. */
function contentIn(text: string, cuts: readonly number[]): BlobContent {
  const bytes = new TextEncoder().encode(text);
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((one, other) => one - other);
  const bounds = [0, ...ends, bytes.length];
  const pieces = bounds.slice(1).map((end, i) => bytes.slice(bounds[i], end)).filter(({ length }) => length > 0);
  return { pieces, size: bytes.length };
}

describe("lines", () => {
  test("of any text in any pieces are read as they are, save those that are too long", async () => {
    const property = fc.property(text, fc.array(fc.nat(200)), (text, cuts) => {
      const read = [...readLines(contentIn(text, cuts), MAX_LENGTH)];
      const expected = text.split("\n");
      if (expected.at(-1) === "") expected.pop();
      assert.deepEqual(
        read.map(({ text }) => text),
        expected.map((line) => line.length > MAX_LENGTH ? undefined : line.replace(/\r$/, "")),
      );
      const progress = read.map(({ progress }) => progress);
      assert.deepEqual(progress, progress.toSorted((one, other) => one - other));
      assert.ok(progress.every((part) => part > 0 && part <= 1));
    });
    await holds(property, 300);
  });

  test("are written as they are, and read back", async () => {
    const property = fc.property(fc.array(fc.oneof(fc.json().map((json) => JSON.parse(json)), text)), (values) => {
      const container = new TestStorage().storage.container("files");
      const writer = new LineWriter(container);
      const lines = values.filter((value) => typeof value !== "string" || !/[\r\n]/.test(value));
      for (const line of lines) writer.add(line);
      assert.deepEqual(container.blobs, [], "the blob is there as a whole");
      writer.save("b");
      const read = [...readLines(container.require("b").content, Infinity)].map(({ text }) => text!);
      assert.deepEqual(read, lines.map((line) => typeof line === "string" ? line : JSON.stringify(line)));
    });
    await holds(property, 100);
  });

  test("that are more than the hub can keep are refused while they are written", () => {
    const container = new TestStorage({ limit: 100_000 }).storage.container("files");
    const writer = new LineWriter(container);
    let count = 0;
    assert.throws(() => {
      for (; count < 10_000; count++) writer.add("x".repeat(999));
    }, { code: "InsufficientStorage" });
    assert.ok(count < 130, `${count} lines were kept`);
  });
});
