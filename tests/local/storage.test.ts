import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubState } from "../../lib/local/hub_state.ts";
import { openSqliteFile } from "../../lib/local/storage/sqlite_file.ts";
import { documentsOf, HAS_SQLITE, type OpenHub, StorageScene, takeMessage } from "../support/storage_scene.ts";
import type { Json } from "../support/rest_caller.ts";

const options = { skip: HAS_SQLITE ? false : "this runtime has no SQLite" };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const FEEDBACK = "/messages/serviceBound/feedback";

/**
 * Does something with a hub on a file, and looks at it in the hub that is made of what a kill would have left, and in the
 * one that is made after an orderly end. All see the same.
 */
async function survives<T>(
  prepare: (open: OpenHub, scene: StorageScene) => Promise<unknown>,
  look: (open: OpenHub, scene: StorageScene) => Promise<T>,
): Promise<T> {
  using scene = new StorageScene();
  const images: string[] = [];
  {
    await using first = scene.open();
    await prepare(first, scene);
    images.push(scene.image());
  }
  images.push(scene.image());
  const seen: T[] = [];
  for (const image of images) {
    const { now } = scene;
    await using again = scene.open(image);
    seen.push(await look(again, scene));
    scene.now = now;
  }
  assert.deepEqual(seen[0], seen[1], "after a kill all is as after an orderly end");
  return seen[0]!;
}

