import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Sender } from "rhea";
import type { IoTHubRegistryManager } from "../../mod.ts";
import { rejectionOf } from "../support/hub_scripts.ts";
import { MockedTime, turns } from "../support/mocked_time.ts";
import { batch, outcomes, start } from "../support/receiving_scene.ts";

describe("A batch of feedback", () => {
  test("is accepted when the loop has gone past it, and not while its records are handled", async () => {
    await using scene = await start();
    const { queue, log, registry } = scene;
    queue.put(batch("1", "2", "3"));
    queue.put(batch("4"));
    const seen: string[] = [];
    for await (const { originalMessageId } of registry.receiveFeedback()) {
      seen.push(originalMessageId!);
      await turns();
      assert.deepEqual(outcomes(log), originalMessageId === "4" ? ["accepted"] : []);
      if (originalMessageId === "4") break;
    }
    assert.deepEqual(seen, ["1", "2", "3", "4"]);
    await log.until("detached");
    assert.deepEqual(outcomes(log), ["accepted", "released", "detached"]);
  });

  const ENDS: Record<string, (registry: IoTHubRegistryManager) => Promise<void>> = {
    async "a break"(registry) {
      for await (const _record of registry.receiveFeedback()) break;
    },
    async "a return"(registry) {
      await (async () => {
        for await (const _record of registry.receiveFeedback()) return;
      })();
    },
    async "an error of the consumer"(registry) {
      const reason = new Error("I do not understand this");
      await assert.rejects(
        async () => {
          for await (const _record of registry.receiveFeedback()) throw reason;
        },
        (error) => error === reason,
      );
    },
    async "a break after some of its records were completed"(registry) {
      for await (const record of registry.receiveFeedback()) {
        record.complete();
        record.complete();
        if (record.originalMessageId === "2") break;
      }
    },
  };
  for (const [what, end] of Object.entries(ENDS)) {
    test(`is given back by ${what}, before the link is closed`, async () => {
      await using scene = await start();
      const { hub, queue, log, registry } = scene;
      queue.put(batch("1", "2", "3"));
      await end(registry);
      await log.until("detached");
      assert.deepEqual(outcomes(log), ["released", "detached"]);
      assert.equal(hub.connections.length, 1);
    });
  }

  test("is accepted where each of its records was completed before the break", async () => {
    await using scene = await start();
    const { queue, log, registry } = scene;
    queue.put(batch("1", "2"));
    for await (const record of registry.receiveFeedback()) {
      record.complete();
      if (record.originalMessageId === "2") break;
    }
    await log.until("detached");
    assert.deepEqual(outcomes(log), ["accepted", "detached"]);
  });

  test("is accepted at once when its last record is completed", async () => {
    await using scene = await start();
    const { queue, log, registry } = scene;
    queue.put(batch("1"));
    for await (const record of registry.receiveFeedback()) {
      record.complete();
      await log.until("accepted");
      // Too late.
      record.abandon();
      break;
    }
    await log.until("detached");
    assert.deepEqual(outcomes(log), ["accepted", "detached"]);
  });

  test("is given back at once by abandon(), and the rest of it is not shown", async () => {
    await using scene = await start();
    const { queue, log, registry } = scene;
    queue.put(batch("1", "2", "3"));
    const seen: string[] = [];
    for await (const record of registry.receiveFeedback()) {
      seen.push(record.originalMessageId!);
      if (seen.length === 2) {
        record.abandon();
        await log.until("released");
        // Too late.
        record.complete();
      }
      if (seen.length === 5) {
        record.complete();
        break;
      }
    }
    // The hub sends it again from its beginning.
    assert.deepEqual(seen, ["1", "2", "1", "2", "3"]);
    await log.until("detached");
    assert.deepEqual(outcomes(log), ["released", "accepted", "detached"]);
  });

  test("without a record is accepted, and the loop goes on", async () => {
    await using scene = await start();
    const { queue, log, registry } = scene;
    queue.put([]);
    queue.put(batch("1"));
    for await (const record of registry.receiveFeedback()) {
      assert.equal(record.originalMessageId, "1");
      record.complete();
      break;
    }
    await log.until("detached");
    assert.deepEqual(outcomes(log), ["accepted", "accepted", "detached"]);
  });
});

