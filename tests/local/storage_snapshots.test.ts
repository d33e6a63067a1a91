import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub, type LocalHubSnapshot } from "../../lib/local/mod.ts";
import { documentsOf, HAS_SQLITE, openedHub, StorageScene, takeMessage } from "../support/storage_scene.ts";

describe("A snapshot of a hub", () => {
  test("puts it, or another hub, where it was, as often as one likes", async () => {
    await using open = openedHub(new LocalHub());
    const { hub, registry, rest } = open;
    await registry.createDeviceWithSas("d");
    await registry.createModuleWithSas("d", "m");
    await registry.sendC2dMessage("d", "hello", { ack: "full", messageId: "1" });
    hub.blobContainer("fleet").write("a.txt", "a");
    await rest.do("PUT", "/jobs/v2/j", {
      jobId: "j",
      type: "scheduleUpdateTwin",
      updateTwin: { etag: "*", tags: { a: 1 } },
    });
    await hub.settled();
    const before = await documentsOf(open);
    const snapshot = structuredClone(hub.snapshot());
    const kept = structuredClone(snapshot);

    for (let i = 0; i < 2; i++) {
      await registry.deleteDevice("d");
      await registry.createDeviceWithSas("other");
      hub.blobContainer("fleet").write("b.txt", "b");
      hub.blobContainer("more");
      hub.restore(snapshot);
      assert.deepEqual(await documentsOf(open), before);
      assert.deepEqual(hub.snapshot(), snapshot);
      assert.equal((await takeMessage(open, "d", "complete"))?.text, "hello");
    }
    assert.deepEqual(snapshot, kept);

    await using other = openedHub(new LocalHub());
    await other.registry.createDeviceWithSas("d");
    other.hub.restore(snapshot);
    await using reader = openedHub(other.hub);
    assert.deepEqual(await documentsOf(reader), before);
  });

  test("is not changed by later writes", async () => {
    await using open = openedHub(new LocalHub());
    await open.registry.createDeviceWithSas("d");
    const snapshot = open.hub.snapshot();
    const copy = structuredClone(snapshot);
    await open.registry.updateTwin("d", { tags: { a: 1 } });
    await open.registry.deleteDevice("d");
    assert.deepEqual(snapshot, copy);
  });

  test("takes its connections from devices, and lets those in this process connect again", async () => {
    await using open = openedHub(new LocalHub());
    const { hub, registry } = open;
    await registry.createDeviceWithSas("d");
    await registry.createDeviceWithSas("new");
    await registry.deleteDevice("new");
    const snapshot = hub.snapshot();
    await registry.createDeviceWithSas("new");
    hub.device("d").onMethod(() => ({ status: 200, payload: "here" }));
    hub.device("new").connect();
    hub.restore(snapshot);
    assert.deepEqual([hub.device("d").connected, hub.device("new").connected], [true, false]);
    assert.equal((await registry.invokeDeviceMethod("d", { methodName: "m" })).payload, "here");
    await registry.createDeviceWithSas("new");
    assert.equal(hub.device("new").connected, true);
  });

  test("stops the jobs that run, and goes on with its own", async () => {
    await using open = openedHub(new LocalHub());
    const { hub, rest } = open;
    const ids = Array.from({ length: 300 }, (_, i) => ({ id: `d${i}`, importMode: "create" }));
    for (let at = 0; at < ids.length; at += 100) await rest.do("POST", "/devices", ids.slice(at, at + 100));
    const body = { jobId: "j", type: "scheduleUpdateTwin", updateTwin: { etag: "*", tags: { by: "j" } } };
    await rest.do("PUT", "/jobs/v2/j", body);
    const snapshot = hub.snapshot();
    hub.restore(snapshot);
    await hub.settled();
    const { status, deviceJobStatistics } = await rest.do("GET", "/jobs/v2/j");
    assert.deepEqual([status, deviceJobStatistics.succeededCount], ["completed", 300]);
    hub.restore(snapshot);
    assert.equal((await rest.do("GET", "/jobs/v2/j")).status, "queued");
    await hub.settled();
    assert.equal((await rest.do("GET", "/jobs/v2/j")).status, "completed");
  });

  test("is kept by a hub with storage", { skip: HAS_SQLITE ? false : "this runtime has no SQLite" }, async () => {
    using scene = new StorageScene();
    let snapshot: LocalHubSnapshot;
    {
      await using open = scene.open();
      await open.registry.createDeviceWithSas("d");
      open.hub.blobContainer("fleet").write("a.txt", "a");
      snapshot = open.hub.snapshot();
      await open.registry.deleteDevice("d");
      await open.registry.createDeviceWithSas("gone");
      open.hub.restore(snapshot);
    }
    await using again = scene.open();
    assert.deepEqual(again.hub.snapshot(), snapshot);
  });

  test("is refused when it is none", async () => {
    await using hub = new LocalHub();
    const good = hub.snapshot();
    for (const bad of [undefined, 1, {}, [], { ...good, tables: { devices: 1 } }, { ...good, tables: { none: [] } }]) {
      assert.throws(() => hub.restore(bad as never), /^(TypeError|RangeError): Cannot use/);
    }
    assert.throws(() => hub.restore({ ...good, version: 99 }), RangeError);
    assert.throws(() => hub.restore({ ...good, tables: { devices: [["d"]] } } as never), TypeError);
    assert.deepEqual(hub.snapshot(), good);
  });
});
