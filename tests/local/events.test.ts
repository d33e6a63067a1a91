import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { EventLog } from "../../lib/local/events/event_log.ts";
import { HubStorage } from "../../lib/local/storage/hub_storage.ts";
import { LocalHub, type LocalHubOptions, type ReceivedEvent } from "../../lib/local/mod.ts";
import { IoTHubRegistryManager } from "../../mod.ts";

const START = Date.UTC(2026, 0, 1);

interface Scene extends AsyncDisposable {
  readonly hub: LocalHub;
  readonly registry: IoTHubRegistryManager;
  /** All events there are. */
  all(): Promise<ReceivedEvent[]>;
  setClock(time: number): void;
}

/** A hub with the device `d` and its module `m`. */
async function startScene(events: LocalHubOptions["events"] = {}): Promise<Scene> {
  let now = START;
  const hub = new LocalHub({ events, now: () => now, clockSkewInSeconds: 1e9 });
  const registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  await registry.createDeviceWithSas("d");
  await registry.createModuleWithSas("d", "m");
  return {
    hub,
    registry,
    all: () => collect(hub),
    setClock: (time) => void (now = time),
    async [Symbol.asyncDispose]() {
      await registry.close();
      await hub.close();
    },
  };
}

async function collect(hub: LocalHub, options: Parameters<LocalHub["events"]>[0] = {}): Promise<ReceivedEvent[]> {
  const events: ReceivedEvent[] = [];
  for await (const event of hub.events({ maxWaitTimeInMs: 1, ...options })) events.push(event);
  return events;
}

