import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub, type LocalHubOptions, type ReceivedEvent } from "../../lib/local/mod.ts";
import { HAS_SQLITE, openedHub, StorageScene } from "../support/storage_scene.ts";

const options = { skip: HAS_SQLITE ? false : "this runtime has no SQLite" };
const ALL_SOURCES = { twinChanges: true, lifecycle: true, connectionState: true };

async function eventsOf(hub: LocalHub): Promise<ReceivedEvent[]> {
  const events: ReceivedEvent[] = [];
  for await (const event of hub.events({ maxWaitTimeInMs: 1 })) events.push(event);
  return events;
}

const textsOf = async (hub: LocalHub): Promise<string[]> => (await eventsOf(hub)).map(({ text }) => text);

const rowsOf = (hub: LocalHub): number => hub.snapshot().tables["events"]!.length;

describe("The events of a hub with storage", options, () => {
  test("are there again as they were after a kill and after an end, and their numbers go on", async () => {
    using scene = new StorageScene();
    const events: LocalHubOptions["events"] = { ...ALL_SOURCES, partitions: 2 };
    const images: string[] = [];
    let before: ReceivedEvent[];
    {
      await using first = scene.open(undefined, { events });
      const { hub, registry } = first;
      for (const id of ["a", "b", "c"]) await registry.createDeviceWithSas(id);
      await registry.createModuleWithSas("a", "m");
      scene.now += 5;
      await hub.device("a").sendTelemetry(new Uint8Array([0, 128, 255]), { messageId: "1", level: 7, "grün": "ü" });
      await hub.device("a").module("m").sendTelemetry("");
      await hub.device("b").sendTelemetry({ t: 1 }, { creationTimeUtc: new Date(5) });
      await registry.updateTwin("c", { tags: { a: 1 } });
      await registry.deleteDevice("b");
      before = await eventsOf(hub);
      images.push(scene.image());
    }
    assert.equal(before.filter(({ source }) => source === "Telemetry").length, 3);
    images.push(scene.path());
    for (const image of images) {
      scene.now += 1_000;
      await using again = scene.open(image, { events });
      const { hub, registry } = again;
      const after = await eventsOf(hub);
      // Of whoever was connected when the first hub ended, that one could tell no more.
      assert.deepEqual(after.slice(0, before.length), before);
      assert.ok(after.slice(before.length).every(({ source }) => source === "deviceConnectionStateEvents"));
      await registry.createDeviceWithSas("new");
      await hub.device("a").sendTelemetry("next");
      const next = (await eventsOf(hub)).at(-1)!;
      const last = after.findLast(({ partitionId }) => partitionId === next.partitionId)!;
      assert.ok(next.sequenceNumber > last.sequenceNumber && Number(next.offset) > Number(last.offset));
      assert.equal(next.text, "next");
    }
  });

  test("are kept no longer than retention says, and are gone from the file then", async () => {
    using scene = new StorageScene();
    const events = { partitions: 1, retention: { maxEvents: 3, maxAgeInMs: 1_000 } };
    {
      await using open = scene.open(undefined, { events });
      await open.registry.createDeviceWithSas("d");
      for (let index = 0; index < 5; index++) await open.hub.device("d").sendTelemetry(String(index));
    }
    {
      await using open = scene.open(undefined, { events });
      assert.equal(rowsOf(open.hub), 3);
      assert.deepEqual(await textsOf(open.hub), ["2", "3", "4"]);
      await open.hub.clock.advance(1_001);
      assert.deepEqual(await textsOf(open.hub), []);
    }
    scene.now += 2_000;
    await using open = scene.open(undefined, { events });
    assert.equal(rowsOf(open.hub), 0);
    await open.hub.device("d").sendTelemetry("5");
    const [event, ...rest] = await eventsOf(open.hub);
    assert.deepEqual([event!.text, event!.sequenceNumber, rest.length], ["5", 5, 0]);
    assert.ok(Number(event!.offset) > 0);
  });

  test("stay in partitions that a hub is told not to have", async () => {
    using scene = new StorageScene();
    const ids = Array.from({ length: 8 }, (_, index) => `d${index}`);
    {
      await using open = scene.open(undefined, { events: { partitions: 8 } });
      for (const id of ids) {
        await open.registry.createDeviceWithSas(id);
        await open.hub.device(id).sendTelemetry(id);
      }
    }
    await using open = scene.open(undefined, { events: { partitions: 1 } });
    assert.deepEqual(await textsOf(open.hub), ids);
  });
});

describe("The events of a snapshot", () => {
  test("are those that the hub had, whatever it is restored to and from", async () => {
    await using open = openedHub(new LocalHub({ events: ALL_SOURCES }));
    const { hub, registry } = open;
    await registry.createDeviceWithSas("d");
    await hub.device("d").sendTelemetry("one");
    hub.device("d").disconnect();
    const snapshot = structuredClone(hub.snapshot());
    const before = await eventsOf(hub);

    await hub.device("d").sendTelemetry("two");
    hub.device("d").disconnect();
    await registry.deleteDevice("d");
    hub.restore(snapshot);
    assert.deepEqual(await eventsOf(hub), before);
    assert.deepEqual(hub.snapshot(), snapshot);

    await using other = openedHub(new LocalHub({ events: ALL_SOURCES }));
    await other.registry.createDeviceWithSas("d");
    other.hub.restore(snapshot);
    assert.deepEqual(await eventsOf(other.hub), before);
  });

  test("tell nothing new to whoever reads on, and what comes after them does", async () => {
    await using open = openedHub(new LocalHub({ events: { partitions: 1 } }));
    const { hub, registry } = open;
    await registry.createDeviceWithSas("d");
    await hub.device("d").sendTelemetry("1");
    const snapshot = hub.snapshot();
    for (const text of ["2", "3"]) await hub.device("d").sendTelemetry(text);
    const loop = hub.events();
    for (const text of ["1", "2", "3"]) assert.equal((await loop.next()).value?.text, text);
    hub.restore(snapshot);
    await hub.device("d").sendTelemetry("new");
    const { value } = await loop.next();
    assert.deepEqual([value?.text, value?.sequenceNumber], ["new", 1]);
    await loop.return?.();
    const later: string[] = [];
    for await (const { text } of registry.receiveEvents({ from: "earliest" })) if (later.push(text) === 2) break;
    assert.deepEqual(later, ["1", "new"]);
  });
});
