import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ContainerClient, type RestError } from "@azure/storage-blob";
import { type LocalBlobContainer, LocalHub } from "../../lib/local/mod.ts";

const MEBIBYTE = 1024 * 1024;

let now = Date.now();
let names = 0;
const hub = new LocalHub({ now: () => now });

interface Scene {
  client: ContainerClient;
  container: LocalBlobContainer;
}

/** A container of its own for each test, and the vendor's client for it, unmodified. */
function newScene(): Scene {
  const container = hub.blobContainer(`container-${++names}`);
  return { container, client: new ContainerClient(container.url) };
}

/** Bytes in which each part differs from the others. */
function bytesOf(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let at = 0, state = 1; at < size; at++) bytes[at] = state = (state * 75 + 74) % 65_537;
  return bytes;
}

function isFault(statusCode: number, code: string) {
  return (error: RestError): boolean => error.statusCode === statusCode && error.code === code;
}

async function namesIn(list: AsyncIterable<{ name: string }>): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of list) names.push(name);
  return names;
}

describe("@azure/storage-blob at the hub, over a socket", () => {
  before(() => hub.listen({ http: 0 }));
  after(() => hub.close());

  test("uploads at once, and downloads", async () => {
    const { client, container } = newScene();
    const blob = client.getBlockBlobClient("devices.txt");
    const { etag, lastModified, isServerEncrypted, errorCode } = await blob.upload("good morning", 12, {
      blobHTTPHeaders: { blobContentType: "text/plain", blobCacheControl: "no-store", blobContentLanguage: "en" },
      metadata: { origin: "test" },
    });
    assert.equal(errorCode, undefined);
    assert.equal(isServerEncrypted, true);
    assert.equal(new TextDecoder().decode(container.read("devices.txt")), "good morning");

    const properties = await blob.getProperties();
    assert.equal(properties.etag, etag);
    assert.deepEqual(properties.lastModified, lastModified);
    assert.equal(properties.contentLength, 12);
    assert.equal(properties.contentType, "text/plain");
    assert.equal(properties.cacheControl, "no-store");
    assert.equal(properties.contentLanguage, "en");
    assert.equal(properties.blobType, "BlockBlob");
    assert.deepEqual(properties.metadata, { origin: "test" });

    assert.equal((await blob.downloadToBuffer()).toString(), "good morning");
    assert.equal((await blob.downloadToBuffer(5, 4)).toString(), "morn");
    const { contentRange, readableStreamBody } = await blob.download(5);
    assert.equal(contentRange, "bytes 5-11/12");
    readableStreamBody!.on("data", () => {});
    assert.equal(await blob.exists(), true);
    assert.equal(await client.getBlobClient("other").exists(), false);
  });

  test("uploads in blocks, many at once", async () => {
    const { client, container } = newScene();
    const data = bytesOf(9 * MEBIBYTE + 5);
    const blob = client.getBlockBlobClient("large");
    await blob.uploadData(data, { blockSize: MEBIBYTE, maxSingleShotSize: 0, concurrency: 6 });
    assert.deepEqual(container.read("large"), data);
    assert.deepEqual(new Uint8Array(await blob.downloadToBuffer(0, undefined, { blockSize: 2 * MEBIBYTE })), data);
    await blob.uploadData(data.subarray(0, 10));
    assert.equal(container.read("large").length, 10);
  });

  test("stages blocks in any order and commits them in that of the list, old ones among them", async () => {
    const { client, container } = newScene();
    const blob = client.getBlockBlobClient("a/b");
    const ids = ["1", "2", "3"].map(btoa);
    for (const i of [2, 0, 1]) await blob.stageBlock(ids[i]!, `part ${i} `, 7);
    await blob.commitBlockList([ids[0]!, ids[1]!], { blobHTTPHeaders: { blobContentType: "text/plain" } });
    assert.equal(new TextDecoder().decode(container.read("a/b")), "part 0 part 1 ");
    assert.equal((await blob.getProperties()).contentType, "text/plain");

    await blob.stageBlock(ids[2]!, "new", 3);
    await blob.commitBlockList([ids[2]!, ids[0]!, ids[2]!]);
    assert.equal(new TextDecoder().decode(container.read("a/b")), "newpart 0 new");
    await assert.rejects(blob.commitBlockList([ids[1]!]), isFault(400, "InvalidBlockList"));
    await assert.rejects(blob.stageBlock("no base64!", "x", 1), isFault(400, "InvalidBlockId"));
    await blob.stageBlock(ids[0]!, "x", 1);
    await assert.rejects(blob.stageBlock(btoa("four"), "x", 1), isFault(400, "InvalidBlobOrBlock"));
  });

  test("writes and reads under conditions", async () => {
    const { client } = newScene();
    const blob = client.getBlockBlobClient("b");
    const write = (text: string, conditions = {}): Promise<{ etag?: string; lastModified?: Date }> =>
      blob.upload(text, text.length, { conditions });
    await assert.rejects(write("0", { ifMatch: "*" }), isFault(412, "ConditionNotMet"));
    const first = await write("1", { ifNoneMatch: "*" });
    await assert.rejects(write("2", { ifNoneMatch: "*" }), isFault(409, "BlobAlreadyExists"));
    const second = await write("2", { ifMatch: first.etag });
    assert.notEqual(second.etag, first.etag);
    await assert.rejects(write("3", { ifMatch: first.etag }), isFault(412, "ConditionNotMet"));
    await assert.rejects(blob.download(0, undefined, { conditions: { ifMatch: first.etag! } }), { statusCode: 412 });
    await assert.rejects(blob.download(0, undefined, { conditions: { ifNoneMatch: second.etag! } }), {
      statusCode: 304,
    });
    const conditions = { ifUnmodifiedSince: new Date(second.lastModified!.getTime() - 1000) };
    await assert.rejects(blob.delete({ conditions }), isFault(412, "ConditionNotMet"));
    await blob.delete({ conditions: { ifMatch: second.etag! } });
    await assert.rejects(blob.delete(), isFault(404, "BlobNotFound"));
    assert.equal((await blob.deleteIfExists()).succeeded, false);
  });

  test("lists, page by page, by prefix and as folders", async () => {
    const { client, container } = newScene();
    assert.deepEqual(await namesIn(client.listBlobsFlat()), []);
    const all = ["a", "a/1", "a/2", "a/b/3", "b", "c/4", "z&<>'\" ü", "\u0001"].sort();
    for (const name of all) container.write(name, name);
    assert.deepEqual(await namesIn(client.listBlobsFlat()), all);
    assert.deepEqual(await namesIn(client.listBlobsFlat({ prefix: "a/" })), ["a/1", "a/2", "a/b/3"]);

    const pages: string[][] = [];
    for await (const { segment } of client.listBlobsFlat().byPage({ maxPageSize: 3 })) {
      pages.push(segment.blobItems.map(({ name }) => name));
    }
    assert.deepEqual(pages.map(({ length }) => length), [3, 3, 2]);
    assert.deepEqual(pages.flat(), all);

    const entries: string[] = [];
    for await (const { segment } of client.listBlobsByHierarchy("/", { prefix: "a" }).byPage({ maxPageSize: 1 })) {
      entries.push(...(segment.blobPrefixes ?? []).map(({ name }) => `${name}…`));
      entries.push(...segment.blobItems.map(({ name }) => name));
    }
    assert.deepEqual(entries, ["a", "a/…"]);

    await client.getBlockBlobClient("b").upload("b", 1, { metadata: { color: "red" } });
    for await (const item of client.listBlobsFlat({ prefix: "b", includeMetadata: true })) {
      assert.deepEqual(item.metadata, { color: "red" });
      assert.equal(item.properties.contentLength, 1);
      assert.equal(item.properties.contentType, "application/octet-stream");
    }
  });

  test("uses names of any characters", async () => {
    const { client, container } = newScene();
    for (const name of ["a b+c%2F&?#;=,@$!*'()", "ünï/cödé 😀", "%", "a//b", "...", "d:\\e", "q?sv=1"]) {
      const blob = client.getBlockBlobClient(name);
      await blob.upload(name, new TextEncoder().encode(name).length);
      assert.equal(new TextDecoder().decode(container.read(name)), name);
      assert.equal((await blob.downloadToBuffer()).toString(), name);
    }
  });

  test("is refused with a signature that has expired, is another one's, or is changed", async () => {
    const { client, container } = newScene();
    const blob = client.getBlockBlobClient("b");
    await blob.upload("1", 1);
    const foreign = new ContainerClient(hub.blobContainer("another").url.replace("another", container.name));
    await assert.rejects(foreign.getBlobClient("b").download(), isFault(403, "AuthenticationFailed"));
    const none = new ContainerClient(container.url.split("?")[0]!);
    await assert.rejects(none.getBlobClient("b").download(), isFault(401, "NoAuthenticationInformation"));
    now += 3_601_000;
    await assert.rejects(blob.download(), isFault(403, "AuthenticationFailed"));
    await assert.rejects(blob.upload("2", 1), isFault(403, "AuthenticationFailed"));
    await new ContainerClient(container.url).getBlobClient("b").download();
  });

  test("is told what is not there", async () => {
    const { client } = newScene();
    const blob = client.getBlockBlobClient("b");
    await blob.upload("1", 1);
    for (
      const call of [
        () => blob.setMetadata({}),
        () => blob.createSnapshot(),
        () => blob.getBlockList("all"),
        () => client.getAppendBlobClient("b").create(),
        () => client.getPageBlobClient("b").create(512),
        () => client.create(),
        () => client.delete(),
        () => client.getProperties(),
        () => namesIn(client.listBlobsFlat({ includeUncommitedBlobs: true })),
      ]
    ) await assert.rejects(call(), isFault(501, "NotImplemented"), String(call));
  });
});

test("@azure/storage-blob at the hub, over TLS", async () => {
  await using hub = new LocalHub();
  const { certificate, https } = await hub.listen({ https: 0, http: 0 });
  const container = hub.blobContainer("safe");
  assert.ok(container.url.startsWith(`${https}/`));
  const client = new ContainerClient(container.url, undefined, { tlsOptions: { ca: certificate! } } as never);
  const data = bytesOf(MEBIBYTE);
  await client.getBlockBlobClient("b").uploadData(data, { blockSize: 300_000, maxSingleShotSize: 0 });
  assert.deepEqual(new Uint8Array(await client.getBlobClient("b").downloadToBuffer()), data);
});
