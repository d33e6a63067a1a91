import assert from "node:assert/strict";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import fc from "fast-check";
import { responseOf } from "../../lib/local/hub_answer.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { IoTHubRegistryManager } from "../../mod.ts";
import { BlobCaller, BLOCK_BLOB } from "../support/blob_caller.ts";
import { type DeviceAnswer, DeviceCaller, signAsDevice } from "../support/device_caller.ts";
import { MessagingHub } from "../support/messaging_hub.ts";
import { type Json, RestCaller } from "../support/rest_caller.ts";
import { encodeBase64 } from "../../lib/values/base64.ts";

const HOUR = 60 * 60 * 1000;

class UploadScene implements Disposable {
  readonly hub: MessagingHub = new MessagingHub();
  readonly device: DeviceCaller = new DeviceCaller(this.hub.state);

  begin(blobName: unknown, path: string = "/files", device: DeviceCaller = this.device): Promise<DeviceAnswer> {
    return device.call("POST", path, { body: JSON.stringify({ blobName }) });
  }

  end(body: unknown, path: string = "/files/notifications", device: DeviceCaller = this.device): Promise<DeviceAnswer> {
    return device.call("POST", path, { body: JSON.stringify(body) });
  }

  /** Makes requests for the blob of an upload, as devices put its address together. */
  blob(
    { hostName, containerName, blobName, sasToken }: Json,
    escape: (text: string) => string = encodeURIComponent,
  ): BlobCaller {
    const url = `https://${hostName}/${containerName}/${escape(blobName)}${sasToken}`;
    return new BlobCaller(async (request) => responseOf(await this.hub.state.blobEndpoint.answer(request)), url);
  }

  async write(begun: Json, text: string): Promise<void> {
    const { status } = await this.blob(begun).call("PUT", "", { body: text, headers: BLOCK_BLOB });
    assert.equal(status, 201);
  }

  /** The next notification to back ends, which it completes. */
  notification(): Json {
    const { fileNotifications } = this.hub.state;
    const message = fileNotifications.lockNext(this.hub.now);
    if (message === undefined) return undefined;
    assert.equal(message.contentType, "application/vnd.microsoft.iothub.filenotification.json");
    fileNotifications.complete(message.lockToken, this.hub.now);
    return JSON.parse(message.body);
  }

  [Symbol.dispose](): void {
    this.hub[Symbol.dispose]();
  }
}

function assertFails(answer: DeviceAnswer, status: number, code: string): void {
  assert.deepEqual([answer.status, answer.code], [status, code], answer.text);
}

