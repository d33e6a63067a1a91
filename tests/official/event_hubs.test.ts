import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, describe, test } from "node:test";
import { connectEventHubs, loadEventHubs, LostRenewals } from "../support/event_hubs_sdk.ts";
import { EventScene } from "../support/event_scene.ts";
import type { Json } from "../support/rest_caller.ts";
import { describeSdk } from "../support/sdk_runtime.ts";

/** What a client of the vendor's package has read. */
interface Reading extends AsyncDisposable {
  readonly texts: string[];
  readonly events: Json[];
  readonly errors: Error[];
  /** Resolves when so many events have come. */
  until(count: number): Promise<void>;
}

describeSdk("scenarios of the client for Event Hubs", () => {
  const { earliestEventPosition, latestEventPosition } = loadEventHubs();

  describe("The client for Event Hubs at the local hub", () => {
    let renewals: LostRenewals;
    let scene: EventScene;
    let connectionString: string;
    before(async () => {
      renewals = new LostRenewals();
      scene = await EventScene.start({ devices: 4, hub: { events: { partitions: 2 } } });
      connectionString = (await scene.registry.getEventHubEndpoint()).connectionString!;
    });
    after(async () => {
      await scene[Symbol.asyncDispose]();
      renewals[Symbol.dispose]();
    });

    function connect(consumerGroup: string): Json {
      return connectEventHubs(consumerGroup, connectionString, 10);
    }

    function read(options: Json = {}, consumerGroup = "$Default"): Reading {
      const client = connect(consumerGroup);
      const [events, errors]: [Json[], Error[]] = [[], []];
      let wake = (): void => {};
      const subscription = client.subscribe({
        processEvents(received: Json[]) {
          events.push(...received);
          wake();
          return Promise.resolve();
        },
        processError(error: Error) {
          errors.push(error);
          return Promise.resolve();
        },
      }, { startPosition: earliestEventPosition, maxBatchSize: 50, maxWaitTimeInSeconds: 1, ...options });
      return {
        events,
        errors,
        get texts() {
          return events.map(({ body }) => Buffer.isBuffer(body) ? body.toString() : String(body));
        },
        async until(count) {
          while (events.length < count) await new Promise<void>((resolve) => wake = resolve);
        },
        async [Symbol.asyncDispose]() {
          await subscription.close();
          await client.close();
        },
      };
    }

    test("asks for the properties of the event hub and its partitions", async () => {
      const client = connect("$Default");
      try {
        const { name, partitionIds } = await client.getEventHubProperties();
        assert.deepEqual([name, partitionIds], ["localhost", ["0", "1"]]);
        const { lastEnqueuedSequenceNumber, isEmpty } = await client.getPartitionProperties("1");
        assert.deepEqual([lastEnqueuedSequenceNumber, isEmpty], [-1, true]);
        await assert.rejects(client.getPartitionProperties("2"), { code: "ArgumentOutOfRangeError" });
      } finally {
        await client.close();
      }
    });

    test("reads all events from the earliest, in two consumer groups, and later ones from the latest", async () => {
      await scene.hub.device("d0").sendTelemetry("one", { messageId: "m-1", level: "high" });
      await scene.send(["two"], "d1");
      await using first = read({ trackLastEnqueuedEventProperties: true });
      await using second = read({}, "dashboards");
      await Promise.all([first.until(2), second.until(2)]);
      assert.deepEqual(first.texts.toSorted(), ["one", "two"]);
      const one = first.events.find(({ body }) => String(body) === "one");
      assert.equal(one.messageId, "m-1");
      assert.deepEqual(one.properties, { level: "high" });
      assert.equal(one.systemProperties["iothub-connection-device-id"], "d0");
      assert.equal(one.systemProperties["iothub-message-source"], "Telemetry");
      assert.ok(one.enqueuedTimeUtc instanceof Date);

      const since = new Date();
      await using latest = read({ startPosition: latestEventPosition });
      // It tells nothing of its beginning, so it is sent to until something comes.
      for (let round = 0; latest.events.length === 0; round++) {
        await scene.send([`late ${round}`], "d0");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.ok(latest.texts.every((text) => text.startsWith("late")), latest.texts.join());
      await using timed = read({ startPosition: { enqueuedOn: since } });
      await timed.until(1);
      assert.equal(timed.texts[0], "late 0");
      assert.deepEqual([...first.errors, ...second.errors, ...latest.errors, ...timed.errors], []);
    });

    test("goes on after a lost connection, and a detached link", async () => {
      const start = { startPosition: { enqueuedOn: new Date() } };
      await using reading = read(start);
      await scene.send(["a"], "d2");
      await reading.until(1);
      for (const lose of [() => scene.hub.faults.drop(), () => scene.hub.faults.detach()]) {
        lose();
        const count = reading.events.length;
        await scene.send(["b"], "d2");
        await reading.until(count + 1);
      }
      assert.deepEqual(reading.texts, ["a", "b", "b"]);
    });

    test("is told that a reader with a higher owner level has taken over", async () => {
      await using lower = read({ ownerLevel: 1, startPosition: latestEventPosition });
      await scene.send(["x"], "d3");
      await using higher = read({ ownerLevel: 2 });
      await higher.until(1);
      while (lower.errors.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.equal((lower.errors[0] as Error & { code?: string }).code, "ReceiverDisconnectedError");
    });
  });
});