describe("hub.events", () => {
  test("gives what devices send, with all that the hub knows of it", async () => {
    await using scene = await startScene();
    const { hub } = scene;
    await hub.device("d").sendTelemetry({ t: 21.5 }, {
      messageId: "m-1",
      componentName: "sensor",
      creationTimeUtc: new Date(START - 1),
      level: 7,
    });
    await hub.device("d").module("m").sendTelemetry("text");
    const [first, second, ...rest] = await scene.all();
    assert.deepEqual(rest, []);
    assert.deepEqual(first!.json(), { t: 21.5 });
    assert.equal(first!.text, '{"t":21.5}');
    const generationId = first!.systemProperties["iothub-connection-auth-generation-id"];
    assert.match(String(generationId), /^\d{18}$/);
    assert.deepEqual({ ...first! }, {
      deviceId: "d",
      moduleId: undefined,
      source: "Telemetry",
      body: new TextEncoder().encode('{"t":21.5}'),
      properties: { level: "7" },
      systemProperties: {
        messageId: "m-1",
        contentType: "application/json",
        contentEncoding: "utf-8",
        to: "/devices/d/messages/events",
        creationTime: new Date(START - 1),
        "iothub-connection-device-id": "d",
        "iothub-connection-auth-method":
          '{"scope":"device","type":"sas","issuer":"iothub","acceptingIpFilterRule":null}',
        "iothub-connection-auth-generation-id": generationId,
        "dt-subject": "sensor",
        "iothub-enqueuedtime": new Date(START),
        "iothub-message-source": "Telemetry",
      },
      enqueuedTimeUtc: new Date(START),
      sequenceNumber: 0,
      offset: "0",
      partitionId: first!.partitionId,
    });
    assert.equal(second!.moduleId, "m");
    assert.equal(second!.partitionId, first!.partitionId, "module and device share a partition");
    assert.equal(second!.sequenceNumber, 1);
    assert.ok(Number(second!.offset) > 1);
    assert.throws(() => second!.json(), SyntaxError);
  });

  test("begins with the oldest event, the next one, or the first since a time", async () => {
    await using scene = await startScene();
    const { hub } = scene;
    for (const [index, text] of ["a", "b", "c"].entries()) {
      scene.setClock(START + index);
      await hub.device("d").sendTelemetry(text);
    }
    const texts = async (from: Date | "earliest" | "latest"): Promise<string> =>
      (await collect(hub, { from })).map(({ text }) => text).join("");
    assert.equal(await texts("earliest"), "abc");
    assert.equal(await texts(new Date(START + 1)), "bc");
    assert.equal(await texts("latest"), "");
  });

  test("waits for the next event, in the order in which they come from several devices", async () => {
    await using scene = await startScene();
    const { hub, registry } = scene;
    const ids = Array.from({ length: 20 }, (_, index) => `d${index}`);
    for (const id of ids) await registry.createDeviceWithSas(id);
    const loop = hub.events();
    const got: string[] = [];
    const reading = (async () => {
      for await (const { deviceId } of loop) if (got.push(deviceId) === ids.length) return;
    })();
    for (const id of ids) await hub.device(id).sendTelemetry("");
    await reading;
    assert.deepEqual(got, ids);
  });

  test("ends with the hub, a signal, or after a wait", async () => {
    const scene = await startScene();
    const reason = new Error("enough");
    const controller = new AbortController();
    const aborted = scene.hub.events({ abortSignal: controller.signal }).next();
    // AbortSignal.timeout() would keep no process of Node, and nothing else does here.
    setTimeout(() => controller.abort(reason), 5);
    await assert.rejects(aborted, reason);
    await assert.rejects(scene.hub.events({ abortSignal: AbortSignal.abort(reason) }).next(), reason);
    const waiting = scene.hub.events().next();
    await scene[Symbol.asyncDispose]();
    assert.deepEqual(await waiting, { done: true, value: undefined });
    assert.throws(() => scene.hub.events({ from: 7 as never }), TypeError);
    assert.throws(() => scene.hub.events({ form: "latest" } as never), /form.*from/);
  });

  test("has no more events than are kept", async () => {
    await using scene = await startScene({ partitions: 1, retention: { maxEvents: 3, maxAgeInMs: 100 } });
    for (let index = 0; index < 5; index++) {
      scene.setClock(START + index * 40);
      await scene.hub.device("d").sendTelemetry(String(index));
    }
    assert.deepEqual((await scene.all()).map(({ text, sequenceNumber }) => [text, sequenceNumber]), [
      ["2", 2],
      ["3", 3],
      ["4", 4],
    ]);
    scene.setClock(START + 4 * 40 + 61);
    assert.deepEqual((await scene.all()).map(({ text }) => text), ["4"]);
    scene.setClock(START + 1000);
    assert.deepEqual(await scene.all(), []);
    await scene.hub.device("d").sendTelemetry("5");
    assert.deepEqual((await scene.all()).map(({ sequenceNumber }) => sequenceNumber), [5]);
  });

  test("goes by the hub's clock", async () => {
    await using scene = await startScene({ retention: { maxAgeInMs: 1_000 } });
    const { hub } = scene;
    await hub.device("d").sendTelemetry("old");
    await hub.clock.advance(900);
    await hub.device("d").sendTelemetry("new");
    const times = (await scene.all()).map(({ enqueuedTimeUtc }) => enqueuedTimeUtc.getTime());
    assert.deepEqual(times, [START, START + 900]);
    await hub.clock.advance(101);
    assert.deepEqual((await scene.all()).map(({ text }) => text), ["new"]);
    await hub.clock.advance(900);
    assert.deepEqual(await scene.all(), []);
  });

  test("takes options of the right form only", () => {
    for (
      const events of [
        { partitions: 0 },
        { partitions: 33 },
        { retention: { maxEvents: 0 } },
        { retention: { maxAgeInMs: 0 } },
      ]
    ) assert.throws(() => new LocalHub({ events }), RangeError);
    assert.throws(() => new LocalHub({ events: { twinChange: true } as never }), /twinChange.*twinChanges/);
    assert.throws(() => new LocalHub({ events: { lifecycle: 1 as never } }), TypeError);
  });
});

