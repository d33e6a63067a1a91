import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MAX_WRITTEN_BYTES } from "../../lib/local/blobs/blob_operations.ts";
import { HubFault, type LocalBlobContainer, LocalHub } from "../../lib/local/mod.ts";
import { BlobCaller, BLOCK_BLOB } from "../support/blob_caller.ts";
import { NO_ATTRIBUTES, TestStorage } from "../support/blob_storage.ts";
import { CountedBody } from "../support/counted_body.ts";

function setup(hub: LocalHub = new LocalHub()): { hub: LocalHub; container: LocalBlobContainer; blobs: BlobCaller } {
  const container = hub.blobContainer("files");
  return { hub, container, blobs: new BlobCaller((request) => hub.fetch(request), container.url) };
}

function setupStorage(rights: string, limit?: number): { storage: TestStorage["storage"]; blobs: BlobCaller } {
  const test = new TestStorage(limit === undefined ? {} : { limit });
  return {
    storage: test.storage,
    blobs: new BlobCaller((request) => test.answer(request), test.address("files", rights)),
  };
}

describe("a container of blobs, in process", () => {
  test("keeps texts and bytes under their names", () => {
    const { hub, container } = setup();
    assert.deepEqual([container.name, container.list()], ["files", []]);
    const bytes = new Uint8Array([1, 2, 3]);
    container.write("b", bytes);
    container.write("a/b c", "grüße");
    bytes.fill(0);
    assert.deepEqual(container.list(), ["a/b c", "b"]);
    assert.deepEqual(container.read("b"), new Uint8Array([1, 2, 3]));
    container.read("b").fill(0);
    assert.deepEqual(hub.blobContainer("files").read("b"), new Uint8Array([1, 2, 3]));
    assert.equal(new TextDecoder().decode(container.read("a/b c")), "grüße");
    container.write("b", "");
    assert.equal(container.read("b").length, 0);
    assert.deepEqual(hub.blobContainer("other").list(), []);
  });

  test("refuses names that no container and no blob can have", () => {
    const { hub, container } = setup();
    for (const name of ["", "ab", "a".repeat(64), "Files", "a--b", "-abc", "abc-", "a.b", "äbc"]) {
      assert.throws(() => hub.blobContainer(name), RangeError, name);
    }
    assert.throws(() => hub.blobContainer(1 as never), TypeError);
    for (const name of ["", "a".repeat(1025), ".", "..", "a/../b", "a/.", "\ud800"]) {
      assert.throws(() => container.write(name, ""), RangeError, name);
      assert.throws(() => container.read(name), RangeError, name);
    }
    assert.throws(() => container.write("a", 1 as never), TypeError);
    assert.throws(() => container.read("none"), (error) => error instanceof HubFault && error.code === "BlobNotFound");
  });

  test("names the port that the hub listens at, that for HTTPS first", async () => {
    const { hub, container } = setup();
    assert.ok(container.url.startsWith(`https://${hub.hostName}/blob/files?`));
    const { http } = await hub.listen({ http: 0 });
    assert.ok(container.url.startsWith(`${http}/blob/files?`));
    const { https } = await hub.listen({ https: 0 });
    assert.ok(container.url.startsWith(`${https}/blob/files?`));
    await hub.close();
  });
});