describe("An upload of a file", () => {
  test("is begun, written, ended, and told to back ends", async () => {
    using scene = new UploadScene();
    const { status, body: begun } = await scene.begin("logs/monday 1.txt");
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(begun), ["correlationId", "hostName", "containerName", "blobName", "sasToken"]);
    assert.deepEqual([begun.hostName, begun.blobName], ["hub.example", "d/logs/monday 1.txt"]);
    assert.match(begun.sasToken, /^\?sv=/);
    scene.hub.tick(1000);
    await scene.write(begun, "cold");
    const written = scene.hub.now;
    scene.hub.tick(1000);
    const ended = await scene.end({ correlationId: begun.correlationId, isSuccess: true, statusCode: 201 });
    assert.deepEqual([ended.status, ended.text], [204, ""]);
    const { lastUpdatedTime, enqueuedTimeUtc, ...rest } = scene.notification();
    assert.deepEqual(rest, {
      deviceId: "d",
      blobUri: `https://hub.example/${begun.containerName}/d/logs/monday%201.txt`,
      blobName: "d/logs/monday 1.txt",
      blobSizeInBytes: 4,
    });
    assert.deepEqual([Date.parse(lastUpdatedTime), Date.parse(enqueuedTimeUtc)], [written, scene.hub.now]);
    const device = await scene.hub.rest.do("GET", "/devices/d");
    assert.deepEqual([Date.parse(device.lastActivityTime), device.connectionState], [scene.hub.now, "Disconnected"]);
  });

  test("goes as each SDK does it", async () => {
    using scene = new UploadScene();
    const ends: ((id: string) => [path: string, body: unknown])[] = [
      (
        id,
      ) => [`/files/notifications/${encodeURIComponent(id)}`, {
        isSuccess: true,
        statusCode: 201,
        statusDescription: "",
      }],
      (
        id,
      ) => ["/files/notifications", { correlationId: id, isSuccess: true, statusCode: 200, statusDescription: null }],
      (id) => ["/files/notifications/", { correlationId: id, isSuccess: true, statusCode: 0 }],
      (id) => ["/Files/Notifications", { CorrelationId: id, IsSuccess: "true", StatusCode: "201" }],
      (id) => [`/files/notifications/${encodeURIComponent(id)}`, { correlationId: "other", isSuccess: true }],
    ];
    for (const [index, end] of ends.entries()) {
      const { body: begun } = await scene.begin("same.txt", index % 2 === 0 ? "/files" : "/files/");
      await scene.write(begun, "x".repeat(index));
      const [path, body] = end(begun.correlationId);
      assert.equal((await scene.end(body, path)).status, 204, path);
      assert.equal(scene.notification().blobSizeInBytes, index);
    }
    const authorization = scene.device.policy("device");
    const body = JSON.stringify({ blobName: "by az" });
    assert.equal((await scene.device.call("POST", "/files", { authorization, body })).status, 200);
  });

  test("takes blocks in any order, for names of any kind", async () => {
    const name = fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" })
      .filter((text) => !/(?:^|\/)\.{1,2}(?:\/|$)/.test(text));
    const blocks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 100 }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        name,
        blocks,
        fc.infiniteStream(fc.nat()),
        fc.boolean(),
        async (blobName, blocks, order, whole) => {
          using scene = new UploadScene();
          const { body: begun } = await scene.begin(blobName);
          const escape = (text: string): string =>
            whole ? encodeURIComponent(text) : text.split("/").map(encodeURIComponent).join("/");
          const blob = scene.blob(begun, escape);
          const ids = blocks.map((_, index) => encodeBase64(new TextEncoder().encode(String(index).padStart(48, "0"))));
          const shuffled = blocks.map((block, index) => [order.next().value!, index, block] as const)
            .sort(([one], [other]) => one - other);
          const writes = shuffled.map(([, index, body]) =>
            blob.call("PUT", `?comp=block&blockid=${encodeURIComponent(ids[index]!)}`, { body: new Uint8Array(body) })
          );
          assert.ok((await Promise.all(writes)).every(({ status }) => status === 201));
          const list = `<?xml version="1.0"?><BlockList>${
            ids.map((id) => `<Latest>${id}</Latest>`).join("")
          }</BlockList>`;
          const committed = await blob.call("PUT", "?comp=blocklist", { body: list });
          assert.deepEqual([committed.status, await committed.text()], [201, ""]);
          assert.equal((await scene.end({ correlationId: begun.correlationId, isSuccess: true })).status, 204);
          const sent = Buffer.concat(blocks);
          const { blobName: told, blobSizeInBytes } = scene.notification();
          assert.deepEqual([told, blobSizeInBytes], [`d/${blobName}`, sent.length]);
          const content = new Uint8Array(await (await blob.call("GET", "")).arrayBuffer());
          assert.deepEqual(Buffer.from(content), sent);
        },
      ),
      { numRuns: 30 },
    );
  });

  test("that has failed is told to nobody, and its blocks are dropped", async () => {
    using scene = new UploadScene();
    const { body: begun } = await scene.begin("a.txt");
    const blob = scene.blob(begun);
    assert.equal((await blob.call("PUT", "?comp=block&blockid=QQ==", { body: "x" })).status, 201);
    assert.equal(
      (await scene.end({ correlationId: begun.correlationId, isSuccess: false, statusCode: -1 })).status,
      204,
    );
    assert.equal(scene.notification(), undefined);
    const list = "<BlockList><Latest>QQ==</Latest></BlockList>";
    await blob.fails([400, "InvalidBlockList"], "PUT", "?comp=blocklist", { body: list });
  });

  test("ends once, and only as one of its own device", async () => {
    using scene = new UploadScene();
    scene.hub.state.devices.create("other", {});
    const other = new DeviceCaller(scene.hub.state, "other");
    const { body: begun } = await scene.begin("a.txt");
    const body = { correlationId: begun.correlationId, isSuccess: true };
    assertFails(await scene.end(body), 400, "InvalidStorageEndpointOrBlob");
    await scene.write(begun, "x");
    assertFails(await scene.end(body, undefined, other), 400, "InvalidFileUploadCorrelationId");
    assertFails(await scene.end({ ...body, correlationId: "x" }), 400, "InvalidFileUploadCorrelationId");
    assertFails(await scene.end({ isSuccess: true }), 400, "ArgumentInvalid");
    for (const isSuccess of [undefined, null, "yes", 1]) {
      assertFails(await scene.end({ ...body, isSuccess }), 400, "InvalidFileUploadCompletionStatus");
    }
    assert.equal((await scene.end(body)).status, 204);
    assertFails(await scene.end(body), 400, "InvalidFileUploadCorrelationId");
    assert.notEqual(scene.notification(), undefined);
    assert.equal(scene.notification(), undefined);
  });

  test("is one of ten at a time, and has to end within an hour", async () => {
    using scene = new UploadScene();
    const begun: Json[] = [];
    for (let count = 0; count < 10; count++) begun.push((await scene.begin(`${count}.txt`)).body);
    assertFails(await scene.begin("one too many"), 403, "DeviceMaximumActiveFileUploadLimitExceeded");
    await scene.end({ correlationId: begun[9].correlationId, isSuccess: false });
    scene.hub.tick(HOUR - 1);
    assert.equal((await scene.begin("later.txt")).status, 200);
    await scene.write(begun[0], "x");
    assert.equal((await scene.blob(begun[1]).call("PUT", "?comp=block&blockid=QQ==", { body: "x" })).status, 201);
    scene.hub.tick(1);
    const late = { correlationId: begun[0].correlationId, isSuccess: true };
    assertFails(await scene.end(late), 400, "InvalidFileUploadCorrelationId");
    const list = "<BlockList><Latest>QQ==</Latest></BlockList>";
    await scene.blob((await scene.begin("1.txt")).body).fails([400, "InvalidBlockList"], "PUT", "?comp=blocklist", {
      body: list,
    });
    for (let count = 2; count < 10; count++) assert.equal((await scene.begin("again")).status, 200);
    assertFails(await scene.begin("one too many"), 403, "DeviceMaximumActiveFileUploadLimitExceeded");
  });

  test("is for one blob only, which the device may write and read", async () => {
    using scene = new UploadScene();
    const { body: one } = await scene.begin("one.txt");
    const { body: two } = await scene.begin("two.txt");
    await scene.write(one, "x");
    await scene.blob({ ...two, sasToken: one.sasToken }).fails([403, "AuthenticationFailed"], "PUT", "", {
      body: "x",
      headers: BLOCK_BLOB,
    });
    assert.equal(await (await scene.blob(one).call("GET", "")).text(), "x");
    await scene.blob(one).fails([403, "AuthorizationPermissionMismatch"], "DELETE", "");
    const list = scene.blob({ ...one, blobName: "" });
    assert.equal((await list.call("GET", "?restype=container&comp=list")).status, 403);
    const expiry = Date.parse(new URLSearchParams(one.sasToken).get("se")!);
    assert.ok(expiry >= scene.hub.now + HOUR && expiry < scene.hub.now + HOUR + 1000);
  });

  test("needs a name that a blob can have", async () => {
    using scene = new UploadScene();
    for (const blobName of ["", "..", "a/../b", ".", "x".repeat(1023), "\ud800", 7, null, undefined, {}]) {
      assertFails(await scene.begin(blobName), 400, "ArgumentInvalid");
    }
    assertFails(await scene.begin("x".repeat(20_000)), 413, "MessageTooLarge");
    assertFails(await scene.device.call("POST", "/files", { body: "[]" }), 400, "ArgumentNull");
    assertFails(await scene.device.call("POST", "/files", { body: "" }), 400, "GenericBadRequest");
    assert.equal((await scene.begin("x".repeat(1022))).status, 200);
  });

  test("is for devices that sign in, and for no module", async () => {
    using scene = new UploadScene();
    for (const path of ["/files", "/files/notifications", "/files/notifications/x"]) {
      for (const authorization of [null, scene.device.policy("service")]) {
        assert.equal((await scene.device.call("POST", path, { authorization, body: "{}" })).status, 401);
      }
      assertFails(await scene.device.call("POST", `/modules/m${path}`, { body: "{}" }), 404, "GenericNotFound");
      assertFails(await scene.device.call("GET", path), 405, "GenericMethodNotAllowed");
    }
  });
});