describe("A record", () => {
  test("is plain where it is compared, copied or printed, though it can be completed", async () => {
    await using scene = await start();
    const { queue, registry } = scene;
    const sent = {
      originalMessageId: "1",
      enqueuedTimeUtc: "2025-01-01T00:00:00Z",
      statusCode: "Success",
      description: "Success",
      deviceId: "d1",
      deviceGenerationId: "7",
    };
    queue.put([sent]);
    for await (const record of registry.receiveFeedback()) {
      assert.deepEqual(record, sent);
      assert.equal(JSON.stringify(record), JSON.stringify(sent));
      assert.deepEqual({ ...record }, sent);
      assert.deepEqual(structuredClone(record), sent);
      assert.equal(typeof record.complete, "function");
      assert.equal(typeof record.abandon, "function");
      break;
    }
  });

  test("has its status spelled as usual, and one that nobody knows as it came", async () => {
    await using scene = await start();
    const { queue, registry } = scene;
    const came = ["success", "EXPIRED", "deliveryCountExceeded", "Rejected", "purged", "Lost"];
    queue.put(came.map((statusCode) => ({ statusCode })));
    const seen: unknown[] = [];
    for await (const { statusCode } of registry.receiveFeedback()) {
      if (seen.push(statusCode) === came.length) break;
    }
    assert.deepEqual(seen, ["Success", "Expired", "DeliveryCountExceeded", "Rejected", "Purged", "Lost"]);
  });

  test("of a file comes by itself, from a queue of its own", async () => {
    await using scene = await start();
    const { hub, queue, log, registry } = scene;
    const sent = { deviceId: "d1", blobName: "d1/a.jpg", blobSizeInBytes: 7 };
    queue.put(sent);
    queue.put({ ...sent, blobName: "d1/b.jpg" });
    for await (const file of registry.receiveFileNotifications()) {
      if (file.blobName === "d1/b.jpg") break;
      assert.deepEqual(file, sent);
    }
    await log.until("detached");
    assert.deepEqual(outcomes(log), ["accepted", "released", "detached"]);
    assert.equal(hub.sources[0]!.source.address, "/messages/serviceBound/filenotifications");
  });

  for (
    const [kind, bodies] of [
      ["receiveFeedback", ["no JSON", '{"deviceId":"d1"}', "[1]", "[null]", Uint8Array.of(255), ""]],
      ["receiveFileNotifications", ["no JSON", "[{}]", "7", "null", Uint8Array.of(255), ""]],
    ] as ["receiveFeedback" | "receiveFileNotifications", (string | Uint8Array)[]][]
  ) {
    test(`that cannot be read ends ${kind} with InvalidResponse, and is given back`, async () => {
      for (const body of bodies) {
        await using scene = await start();
        const { queue, log, registry } = scene;
        queue.put(body);
        const error = await rejectionOf(registry[kind]().next());
        assert.deepEqual([error.code, error.operation, error.retryable], ["InvalidResponse", kind, false], `${body}`);
        await log.until("detached");
        assert.deepEqual(outcomes(log), ["released", "detached"]);
      }
    });
  }
});

describe("The hub's credit", () => {
  test("is one while the consumer waits, and none while it works", async () => {
    await using scene = await start();
    const { queue, log, registry } = scene;
    for (const id of ["1", "2", "3"]) queue.put(batch(id, `${id}b`));
    let count = 0;
    for await (const _record of registry.receiveFeedback()) {
      await turns();
      assert.equal((queue.links[0] as Sender & { credit: number }).credit, 0);
      if (++count === 6) break;
    }
    await log.until("detached");
    const credits = log.events.filter((event) => event.startsWith("credit"));
    assert.deepEqual(credits, ["credit 1", "credit 1", "credit 1"]);
    assert.equal(log.count("sent"), 3);
  });

  test("is shared by loops that run at the same time, each with a link of its own on one connection", async () => {
    using time = new MockedTime();
    await using scene = await start();
    const { hub, queue, log, registry } = scene;
    const seen: string[] = [];
    async function consume(): Promise<void> {
      for await (const { originalMessageId } of registry.receiveFeedback({ maxWaitTimeInMs: 5_000 })) {
        seen.push(originalMessageId!);
        await turns();
      }
    }
    const loops = [consume(), consume()];
    await log.until("attached", 2);
    const ids = Array.from({ length: 20 }, (_, i) => `${i}`);
    for (const id of ids) queue.put(batch(id));
    await log.until("accepted", 20);
    await time.settle(Promise.all(loops), 1_000);
    assert.deepEqual(seen.sort(), ids.sort());
    assert.equal(log.count("accepted"), 20);
    assert.equal(log.count("credit 2"), 0);
    assert.equal(hub.connections.length, 1);
    assert.equal(hub.tokens.length, 1);
  });
});