describe("a request for a blob", () => {
  test("is answered with the headers of Azure Storage", async () => {
    const { blobs, container } = setup(new LocalHub({ now: () => Date.UTC(2030, 0, 31, 12) }));
    const headers = { "x-ms-version": "2021-08-06", "x-ms-client-request-id": "mine" };
    const put = await blobs.call("PUT", "/a", { body: "1", headers: { ...BLOCK_BLOB, ...headers } });
    assert.deepEqual([put.status, await put.text()], [201, ""]);
    const get = await blobs.call("GET", "/a", { headers });
    for (const response of [put, get]) {
      assert.match(response.headers.get("etag")!, /^"0x[0-9A-F]+"$/);
      assert.equal(response.headers.get("etag"), put.headers.get("etag"));
      assert.equal(response.headers.get("last-modified"), "Thu, 31 Jan 2030 12:00:00 GMT");
      assert.equal(response.headers.get("date"), "Thu, 31 Jan 2030 12:00:00 GMT");
      assert.equal(response.headers.get("x-ms-version"), "2021-08-06");
      assert.equal(response.headers.get("x-ms-client-request-id"), "mine");
      assert.match(response.headers.get("x-ms-request-id")!, /^[0-9a-f]{32}$/);
    }
    assert.equal(put.headers.get("content-length"), "0");
    assert.equal(get.headers.get("content-length"), "1");
    const head = await blobs.call("HEAD", "/a");
    assert.deepEqual([head.status, head.headers.get("content-length"), head.body], [200, "1", null]);
    const deleted = await blobs.call("DELETE", "/a");
    assert.deepEqual([deleted.status, container.list()], [202, []]);
  });

  test("that fails is answered with a document, and with its code in a header", async () => {
    const { blobs } = setup();
    const response = await blobs.fails([404, "BlobNotFound"], "GET", "/<&>");
    assert.equal(response.headers.get("content-type"), "application/xml");
    assert.equal(
      await response.text(),
      '<?xml version="1.0" encoding="utf-8"?><Error><Code>BlobNotFound</Code>' +
        '<Message>The container files has no blob "&lt;&amp;&gt;"</Message></Error>',
    );
    const head = await blobs.fails([404, "BlobNotFound"], "HEAD", "/none");
    assert.equal(await head.text(), "");
  });

  test("reads nothing of the body before its sender is known and may do this", async () => {
    const test = new TestStorage();
    const requests = [["PUT", "/a"], ["PUT", "/a?comp=block&blockid=YQ=="], ["PUT", "/a?comp=blocklist"]] as const;
    const forged = "https://h/blob/files?sv=2020-12-06&sr=c&sp=racwdl&se=2099-01-01T00:00:00Z&sig=YQ==";
    for (const address of [test.address("files", "rl"), "https://h/blob/files", forged]) {
      const caller = new BlobCaller((request) => test.answer(request), address);
      for (const [method, path] of requests) {
        const body = new CountedBody("x".repeat(1000), 10);
        const response = await caller.call(method, path, { body: body.stream, headers: BLOCK_BLOB, duplex: "half" });
        assert.ok([401, 403].includes(response.status), `${path} at ${address}: ${response.status}`);
        assert.equal(body.taken, 0);
      }
    }
  });

  test("is refused as soon as its body is too large", async () => {
    const { blobs } = setup();
    const body = new CountedBody("x".repeat(1000), 10);
    const headers = { ...BLOCK_BLOB, "content-length": String(MAX_WRITTEN_BYTES + 1) };
    await blobs.fails([413, "RequestBodyTooLarge"], "PUT", "/a", { body: body.stream, headers, duplex: "half" });
    assert.equal(body.taken, 0);
    const list = new CountedBody(" ".repeat(9 * 1024 * 1024), 100);
    const init = { body: list.stream, duplex: "half" } as const;
    await blobs.fails([413, "RequestBodyTooLarge"], "PUT", "/a?comp=blocklist", init);
    assert.ok(list.taken < 100);
  });

  test("leaves nothing behind when its body breaks off", async () => {
    const { hub, blobs, container } = setup();
    const faults: unknown[] = [];
    hub.onFault((fault) => faults.push(fault));
    const cut = (): ReadableStream => new ReadableStream({ pull: (controller) => controller.error(new Error("cut")) });
    for (const path of ["/a", "/a?comp=block&blockid=YQ==", "/a?comp=blocklist"]) {
      await blobs.fails([400, "InvalidInput"], "PUT", path, { body: cut(), headers: BLOCK_BLOB, duplex: "half" });
    }
    assert.deepEqual([container.list(), faults], [[], []]);
  });

  test("needs the right for what it does", async () => {
    const lacks: [string, ...Parameters<BlobCaller["call"]>][] = [
      ["racwd", "GET", "?restype=container&comp=list"],
      ["acwdl", "GET", "/a"],
      ["acwdl", "HEAD", "/a"],
      ["rdl", "PUT", "/a", { headers: BLOCK_BLOB }],
      ["rcwl", "DELETE", "/a"],
      ["", "GET", "/a"],
    ];
    for (const [rights, ...call] of lacks) {
      await setupStorage(rights).blobs.fails([403, "AuthorizationPermissionMismatch"], ...call);
    }
  });

  test("with the right to create only overwrites nothing", async () => {
    const { storage, blobs } = setupStorage("rc");
    const list = { body: "<BlockList><Latest>YQ==</Latest></BlockList>" };
    const init = { body: "1", headers: BLOCK_BLOB };
    assert.equal((await blobs.call("PUT", "/a", init)).status, 201);
    assert.equal((await blobs.call("PUT", "/b?comp=block&blockid=YQ==", init)).status, 201);
    assert.equal((await blobs.call("PUT", "/b?comp=blocklist", list)).status, 201);
    for (const path of ["/a", "/b", "/b?comp=block&blockid=YQ=="]) {
      await blobs.fails([403, "AuthorizationPermissionMismatch"], "PUT", path, init);
    }
    await blobs.fails([403, "AuthorizationPermissionMismatch"], "PUT", "/b?comp=blocklist", list);
    assert.deepEqual(storage.container("files").blobs.map(({ name }) => name), ["a", "b"]);
  });

  test("for a container that does not exist, or with a signature for another blob, is refused", async () => {
    const test = new TestStorage();
    const { storage } = test;
    const answer = (path: string, sas: string): Promise<Response> =>
      test.answer(new Request(`https://h/blob/${path}?${sas}`));
    const none = await answer("none/a", storage.sas.sign({ container: "none" }, "r", 1000));
    assert.equal(none.headers.get("x-ms-error-code"), "ContainerNotFound");
    storage.container("files").write("a", { pieces: [], size: 0 }, NO_ATTRIBUTES);
    const sas = storage.sas.sign({ container: "files", blob: "a" }, "rl", 1000);
    assert.equal((await answer("files/a", sas)).status, 200);
    for (const path of ["files/b", "files", "none/a", "files/a/b"]) {
      assert.equal((await answer(path, sas)).headers.get("x-ms-error-code"), "AuthenticationFailed", path);
    }
    assert.equal((await answer("files/%ff", sas)).headers.get("x-ms-error-code"), "InvalidUri");
    for (const name of ["a%2F..%2Fb", "a".repeat(1025)]) {
      assert.equal((await answer(`files/${name}`, sas)).headers.get("x-ms-error-code"), "InvalidResourceName");
    }
  });

  test("that Azure Storage has and the hub has not is answered with 501", async () => {
    const { blobs, container } = setup();
    container.write("a", "1");
    for (
      const [method, path, headers] of [
        ["PUT", "/a?comp=metadata", {}],
        ["PUT", "/a?comp=appendblock", {}],
        ["PUT", "/a", { "x-ms-blob-type": "PageBlob" }],
        ["PUT", "/a", { ...BLOCK_BLOB, "x-ms-copy-source": "https://h/other" }],
        ["PUT", "/a?comp=block&blockid=YQ==", { "x-ms-copy-source": "https://h/other" }],
        ["PUT", "/a", { ...BLOCK_BLOB, "x-ms-structured-body": "XSM/1.0; properties=crc64" }],
        ["GET", "/a?comp=blocklist", {}],
        ["GET", "/a?versionid=1", {}],
        ["GET", "?restype=container", {}],
        ["DELETE", "?restype=container", {}],
        ["POST", "/a", {}],
      ] as const
    ) await blobs.fails([501, "NotImplemented"], method, path, { headers });
    await blobs.fails([405, "UnsupportedHttpVerb"], "REPORT", "/a");
    await blobs.fails([400, "MissingRequiredHeader"], "PUT", "/a", { body: "2" });
    await blobs.fails([400, "MissingRequiredQueryParameter"], "PUT", "/a?comp=block", { body: "2" });
    await blobs.fails([400, "InvalidMetadata"], "PUT", "/a", { headers: { ...BLOCK_BLOB, "x-ms-meta-a-b": "1" } });
    assert.equal(new TextDecoder().decode(container.read("a")), "1");
  });

  test("that meets a mistake of the hub gets 500 without the reason", async () => {
    let isBroken = false;
    const hub = new LocalHub({
      now: () => {
        if (isBroken) throw new Error("The clock has stopped");
        return Date.now();
      },
    });
    const { blobs } = setup(hub);
    const faults: string[] = [];
    hub.onFault(({ error, trackingId }) => faults.push(`${trackingId} ${error}`));
    isBroken = true;
    const response = await blobs.fails([500, "InternalError"], "GET", "/a");
    assert.doesNotMatch(await response.text(), /clock/);
    assert.deepEqual(faults, [`${response.headers.get("x-ms-request-id")} Error: The clock has stopped`]);
  });

  test("cannot ask for headers that its signature does not name", async () => {
    const { blobs, container } = setup();
    container.write("a", "1");
    const added = await blobs.fails([403, "AuthenticationFailed"], "GET", "/a?rsct=text/html");
    assert.match(await added.text(), /does not match the address/);
  });
});