describe("A hub with storage", options, () => {
  test("has the identities and twins again, as they were", async () => {
    let before: Json;
    const after = await survives(async (open, scene) => {
      const { registry, rest, hub } = open;
      await rest.do("PUT", "/devices/edge", { deviceId: "edge", capabilities: { iotEdge: true } });
      const { deviceScope } = await rest.do("GET", "/devices/edge");
      await rest.do("PUT", "/devices/leaf", { deviceId: "leaf" });
      await rest.do("PUT", "/devices/child", { deviceId: "child", deviceScope });
      await registry.createDeviceWithX509("x", { primaryThumbprint: "A".repeat(40) });
      await registry.createModuleWithSas("x", "m");
      await registry.createDeviceWithSas("gone");
      scene.now += 1;
      await registry.updateTwin("leaf", {
        tags: { constructor: "c", list: [{ a: 1 }], deep: { er: 1.5e300 } },
        properties: { desired: { on: true, "ü": { x: "\u2028" } } },
      });
      await hub.device("leaf").updateReportedProperties({ toString: 1, nested: { a: "b" } });
      hub.device("leaf").disconnect();
      await registry.updateModuleTwin("x", "m", { properties: { desired: { zoom: 3 } } });
      await registry.updateDeviceWithSas("leaf", {
        status: "disabled",
        statusReason: "on leave",
        primaryKey: btoa("p".repeat(32)),
        secondaryKey: btoa("s".repeat(32)),
      });
      await registry.deleteDevice("gone");
      before = await documentsOf(open);
    }, documentsOf);
    assert.deepEqual(after, before);
    assert.deepEqual(after.devices.map(({ deviceId }: Json) => deviceId), ["edge", "leaf", "child", "x"]);
    assert.equal(after.devices[2].deviceScope, after.devices[0].deviceScope);
  });

  test("goes on with them: writes, names inherited from objects, new generations", async () => {
    await survives(
      ({ registry }) => registry.createDeviceWithSas("d"),
      async ({ registry, rest }) => {
        const before = await registry.getDevice("d");
        await rest.do("PATCH", "/twins/d", JSON.parse('{"tags":{"__proto__":{"a":1},"constructor":{"b":2}}}'));
        const { tags } = await rest.do("GET", "/twins/d");
        assert.equal(JSON.stringify(tags), '{"__proto__":{"a":1},"constructor":{"b":2}}');
        await registry.deleteDevice("d");
        const after = await registry.createDeviceWithSas("d");
        assert.ok(BigInt(after.generationId!) > BigInt(before.generationId!));
        assert.equal((await registry.query("SELECT * FROM devices").next()).value?.deviceId, "d");
      },
    );
  });

  test("keeps names in twins that objects inherit", async () => {
    const text = '{"__proto__":{"a":{"b":1}},"valueOf":2}';
    const after = await survives(async ({ registry, rest }) => {
      await registry.createDeviceWithSas("d");
      await rest.do("PATCH", "/twins/d", JSON.parse(`{"tags":${text}}`));
    }, async ({ rest }) => {
      await rest.do("PATCH", "/twins/d", { tags: { more: 1 } });
      return JSON.stringify((await rest.do("GET", "/twins/d")).tags);
    });
    assert.equal(after, text.replace(/}$/, ',"more":1}'));
  });

  test("has the keys of its policies again, save those that it is given", async () => {
    using scene = new StorageScene();
    const strings: string[] = [];
    for (const policyKeys of [{}, {}, { iothubowner: btoa("k".repeat(32)) }, {}]) {
      await using open = scene.open(undefined, { policyKeys });
      strings.push(open.hub.connectionString + open.hub.connectionStringFor("service", "secondary"));
      await open.registry.getDevices();
    }
    const [first, second, given, last] = strings;
    assert.equal(first, second);
    assert.notEqual(given, first);
    assert.equal(given, last);
  });

  test("says that nobody is connected any more", async () => {
    using scene = new StorageScene();
    await using first = scene.open();
    await first.registry.createDeviceWithSas("d");
    first.hub.device("d").connect();
    assert.equal((await first.registry.getDevice("d")).connectionState, "Connected");
    scene.now += MINUTE;
    await using again = scene.open(scene.image());
    const { connectionState, connectionStateUpdatedTime } = await again.registry.getDevice("d");
    assert.deepEqual([connectionState, connectionStateUpdatedTime], ["Disconnected", "2026-01-01T00:01:00Z"]);
  });

  test("has the messages of devices again, with their order, locks and counts", async () => {
    const seen = await survives(async (open) => {
      const { registry } = open;
      await registry.createDeviceWithSas("d");
      await registry.createModuleWithSas("d", "m");
      for (const text of ["done", "first", "second", "third"]) {
        await registry.sendC2dMessage("d", text, { text, messageId: text });
      }
      await registry.sendC2dMessage("d", new Uint8Array([0, 255, 128]));
      await takeMessage(open, "d", "complete");
      await takeMessage(open, "d", "abandon");
      await takeMessage(open, "d", "abandon");
      await takeMessage(open, "d", "keep");
    }, async (open, scene) => {
      const taken: unknown[] = [(await open.rest.do("GET", "/devices/d")).cloudToDeviceMessageCount];
      const take = async (): Promise<void> => {
        const message = await takeMessage(open, "d", "complete");
        taken.push(message && [message.text, message.sequenceNumber, message.deliveryCount]);
      };
      // The first is locked by somebody.
      await take();
      scene.now += MINUTE;
      await take();
      await take();
      await take();
      await take();
      await open.registry.sendC2dMessage("d", "new");
      await take();
      return taken;
    });
    assert.deepEqual(seen, [
      4,
      ["second", 3, 0],
      ["first", 2, 2],
      ["third", 4, 0],
      ["\0\ufffd\ufffd", 5, 0],
      undefined,
      ["new", 6, 0],
    ]);
  });

  test("takes the lock of an earlier run", async () => {
    using scene = new StorageScene();
    await using first = scene.open();
    await first.registry.createDeviceWithSas("d");
    await first.registry.sendC2dMessage("d", "m");
    const { lockToken } = (await takeMessage(first, "d", "keep"))!;
    await using again = scene.open(scene.image());
    assert.equal((await again.asDevice("d", "DELETE", `/messages/devicebound/${lockToken}`)).status, 204);
    assert.equal((await again.rest.do("GET", "/devices/d")).cloudToDeviceMessageCount, 0);
  });

  test("keeps what properties AMQP has and JSON has not", () => {
    using scene = new StorageScene();
    const message = {
      to: "/devices/d",
      messageId: undefined,
      properties: {
        ...{ text: "t", yes: true, nothing: null, n: 1.5, not: NaN, most: Infinity, zero: -0, long: 2n ** 63n },
        ...{ when: new Date(5), bytes: new Uint8Array([0, 255]) },
      },
      data: new Uint8Array([0, 128, 255]),
    };
    const make = (path: string): HubState =>
      new HubState({ hostName: "h", now: () => scene.now, clockSkew: 0, file: openSqliteFile(path) });
    const first = make(scene.path());
    first.devices.create("d", {});
    first.queues.enqueue({ deviceId: "d" }, message);
    const again = make(scene.image());
    const locked = again.queues.of(again.store.device("d")!).lockNext(scene.now)!;
    assert.deepEqual({ ...locked.message, messageId: undefined, data: new Uint8Array(locked.message.data) }, message);
    for (const state of [first, again]) {
      state.close();
      state.storage.close();
    }
  });

  test("has feedback and file notifications again, those that wait for their batch too", async () => {
    const seen = await survives(async (open) => {
      const { registry, hub } = open;
      await registry.createDeviceWithSas("d");
      for (const messageId of ["1", "2", "3"]) await registry.sendC2dMessage("d", "m", { ack: "full", messageId });
      for (let i = 0; i < 3; i++) await takeMessage(open, "d", "complete");
      hub.device("d").notifyFileUpload({ blobName: "a.txt", blobSizeInBytes: 1 });
      // The first of them is taken by somebody who loses the lock.
      await open.rest.call("GET", FEEDBACK);
    }, async (open, scene) => {
      assert.equal((await open.rest.call("GET", FEEDBACK)).status, 204);
      scene.now += MINUTE;
      const ids: string[] = [];
      for (;;) {
        const { status, body, headers } = await open.rest.call("GET", FEEDBACK);
        if (status === 204) break;
        ids.push(...body.map(({ originalMessageId }: Json) => originalMessageId));
        await open.rest.do("DELETE", `${FEEDBACK}/${headers.get("iothub-messagelocktoken")}`);
      }
      const notifications = open.registry.receiveFileNotifications({ maxWaitTimeInMs: 30_000 });
      const { value } = await notifications.next();
      await value?.complete();
      await notifications.return?.();
      return [ids, value?.blobName];
    });
    assert.deepEqual(seen, [["1", "2", "3"], "d/a.txt"]);
  });

  test("evaluates the configurations again that it has", async () => {
    const seen = await survives(async ({ rest, registry, hub }) => {
      await registry.createDeviceWithSas("d");
      await rest.do("PUT", "/configurations/a", {
        id: "a",
        targetCondition: "tags.on = true",
        priority: 3,
        labels: { who: "me" },
        content: { deviceContent: { "properties.desired.speed": 7 } },
        metrics: { queries: { all: "SELECT deviceId FROM devices" } },
      });
      await hub.settled();
      // What is due is not done before the hub ends.
      await registry.updateTwin("d", { tags: { on: true } });
    }, async ({ rest, hub }) => {
      await hub.settled();
      const { content, labels, etag, priority, metrics, systemMetrics } = await rest.do("GET", "/configurations/a");
      const { properties } = await rest.do("GET", "/twins/d");
      const { speed, $metadata } = properties.desired;
      return [content, labels, etag, priority, metrics.results, systemMetrics.results, speed, $metadata.$lastUpdatedBy];
    });
    assert.deepEqual(seen.slice(1), [
      { who: "me" },
      btoa("1"),
      3,
      { all: 1 },
      { appliedCount: 1, targetedCount: 1 },
      7,
      "a",
    ]);
  });

  test("has blobs and blocks again, and takes the signatures that it has given", async () => {
    let url = "";
    const seen = await survives(async ({ hub }) => {
      const container = hub.blobContainer("fleet");
      url = container.url;
      container.write("a.txt", "old");
      container.write("a.txt", "new");
      container.write("large.bin", new Uint8Array(300_000).map((_, i) => i % 251));
      const call = (query: string, body?: string): Promise<Response> => {
        const [address, sas] = url.split("?");
        return hub.fetch(
          new Request(`${address}/blocks.txt?${query}&${sas}`, { method: "PUT", ...(body && { body }) }),
        );
      };
      await call("comp=block&blockid=QQ==", "one ");
      await call("comp=block&blockid=Qg==", "two ");
      await call("comp=blocklist", "<BlockList><Latest>Qg==</Latest><Latest>QQ==</Latest></BlockList>");
      await call("comp=block&blockid=Qw==", "three");
    }, async ({ hub }) => {
      const [address, sas] = url.split("?");
      const commit = await hub.fetch(
        new Request(`${address}/blocks.txt?comp=blocklist&${sas}`, {
          method: "PUT",
          body: "<BlockList><Committed>QQ==</Committed><Uncommitted>Qw==</Uncommitted></BlockList>",
        }),
      );
      const container = hub.blobContainer("fleet");
      const text = (name: string): string => new TextDecoder().decode(container.read(name));
      const large = container.read("large.bin");
      return [commit.status, container.list(), text("a.txt"), text("blocks.txt"), large.length, large[1000]];
    });
    assert.deepEqual(seen, [201, ["a.txt", "blocks.txt", "large.bin"], "new", "one three", 300_000, 1000 % 251]);
  });

  test("lets a device end an upload that it has begun in an earlier run", async () => {
    let correlationId = "";
    const seen = await survives(async ({ registry, asDevice, hub }) => {
      await registry.createDeviceWithSas("d");
      const begun = await (await asDevice("d", "POST", "/files", { blobName: "f" })).json();
      correlationId = begun.correlationId;
      const address = `https://${hub.hostName}/${begun.containerName}/${begun.blobName}${begun.sasToken}`;
      const { status } = await hub.fetch(
        new Request(address, { method: "PUT", body: "file", headers: { "x-ms-blob-type": "BlockBlob" } }),
      );
      assert.equal(status, 201);
    }, async ({ asDevice }) => {
      const end = (): Promise<Response> =>
        asDevice("d", "POST", "/files/notifications", { correlationId, isSuccess: true, statusCode: 200 });
      return [(await end()).status, (await end()).status];
    });
    assert.deepEqual(seen, [204, 400]);
  });

  test("does without the wait for what it reads when queries lag", async () => {
    using scene = new StorageScene();
    {
      await using first = scene.open(undefined, { queryLagInMs: HOUR });
      await first.registry.createDeviceWithSas("d");
    }
    await using again = scene.open(undefined, { queryLagInMs: HOUR });
    assert.equal((await again.rest.do("POST", "/devices/query", { query: "SELECT * FROM devices" })).length, 1);
  });
});