describe("What a hub tells by itself", () => {
  test("is nothing, unless it is told to", async () => {
    await using scene = await startScene();
    await scene.registry.updateTwin("d", { tags: { a: 1 } });
    await scene.hub.device("d").updateReportedProperties({ a: 1 });
    await scene.registry.deleteDevice("d");
    assert.deepEqual(await scene.all(), []);
  });

  test("are changes of twins", async () => {
    await using scene = await startScene({ twinChanges: true });
    const { registry, hub } = scene;
    await registry.updateTwin("d", { tags: { site: "b" }, properties: { desired: { a: { b: 1, c: null } } } });
    await hub.device("d").module("m").updateReportedProperties({ x: 2 });
    await registry.replaceTwin("d", { tags: { other: 1 } });
    const [updated, reported, replaced] = await scene.all();
    assert.equal(updated!.source, "twinChangeEvents");
    assert.equal(updated!.systemProperties["iothub-message-source"], "twinChangeEvents");
    assert.equal(updated!.systemProperties["iothub-connection-auth-method"], undefined);
    assert.match(String(updated!.systemProperties["correlationId"]), /^[0-9a-f]{12}$/);
    assert.deepEqual(updated!.properties, {
      hubName: "localhost",
      deviceId: "d",
      operationTimestamp: "2026-01-01T00:00:00.0000000Z",
      "iothub-message-schema": "twinChangeNotification",
      opType: "updateTwin",
    });
    const stamp = { $lastUpdated: "2026-01-01T00:00:00Z", $lastUpdatedVersion: 2 };
    const body = updated!.json() as { properties: { desired: { $metadata: { $lastUpdated: string } } } };
    stamp.$lastUpdated = body.properties.desired.$metadata.$lastUpdated;
    assert.deepEqual(body, {
      version: 3,
      tags: { site: "b" },
      properties: {
        desired: {
          a: { b: 1, c: null },
          $metadata: { ...stamp, a: { ...stamp, b: stamp } },
          $version: 2,
        },
      },
    });
    assert.equal(reported!.moduleId, "m");
    assert.equal(reported!.properties["moduleId"], "m");
    const { properties } = reported!.json<{ properties: { reported: Record<string, unknown> } }>();
    assert.deepEqual(Object.keys(properties), ["reported"]);
    assert.equal(properties.reported["x"], 2);
    assert.equal(replaced!.properties["opType"], "replaceTwin");
    const whole = replaced!.json<{ deviceId: string; tags: unknown; properties: object; etag: string }>();
    assert.deepEqual([whole.deviceId, whole.tags, Object.keys(whole.properties)], [
      "d",
      { other: 1 },
      ["desired", "reported"],
    ]);
  });

  test("are identities that come and go", async () => {
    await using scene = await startScene({ lifecycle: true });
    await scene.registry.deleteModule("d", "m");
    await scene.registry.deleteDevice("d");
    const events = await scene.all();
    assert.deepEqual(
      events.map(({ source, properties: { opType }, deviceId, moduleId }) => [source, opType, deviceId, moduleId]),
      [
        ["deviceLifecycleEvents", "createDeviceIdentity", "d", undefined],
        ["deviceLifecycleEvents", "createDeviceIdentity", "d", "m"],
        ["deviceLifecycleEvents", "deleteDeviceIdentity", "d", "m"],
        ["deviceLifecycleEvents", "deleteDeviceIdentity", "d", undefined],
      ],
    );
    const section = { $metadata: { $lastUpdated: "0001-01-01T00:00:00Z" }, $version: 1 };
    assert.deepEqual(events[0]!.json(), {
      deviceId: "d",
      etag: "AAAAAAAAAAE=",
      version: 2,
      properties: { desired: section, reported: section },
    });
  });

  test("are devices that connect and disconnect", async () => {
    await using scene = await startScene({ connectionState: true });
    const device = scene.hub.device("d");
    device.connect();
    device.connect();
    device.disconnect();
    const events = await scene.all();
    assert.deepEqual(events.map(({ properties }) => properties["opType"]), ["deviceConnected", "deviceDisconnected"]);
    const [first, second] = events.map((event) => event.json<{ sequenceNumber: string }>().sequenceNumber);
    assert.match(first!, /^[0-9a-f]{64}$/);
    assert.ok(first! < second!);
  });
});

test("Any position leads to the events after it, whatever was dropped", () => {
  const message = { to: "", properties: {}, data: new Uint8Array(3) };
  const numbers = fc.integer({ min: -1, max: 40 });
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 40 }),
    fc.integer({ min: 1, max: 50 }),
    numbers,
    fc.boolean(),
    (waits, maxEvents, value, isInclusive) => {
      let now = 0;
      const log = new EventLog({
        now: () => now,
        partitions: 1,
        retention: { maxEvents, maxAgeInMs: Infinity },
        report: (error) => assert.ifError(error),
        storage: new HubStorage(),
      });
      const times = waits.map((wait) => now += wait);
      times.forEach((time) => {
        now = time;
        log.append({
          source: "Telemetry",
          deviceId: "d",
          moduleId: undefined,
          receivedTime: now,
          message,
          stamps: {},
        });
      });
      const partition = log.partitions.get("0")!;
      const kept = times.map((time, sequenceNumber) => ({ time, sequenceNumber })).slice(-maxEvents);
      const isAfter = (number: number): boolean => isInclusive ? number >= value : number > value;
      const expected = {
        enqueuedTime: kept.find(({ time }) => isAfter(time))?.sequenceNumber,
        sequenceNumber: kept.find(({ sequenceNumber }) => isAfter(sequenceNumber))?.sequenceNumber,
      };
      for (const kind of ["enqueuedTime", "sequenceNumber"] as const) {
        const place = log.seek(partition, { kind, value, isInclusive });
        assert.equal(log.read(partition, place)?.sequenceNumber, expected[kind], kind);
      }
    },
  ));
});