describe("a list of blocks", () => {
  const commit = (blobs: BlobCaller, body: string): Promise<Response> =>
    blobs.call("PUT", "/a?comp=blocklist", { body });

  async function setupBlocks(): Promise<ReturnType<typeof setup>> {
    const scene = setup();
    for (const [id, body] of [["YQ==", "1"], ["Yg==", "2"]]) {
      assert.equal((await scene.blobs.call("PUT", `/a?comp=block&blockid=${id}`, { body: body! })).status, 201);
    }
    return scene;
  }

  const GOOD: [xml: string, text: string][] = [
    ["<BlockList><Latest>YQ==</Latest><Latest>Yg==</Latest></BlockList>", "12"],
    ['<?xml version="1.0" encoding="utf-8"?>\r\n<BlockList>\n  <Uncommitted>Yg==</Uncommitted>\n</BlockList>\n', "2"],
    ["\ufeff<BlockList ><Latest> Y&#x51;&#61;&#61; </Latest></BlockList >", "1"],
    ["<BlockList/>", ""],
    ["<BlockList></BlockList>", ""],
  ];
  for (const [xml, text] of GOOD) {
    test(`commits ${JSON.stringify(xml)}`, async () => {
      const { blobs, container } = await setupBlocks();
      assert.equal((await commit(blobs, xml)).status, 201);
      assert.equal(new TextDecoder().decode(container.read("a")), text);
    });
  }

  const BAD: [xml: string, code: string][] = [
    ["", "InvalidXmlDocument"],
    ["<BlockList>", "InvalidXmlDocument"],
    ["<Blocks><Latest>YQ==</Latest></Blocks>", "InvalidXmlDocument"],
    ["<BlockList>YQ==</BlockList>", "InvalidXmlDocument"],
    ["<BlockList><Latest>YQ==</Committed></BlockList>", "InvalidXmlDocument"],
    ["<BlockList><latest>YQ==</latest></BlockList>", "InvalidXmlDocument"],
    ["<BlockList><Latest><Latest>YQ==</Latest></Latest></BlockList>", "InvalidXmlDocument"],
    ["<!DOCTYPE a [<!ENTITY b 'YQ=='>]><BlockList><Latest>&b;</Latest></BlockList>", "InvalidXmlDocument"],
    ["<BlockList><Latest>&b;</Latest></BlockList>", "InvalidBlockId"],
    ["<BlockList><Latest></Latest></BlockList>", "InvalidBlockId"],
    [`<BlockList><Latest>${btoa("a".repeat(65))}</Latest></BlockList>`, "InvalidBlockId"],
    ["<BlockList><Latest>Yw==</Latest></BlockList>", "InvalidBlockList"],
    ["<BlockList><Committed>YQ==</Committed></BlockList>", "InvalidBlockList"],
    [`<BlockList>${"<Latest>YQ==</Latest>".repeat(50_001)}</BlockList>`, "BlockListTooLong"],
  ];
  for (const [xml, code] of BAD) {
    test(`is refused as ${code}: ${xml.slice(0, 60)}`, async () => {
      const { blobs, container } = await setupBlocks();
      const response = await commit(blobs, xml);
      assert.deepEqual([response.status, response.headers.get("x-ms-error-code")], [400, code]);
      assert.deepEqual(container.list(), []);
      await commit(blobs, GOOD[0]![0]);
      assert.equal(container.read("a").length, 2, "the blocks are still there");
    });
  }

  test("of 50,000 blocks is read in a moment", async () => {
    const { blobs, container } = await setupBlocks();
    assert.equal(
      (await commit(blobs, `<BlockList>${"<Latest>YQ==</Latest>\n".repeat(50_000)}</BlockList>`)).status,
      201,
    );
    assert.equal(container.read("a").length, 50_000);
  });
});

