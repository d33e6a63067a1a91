import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { inspect } from "node:util";
import { describe, test } from "node:test";
import { type DeviceEvents, IoTHubError, IoTHubRegistryManager, type ReceiveEventsOptions } from "../../mod.ts";
import * as entry from "../../mod.ts";
import fc from "fast-check";
import { FORMATS, GOOD_EVENT_HUB } from "../fuzz/hostile_event_hub.ts";
import { GOOD_MANNER, HostileHub } from "../fuzz/hostile_hub.ts";
import { list, word } from "../support/amqp_bytes.ts";
import { ClientEvents } from "../support/client_events.ts";
import { EventScene } from "../support/event_scene.ts";
import { holds } from "../support/properties.ts";

/**
 * A hub that lets its first client in after half an attempt's time, and tells it where its events are when the attempt to
 * reach them is over, and another one has begun.
 */
async function startSlowHub(port: number): Promise<{ endpoint: string } & AsyncDisposable> {
  const sockets: Socket[] = [];
  let delays = [200, 280];
  const server = createServer((socket) => {
    const hub = connect(port, "127.0.0.1");
    sockets.push(socket.on("error", () => {}), hub.on("error", () => {}));
    socket.pipe(hub);
    hub.on("end", () => socket.end()).on("data", (chunk: Uint8Array) => {
      const isLate = delays.length === 2 || new TextDecoder().decode(chunk).includes("amqp:link:redirect");
      const [delay = 0, ...rest] = isLate ? delays : [];
      if (isLate) delays = rest;
      if (delay === 0) socket.write(chunk);
      else setTimeout(() => socket.write(chunk), delay);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    endpoint: `amqp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const NO_RETRIES = { retryOptions: { maxRetries: 0 } };

describe("receiveEvents", () => {
  test("gives the same events as the hub in process, whole", async () => {
    await using scene = await EventScene.start({ devices: 3, hub: { events: { twinChanges: true } } });
    const { hub, registry } = scene;
    await registry.createModuleWithSas("d0", "m");
    await hub.device("d0").sendTelemetry({ t: 1 }, {
      messageId: "m-1",
      correlationId: "c",
      userId: "u",
      componentName: "sensor",
      creationTimeUtc: new Date(5_000),
      expiryTimeUtc: new Date(9_000_000_000_000),
      level: 7,
      grün: "ü",
    });
    await hub.device("d0").module("m").sendTelemetry(new Uint8Array([0, 255]));
    await hub.device("d1").sendTelemetry("");
    await registry.updateTwin("d2", { tags: { a: 1 } });
    const inProcess = new Map<string, unknown>();
    for await (const event of hub.events({ maxWaitTimeInMs: 1 })) {
      inProcess.set(`${event.partitionId}/${event.sequenceNumber}`, event);
    }
    const { size } = inProcess;
    assert.equal(size, 4);
    for await (const event of registry.receiveEvents({ from: "earliest" })) {
      const name = `${event.partitionId}/${event.sequenceNumber}`;
      assert.deepEqual({ ...event }, { ...inProcess.get(name) as object });
      inProcess.delete(name);
      if (inProcess.size === 0) break;
    }
  });

  test("begins with the next event, which is that after the first step has reached the hub", async () => {
    await using scene = await EventScene.start();
    await scene.send(["before"]);
    const loop = scene.registry.receiveEvents();
    const first = loop.next();
    // Another reader whose step has come back proves that this one's has.
    assert.deepEqual(await scene.read({ from: "latest" }), []);
    await scene.send(["after"]);
    assert.equal((await first).value?.text, "after");
    await loop.return();
  });

  test("begins after a place in each partition, or at a time", async () => {
    let now = Date.now();
    await using scene = await EventScene.start({ hub: { now: () => now, events: { partitions: 2 } } });
    for (const text of ["a", "b", "c"]) {
      await scene.send([text]);
      now += 1_000;
    }
    const events = [];
    for await (const event of scene.registry.receiveEvents({ from: "earliest" })) {
      if (events.push(event) === 3) break;
    }
    const [{ partitionId, sequenceNumber, offset, enqueuedTimeUtc }] = events as [typeof events[0]];
    const from = (position: entry.EventPosition): ReceiveEventsOptions => ({ from: { [partitionId]: position } });
    assert.deepEqual(await scene.read(from({ sequenceNumber }), 2), ["b", "c"]);
    assert.deepEqual(await scene.read(from({ sequenceNumber: -1 }), 3), ["a", "b", "c"]);
    assert.deepEqual(await scene.read(from({ offset }), 2), ["b", "c"]);
    assert.deepEqual(await scene.read(from({ enqueuedTimeUtc }), 2), ["b", "c"]);
    assert.deepEqual(await scene.read({ from: enqueuedTimeUtc }, 3), ["a", "b", "c"]);
    assert.deepEqual(await scene.read({ from: new Date(now + 1) }), []);
    const other = partitionId === "0" ? "1" : "0";
    assert.deepEqual(await scene.read({ partitionIds: [other] }), []);
    assert.deepEqual(await scene.read({ partitionIds: [partitionId], consumerGroup: "dashboards" }), ["a", "b", "c"]);
  });

  test("goes on after every kind of loss, without losing or repeating anything", async () => {
    await using scene = await EventScene.start({ hub: { events: { partitions: 1 } } });
    const { hub } = scene;
    const losses = [
      () => hub.faults.drop(),
      () => hub.faults.detach(),
      () => hub.faults.expire(),
      () => hub.faults.restart(),
    ];
    const loop = scene.registry.receiveEvents({ from: "earliest" });
    let expected = 0;
    for (const lose of losses) {
      for (let round = 0; round < 2; round++) {
        await scene.send(Array.from({ length: 3 }, (_, index) => String(expected + index)));
        assert.equal((await loop.next()).value?.text, String(expected++));
        await lose();
        for (let index = 1; index < 3; index++) assert.equal((await loop.next()).value?.text, String(expected++));
      }
    }
    await loop.return();
  });

  test("asks for no more than the loop takes", async () => {
    await using scene = await EventScene.start({ hub: { events: { partitions: 1 } } });
    const body = new Uint8Array(200_000);
    for (let index = 0; index < 100; index++) await scene.hub.device("d0").sendTelemetry(body);
    const sent = new Set<string>();
    const loop = scene.registry.receiveEvents({ from: "earliest" });
    for (let index = 0; index < 60; index++) sent.add((await loop.next()).value!.offset);
    assert.equal(sent.size, 60);
    await loop.return();
  });

  test("is not stopped by events in several frames after many small ones", async () => {
    await using scene = await EventScene.start({ hub: { events: { partitions: 1 } } });
    const [small, large] = [new Uint8Array(1), new Uint8Array(66_000)];
    const device = scene.hub.device("d0");
    for (let index = 0; index < 1_600; index++) await device.sendTelemetry(index < 1_000 ? small : large);
    let count = 0;
    for await (const _ of scene.registry.receiveEvents({ from: "earliest", maxWaitTimeInMs: 20_000 })) {
      if (++count === 1_600) break;
    }
    assert.equal(count, 1_600);
  });

  test("reads nothing of what is said to be of another format than messages, which nobody has checked", async () => {
    const hub = new HostileHub();
    const amqpEndpoint = `amqp://127.0.0.1:${await hub.listen()}`;
    const many = [0x00, 0x53, 0x73, 0xd0, ...word(8), ...word(2 ** 32 - 1)];
    const contents = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => [...bytes]),
      fc.constantFrom(many, [0x00, 0x53, 0x72, ...list([])], GOOD_EVENT_HUB.events[0]!),
    );
    await holds(
      fc.asyncProperty(contents, FORMATS, async (content, format) => {
        hub.manner = { ...GOOD_MANNER, eventHub: { ...GOOD_EVENT_HUB, format, events: [content] } };
        const text = "HostName=a.example;SharedAccessKeyName=service;SharedAccessKey=AAAA";
        await using registry = IoTHubRegistryManager.fromConnectionString(text, { amqpEndpoint });
        await assert.rejects(registry.receiveEvents({ from: "earliest" }).next(), { code: "InvalidResponse" });
      }),
      20,
    );
    await hub.close();
  });

  test("shares its connection among loops, each of which gets all events", async () => {
    await using scene = await EventScene.start({ devices: 2 });
    await scene.send(["a"], "d0");
    await scene.send(["b"], "d1");
    const both = await Promise.all([1, 2, 3].map(() => scene.read({}, 2)));
    assert.deepEqual(both.map((texts) => texts.sort()), [["a", "b"], ["a", "b"], ["a", "b"]]);
  });

  test("harms no other loop of its connection, at whatever moment of its beginning it ends", async () => {
    const events = new ClientEvents();
    await using scene = await EventScene.start({ client: { onEvent: events.listen } });
    const other = scene.registry.receiveEvents({ partitionIds: ["0", "1", "2", "3"], from: "earliest" });
    const next = other.next();
    await events.until("linkAttached", 4);
    for (let turns = 0; turns < 16; turns++) {
      const controller = new AbortController();
      const options = { partitionIds: ["0"], from: "earliest", abortSignal: controller.signal } as const;
      const ended = scene.registry.receiveEvents(options).next();
      ended.catch(() => {});
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      await assert.rejects(ended, { name: "AbortError" });
      // What the hub answers to all of it comes before this.
      await scene.registry.getEventHubEndpoint();
    }
    await scene.send(["late"]);
    assert.equal((await next).value?.text, "late");
    await other.return!();
    assert.deepEqual(events.kinds.filter((kind) => kind.endsWith("Lost")), []);
  });

  test("ends by a break, a signal, a wait, and the end of the client", async () => {
    await using scene = await EventScene.start();
    const { registry } = scene;
    await scene.send(["a", "b"]);
    assert.deepEqual(await scene.read({}, 1), ["a"]);
    const controller = new AbortController();
    const aborted = registry.receiveEvents({ abortSignal: controller.signal }).next();
    const reason = new Error("enough");
    setTimeout(() => controller.abort(reason), 20);
    await assert.rejects(aborted, reason);
    const view = IoTHubRegistryManager.fromManager(registry);
    const waiting = [registry, view].map((client) => client.receiveEvents({ from: "earliest" }));
    for (const loop of waiting) for (const text of ["a", "b"]) assert.equal((await loop.next()).value?.text, text);
    const [own, other] = waiting.map((loop) => loop.next());
    await Promise.all([assert.rejects(other!, { code: "Closed", operation: "receiveEvents" }), view.close()]);
    await Promise.all([assert.rejects(own!, { code: "Closed", operation: "receiveEvents" }), registry.close()]);
  });

  test("throws when the events were out of reach for too long", async () => {
    await using scene = await EventScene.start();
    const loop = scene.registry.receiveEvents({ from: "earliest", timeoutInMs: 2_000 });
    await scene.send(["a"]);
    assert.equal((await loop.next()).value?.text, "a");
    const restarted = scene.hub.faults.restart(30_000);
    await assert.rejects(loop.next(), { code: "Timeout", retryable: true });
    await assert.rejects(scene.registry.receiveEvents({ timeoutInMs: 300 }).next(), { code: "Timeout" });
    await scene.hub.close();
    await restarted;
  });

  test("waits for a hub that takes long to say where its events are", async () => {
    await using scene = await EventScene.start();
    const { amqp } = await scene.hub.listen({ amqp: 0 });
    const client = { attemptTimeoutInMs: 400, retryOptions: { retryDelayInMs: 10, maxRetryDelayInMs: 10 } };
    await using hub = await startSlowHub(Number(new URL(amqp!.replace("amqp", "http")).port));
    await using registry = IoTHubRegistryManager.fromConnectionString(scene.hub.connectionString, {
      ...scene.hub.clientOptions,
      ...client,
      amqpEndpoint: hub.endpoint,
    });
    assert.equal((await registry.getEventHubEndpoint()).eventHubName, "localhost");
  });

  test("says what is wrong, and shows no secret", async () => {
    await using scene = await EventScene.start({ client: NO_RETRIES });
    const { hub, registry } = scene;
    const failureOf = async (client: DeviceEvents, options: ReceiveEventsOptions = {}): Promise<IoTHubError> => {
      const error = await client.receiveEvents(options).next().then(() => assert.fail("not thrown"), (error) => error);
      assert.ok(error instanceof IoTHubError, String(error));
      assert.doesNotMatch(inspect(error) + error.message, /sig=|SharedAccessKey=/);
      return error;
    };
    const noPartition = await failureOf(registry, { partitionIds: ["77"] });
    assert.equal(noPartition.code, "ArgumentInvalid");
    const events = (connectionString: string): entry.DeviceEvents =>
      entry.DeviceEvents.fromConnectionString(connectionString, { ...hub.clientOptions, ...NO_RETRIES });
    await using readOnly = events(hub.connectionStringFor("registryRead"));
    const refused = await failureOf(readOnly);
    assert.equal(refused.statusCode, 401);
    assert.match(refused.message, /policy "registryRead" has the right ServiceConnect/);
    await using wrongKey = events(hub.connectionString.replace(/Key=.*$/, `Key=${btoa("another key of the hub")}`));
    assert.equal((await failureOf(wrongKey)).statusCode, 401);
    await using token = entry.DeviceEvents.fromTokenCredential(hub.hostName, hub.tokenCredential(), hub.clientOptions);
    const unknown = await failureOf(token);
    assert.equal(unknown.code, "InvalidOperation");
    assert.match(unknown.message, /connection string of a policy/);
    assert.equal((await failureOf(token)).retryable, false);
  });

  for (
    const [options, kind, text] of [
      [{ form: "latest" }, TypeError, /form.*from/],
      [{ from: "newest" }, TypeError, /from/],
      [{ from: new Date(NaN) }, RangeError, /from/],
      [{ from: {} }, RangeError, /from/],
      [{ from: { 0: {} } }, TypeError, /one of offset/],
      [{ from: { 0: { offset: "1", sequenceNumber: 1 } } }, TypeError, /one of offset/],
      [{ from: { 0: { sequenceNumber: 1.5 } } }, RangeError, /sequenceNumber/],
      [{ from: { 0: { offset: "1' OR '" } } }, RangeError, /offset/],
      [{ from: { 0: { offset: "1" } }, partitionIds: ["1"] }, RangeError, /partition 0/],
      [{ partitionIds: [] }, RangeError, /partitionIds/],
      [{ partitionIds: ["0", "0"] }, RangeError, /partitionIds/],
      [{ partitionIds: ["0/../1"] }, RangeError, /partitionIds\[0\]/],
      [{ consumerGroup: "a/b" }, RangeError, /consumerGroup/],
      [{ maxWaitTimeInMs: 0 }, RangeError, /maxWaitTimeInMs/],
    ] as const
  ) {
    test(`takes no ${JSON.stringify(options)}`, async () => {
      await using events = entry.DeviceEvents.fromConnectionString(
        "HostName=myhub.example;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0",
      );
      await assert.rejects(events.receiveEvents(options as never).next(), (error) => {
        assert.ok(error instanceof kind);
        assert.match(error.message, text);
        return true;
      });
    });
  }
});

describe("getEventHubEndpoint", () => {
  test("names the event hub, and hides the key when it is printed", async () => {
    await using scene = await EventScene.start({ hub: { hostName: "My-Hub.localhost", events: { partitions: 3 } } });
    const endpoint = await scene.registry.getEventHubEndpoint();
    const { connectionString, fullyQualifiedNamespace } = endpoint;
    const key = /SharedAccessKey=(.*)$/.exec(scene.hub.connectionString)![1]!;
    assert.match(fullyQualifiedNamespace, /^My-Hub\.localhost:\d+$/);
    assert.deepEqual([endpoint.eventHubName, endpoint.partitionIds], ["my-hub", ["0", "1", "2"]]);
    assert.equal(
      connectionString,
      `Endpoint=sb://${fullyQualifiedNamespace}/;EntityPath=my-hub;SharedAccessKeyName=iothubowner;` +
        `SharedAccessKey=${key};UseDevelopmentEmulator=true`,
    );
    for (const shown of [inspect(endpoint), JSON.stringify(endpoint)]) assert.ok(!shown.includes(key));
  });
});