/** Makes a request over TLS, with a header `Host` of its own where it has one. */
function send(
  method: string,
  url: string,
  ca: string,
  { headers = {}, body }: { headers?: Record<string, string>; body: string },
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    request(url, { servername: "localhost", method, ca, headers, agent: false }, async (response) => {
      resolve({ status: response.statusCode!, text: await text(response) });
    }).on("error", reject).end(body);
  });
}

/** The `Authorization` header of a device that was just created. */
async function signInTo(hub: LocalHub): Promise<string> {
  await new RestCaller(hub).createDevices("d");
  const { authentication } = await new RestCaller(hub).do("GET", "/devices/d");
  return signAsDevice("localhost", "/devices/d", authentication.symmetricKey.primaryKey);
}

describe("An upload over HTTPS", () => {
  test("comes to a back end that receives notifications, each file once, and whole", async () => {
    await using hub = new LocalHub();
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    const { https, certificate } = await hub.listen({ https: 0 });
    const headers = { authorization: await signInTo(hub) };
    const post = async (path: string, value: unknown): Promise<{ status: number; text: string }> =>
      await send("POST", `${https}/devices/d${path}?api-version=2021-04-12`, certificate!, {
        headers,
        body: JSON.stringify(value),
      });
    const upload = async (blobName: string, body: string, isSuccess: boolean): Promise<void> => {
      const begun = JSON.parse((await post("/files", { blobName })).text);
      const url = `https://${begun.hostName}/${begun.containerName}/${encodeURI(begun.blobName)}${begun.sasToken}`;
      assert.equal((await send("PUT", url, certificate!, { headers: BLOCK_BLOB, body })).status, 201);
      const { status } = await post("/files/notifications", { correlationId: begun.correlationId, isSuccess });
      assert.equal(status, 204);
    };
    const files = registry.receiveFileNotifications();
    const [{ value: file }] = await Promise.all([files.next(), upload("logs/monday 1.txt", "good morning", true)]);
    assert.deepEqual([file?.deviceId, file?.blobName, file?.blobSizeInBytes], ["d", "d/logs/monday 1.txt", 12]);
    assert.equal(file?.blobUri, `${https}/device-uploads/d/logs/monday%201.txt`);
    await upload("logs/broken.txt", "half of", false);
    await upload("logs/tuesday.txt", "good", true);
    const { value: next } = await files.next();
    assert.deepEqual([next?.blobName, next?.blobSizeInBytes], ["d/logs/tuesday.txt", 4]);
    assert.equal(new TextDecoder().decode(hub.blobContainer("device-uploads").read(next!.blobName)), "good");
    await files.return?.();
  });
});

