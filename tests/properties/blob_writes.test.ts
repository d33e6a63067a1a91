import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BlobCaller, BLOCK_BLOB } from "../support/blob_caller.ts";
import { NO_ATTRIBUTES, TestStorage } from "../support/blob_storage.ts";
import { holds } from "../support/properties.ts";

const SPACE = 1_000_000;

type Write =
  | { kind: "write"; name: string; text: string }
  | { kind: "block"; name: string; id: string; text: string }
  | { kind: "commit"; name: string; list: (readonly [from: string, id: string])[] }
  | { kind: "delete"; name: string };

interface List {
  kind: "list";
  prefix: string;
  delimiter: string;
  size: number;
}

const name = fc.constantFrom("a", "a/1", "a/2", "a/b/3", "b", "c/4");
const text = fc.string({ maxLength: 8, unit: fc.constantFrom(..."xyz") });
const id = fc.constantFrom("1", "2", "3", "12").map(btoa);
const from = fc.constantFrom("Latest", "Latest", "Committed", "Uncommitted");

const step: fc.Arbitrary<Write | List> = fc.oneof(
  fc.record({ kind: fc.constant("write"), name, text }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("block"), name, id, text }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("commit"), name, list: fc.array(fc.tuple(from, id)) }) },
  fc.record({ kind: fc.constant("delete"), name }),
  fc.record({
    kind: fc.constant("list"),
    prefix: fc.constantFrom("", "a", "a/", "b", "zz"),
    delimiter: fc.constantFrom("", "/"),
    size: fc.integer({ min: 1, max: 4 }),
  }),
);

/** The plainest container there can be. */
class Model {
  readonly blobs = new Map<string, { text: string; blocks: Map<string, string> }>();
  readonly uncommitted = new Map<string, Map<string, string>>();

  /** Does a write. @returns the status that it is answered with */
  apply(step: Write): number {
    const { name } = step;
    const blocks = this.uncommitted.get(name) ?? new Map<string, string>();
    switch (step.kind) {
      case "write":
        this.#put(name, step.text, new Map());
        return 201;
      case "block":
        if (step.text === "" || [...blocks.keys()].some(({ length }) => length !== step.id.length)) return 400;
        this.uncommitted.set(name, blocks.set(step.id, step.text));
        return 201;
      case "delete":
        if (!this.blobs.delete(name)) return 404;
        this.uncommitted.delete(name);
        return 202;
      case "commit": {
        const committed = this.blobs.get(name)?.blocks ?? new Map<string, string>();
        const found = step.list.map(([from, id]) => {
          if (from === "Committed") return committed.get(id);
          return blocks.get(id) ?? (from === "Latest" ? committed.get(id) : undefined);
        });
        if (found.includes(undefined)) return 400;
        this.#put(name, found.join(""), new Map(step.list.map(([, id], i) => [id, found[i]!])));
        return 201;
      }
    }
  }

  list({ prefix, delimiter }: List): string[] {
    const keys = [...this.blobs.keys()].filter((name) => name.startsWith(prefix)).map((name) => {
      const rest = name.slice(prefix.length);
      return delimiter !== "" && rest.includes("/") ? `${prefix}${rest.split("/")[0]}/` : name;
    });
    return [...new Set(keys)].sort();
  }

  #put(name: string, text: string, blocks: Map<string, string>): void {
    this.blobs.set(name, { text, blocks });
    this.uncommitted.delete(name);
  }
}

async function send(blobs: BlobCaller, step: Write): Promise<number> {
  const path = `/${step.name}`;
  const put = (query: string, body: string): Promise<Response> =>
    blobs.call("PUT", path + query, { headers: BLOCK_BLOB, body });
  switch (step.kind) {
    case "write":
      return (await put("", step.text)).status;
    case "block":
      return (await put(`?comp=block&blockid=${encodeURIComponent(step.id)}`, step.text)).status;
    case "commit": {
      const entries = step.list.map(([from, id]) => `<${from}>${id}</${from}>`);
      return (await put("?comp=blocklist", `<BlockList>${entries.join("")}</BlockList>`)).status;
    }
    case "delete":
      return (await blobs.call("DELETE", path)).status;
  }
}

async function listed(blobs: BlobCaller, { prefix, delimiter, size }: List): Promise<string[]> {
  const names: string[] = [];
  for (let marker = "";;) {
    const query = new URLSearchParams({ restype: "container", comp: "list", prefix, delimiter, maxresults: `${size}` });
    if (marker !== "") query.set("marker", marker);
    const xml = await (await blobs.call("GET", `?${query}`)).text();
    const page = Array.from(xml.matchAll(/<Name>(.*?)<\/Name>/g), ([, name]) => name!);
    assert.ok(page.length <= size);
    names.push(...page);
    marker = /<NextMarker>(.*?)<\/NextMarker>/.exec(xml)?.[1] ?? "";
    if (marker === "") return names;
    assert.equal(page.length, size, "only the last page may be short");
  }
}

test("any writes leave what a plain model has, which is listed page by page, and take no space in the end", async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 30, size: "max" }), async (steps) => {
    const test = new TestStorage({ limit: SPACE });
    const blobs = new BlobCaller((request) => test.answer(request), test.address("files", "racwdl"));
    const container = test.storage.container("files");
    const model = new Model();
    for (const step of steps) {
      if (step.kind === "list") {
        assert.deepEqual(await listed(blobs, step), model.list(step));
        continue;
      }
      assert.equal(await send(blobs, step), model.apply(step), JSON.stringify(step));
      const state = container.blobs.map(({ name, content }) => [name, Buffer.concat(content.pieces).toString()]);
      const expected = [...model.blobs].map(([name, { text }]) => [name, text]);
      assert.deepEqual(Object.fromEntries(state), Object.fromEntries(expected));
    }
    for (const name of model.uncommitted.keys()) container.commit(name, [], NO_ATTRIBUTES);
    for (const blob of container.blobs) container.delete(blob);
    test.space.take(SPACE);
  });
  await holds(property, 40);
});