test("blobs take no more memory than there is for them, and give it back", async () => {
  const { storage, blobs } = setupStorage("racwdl", 100_000);
  const fill = (size: number) => ({ body: new Uint8Array(size), headers: BLOCK_BLOB });
  const isFull = [507, "InsufficientStorage"] as [number, string];
  for (let round = 0; round < 5; round++) {
    assert.equal((await blobs.call("PUT", "/a", fill(60_000))).status, 201);
    await blobs.fails(isFull, "PUT", "/b", fill(60_000));
    await blobs.fails(isFull, "PUT", "/b?comp=block&blockid=YQ==", fill(60_000));
    assert.equal((await blobs.call("PUT", "/a", fill(90_000))).status, 201, "in place of the first");
    assert.equal((await blobs.call("DELETE", "/a")).status, 202);
    assert.equal((await blobs.call("PUT", "/a?comp=block&blockid=YQ==", fill(80_000))).status, 201);
    assert.equal((await blobs.call("PUT", "/a?comp=block&blockid=YQ==", fill(90_000))).status, 201);
    await blobs.fails(isFull, "PUT", "/a?comp=block&blockid=Yg==", fill(20_000));
    const body = `<BlockList>${"<Latest>YQ==</Latest>".repeat(2)}</BlockList>`;
    await blobs.fails(isFull, "PUT", "/a?comp=blocklist", { body });
    assert.equal((await blobs.call("PUT", "/a", fill(90_000))).status, 201, "drops the block");
    assert.equal((await blobs.call("DELETE", "/a")).status, 202);
  }
  for (let i = 0; i < 150; i++) assert.equal((await blobs.call("PUT", `/${i}`, fill(1))).status, 201);
  const last = await blobs.call("PUT", "/last", fill(20_000));
  assert.equal(last.status, 507, "small blobs take more than their bytes");
  assert.equal(storage.container("files").blobs.length, 150);
});