describe("The address of an upload", () => {
  test("is the one by which the device has reached the hub, so that the same certificate serves", async () => {
    await using hub = new LocalHub();
    const { https, http, certificate } = await hub.listen({ https: 0, http: 0 });
    const authorization = await signInTo(hub);
    const path = "/devices/d/files?api-version=2021-04-12";
    const body = JSON.stringify({ blobName: "a" });
    const begin = async (host: string): Promise<Json> =>
      JSON.parse((await send("POST", https! + path, certificate!, { headers: { authorization, host }, body })).text);
    const { port } = new URL(https!);
    for (const name of [`localhost:${port}`, `127.0.0.1:${port}`, `LOCALHOST:${port}`]) {
      assert.equal((await begin(name)).hostName, name.toLowerCase());
    }
    for (
      const host of ["evil.example", "localhost@evil.example:443", "localhost:99999", "local host", "localhost/x"]
    ) {
      assert.equal((await begin(host)).hostName, "localhost", host);
    }
    const init = { method: "POST", headers: { authorization }, body };
    const begun = await (await fetch(http! + path, init)).json();
    assert.equal(begun.hostName, new URL(http!).host);
    const blob = `${http}/${begun.containerName}/${begun.blobName}${begun.sasToken}`;
    const written = await fetch(blob, { method: "PUT", headers: BLOCK_BLOB, body: "over a socket" });
    assert.deepEqual([written.status, await written.text()], [201, ""]);
    const content = hub.blobContainer(begun.containerName).read("d/a");
    assert.equal(new TextDecoder().decode(content), "over a socket");
  });
});