describe("The jobs of a hub with storage", options, () => {
  const job = (jobId: string, rest: Json = {}): Json => ({
    jobId,
    type: "scheduleUpdateTwin",
    updateTwin: { etag: "*", tags: { by: jobId } },
    ...rest,
  });

  test("are there again when they have ended, and those to come begin at their time", async () => {
    const seen = await survives(async ({ rest, hub }, scene) => {
      await rest.createDevices("a", "b");
      await rest.do("PUT", "/jobs/v2/done", job("done"));
      await hub.settled();
      await rest.do("PUT", "/jobs/v2/later", job("later", { startTime: new Date(scene.now + HOUR).toISOString() }));
      await rest.do("PUT", "/jobs/v2/never", job("never", { startTime: new Date(scene.now + HOUR).toISOString() }));
      await rest.do("POST", "/jobs/v2/never/cancel");
    }, async (open, scene) => {
      const before = await documentsOf(open);
      scene.now += HOUR;
      await open.hub.settled();
      const { tags } = await open.rest.do("GET", "/twins/a");
      const after = await open.rest.do("GET", "/jobs/v2/query");
      return [before.deviceJobs.length, before.scheduledJobs.map(statusOf), tags, after.map(statusOf)];
    });
    assert.deepEqual(seen, [
      2,
      ["done completed", "later scheduled", "never cancelled"],
      { by: "later" },
      ["done completed", "later completed", "never cancelled"],
    ]);
  });

  test("go on where they were when the hub was killed, and call no device twice", async () => {
    using scene = new StorageScene();
    await using first = scene.open();
    await first.rest.createDevices("a", "b");
    const called = Promise.withResolvers<void>();
    let calls = 0;
    first.hub.device("a").onMethod(() => {
      calls++;
      called.resolve();
      return new Promise(() => {});
    });
    await first.rest.do(
      "PUT",
      "/jobs/v2/j",
      job("j", {
        type: "scheduleDeviceMethod",
        updateTwin: undefined,
        queryCondition: "deviceId = 'a'",
        cloudToDeviceMethod: { methodName: "m", responseTimeoutInSeconds: 300, connectTimeoutInSeconds: 0 },
      }),
    );
    await called.promise;
    const image = scene.image();
    await using again = scene.open(image);
    again.hub.device("a").onMethod(() => {
      calls++;
      return { status: 200 };
    });
    await again.hub.settled();
    const { status, deviceJobStatistics } = await again.rest.do("GET", "/jobs/v2/j");
    assert.deepEqual([status, calls, deviceJobStatistics.failedCount], ["completed", 1, 1]);
    const [{ error }] = await again.rest.do("POST", "/devices/query", { query: "SELECT * FROM devices.jobs" });
    assert.match(error.description, /stopped while the device was called/);
  });

  test("go on after each turn in which the hub was killed", async () => {
    using scene = new StorageScene();
    await using first = scene.open();
    const ids = Array.from({ length: 650 }, (_, i) => `d${i}`);
    for (let at = 0; at < ids.length; at += 100) {
      const chunk = ids.slice(at, at + 100).map((id) => ({ id, importMode: "create" }));
      await first.rest.do("POST", "/devices", chunk);
    }
    await first.rest.do("PUT", "/jobs/v2/j", job("j"));
    const images: string[] = [];
    const isDone = async (): Promise<boolean> => (await first.rest.do("GET", "/jobs/v2/j")).status === "completed";
    while (!await isDone() && images.length < 20) {
      images.push(scene.image());
      await nextTurn();
    }
    for (const image of images) {
      await using again = scene.open(image);
      await again.hub.settled();
      const { status, deviceJobStatistics: { succeededCount, deviceCount } } = await again.rest.do("GET", "/jobs/v2/j");
      assert.deepEqual([status, succeededCount, deviceCount], ["completed", 650, 650]);
      for (const id of ["d0", "d199", "d333", "d649"]) {
        const [{ version }, { version: once }] = [
          await again.rest.do("GET", `/twins/${id}`),
          await first.rest.do("GET", `/twins/${id}`),
        ];
        assert.equal(version, once, "each twin has been written once");
      }
    }
    assert.ok(images.length > 2, `${images.length} images`);
  });

  test("that export begin again, and those that import say that they have failed", async () => {
    using scene = new StorageScene();
    await using first = scene.open();
    const lines = Array.from({ length: 450 }, (_, i) => JSON.stringify({ id: `d${i}`, status: "enabled" }));
    const container = first.hub.blobContainer("fleet");
    container.write("devices.txt", lines.join("\n"));
    const start = async (type: string): Promise<string> => {
      const { jobId } = await first.rest.do("POST", "/jobs/create", {
        type,
        inputBlobContainerUri: container.url,
        outputBlobContainerUri: container.url,
        ...(type === "export" && { outputBlobName: "out.txt" }),
      });
      return jobId;
    };
    const running = async (jobId: string): Promise<string> => {
      while ((await first.rest.do("GET", `/jobs/${jobId}`)).status === "enqueued") {
        await nextTurn();
      }
      return scene.image();
    };
    const imported = await start("import");
    const duringImport = await running(imported);
    await first.hub.settled();
    const exported = await start("export");
    const duringExport = await running(exported);
    await first.hub.settled();

    await using afterImport = scene.open(duringImport);
    await afterImport.hub.settled();
    const failed = await afterImport.rest.do("GET", `/jobs/${imported}`);
    assert.equal(failed.status, "failed");
    assert.match(failed.failureReason, /was stopped while the job ran/);
    assert.ok(failed.endTimeUtc);

    await using afterExport = scene.open(duringExport);
    await afterExport.hub.settled();
    assert.equal((await afterExport.rest.do("GET", `/jobs/${exported}`)).status, "completed");
    const out = new TextDecoder().decode(afterExport.hub.blobContainer("fleet").read("out.txt"));
    assert.equal(out.trim().split("\n").length, 450);
  });

  test("go on after an orderly end, too", async () => {
    using scene = new StorageScene();
    {
      await using first = scene.open();
      await first.rest.createDevices("a");
      await first.rest.do("PUT", "/jobs/v2/j", job("j"));
    }
    await using again = scene.open();
    await again.hub.settled();
    assert.equal(statusOf(await again.rest.do("GET", "/jobs/v2/j")), "j completed");
    assert.deepEqual((await again.rest.do("GET", "/twins/a")).tags, { by: "j" });
  });
});

/** Lets the hub do the next of what it does by itself. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function statusOf({ jobId, status }: Json): string {
  return `${jobId} ${status}`;
}
