import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { buildC2dMessage } from "../../lib/messages/c2d_message.ts";
import { utcTime } from "../../lib/local/hub_time.ts";
import type { MessageOutcome } from "../../lib/local/messages/message_feedback.ts";
import { MessagingHub } from "../support/messaging_hub.ts";
import { MockedTime } from "../support/mocked_time.ts";

const HOUR = 3_600_000;

describe("feedback on a message", () => {
  const ENDINGS: Record<MessageOutcome, (hub: MessagingHub) => void> = {
    Success: (hub) => hub.queue.complete(hub.lock(), hub.now),
    Rejected: (hub) => hub.queue.reject(hub.lock(), hub.now),
    DeliveryCountExceeded: (hub) => {
      for (let i = 0; i < 10; i++) hub.queue.abandon(hub.lock(), hub.now);
    },
    Expired: (hub) => hub.tick(HOUR),
    Purged: (hub) => hub.queue.purge(hub.now),
  };
  const WANTED: [ack: string | undefined, (outcome: string) => boolean][] = [
    [undefined, () => false],
    ["none", () => false],
    ["positive", (outcome) => outcome === "Success"],
    ["negative", (outcome) => outcome !== "Success"],
    ["full", () => true],
  ];
  for (const [outcome, end] of Object.entries(ENDINGS)) {
    for (const [ack, isWanted] of WANTED) {
      test(`that ends with ${outcome} ${isWanted(outcome) ? "comes" : "does not come"} for iothub-ack ${ack}`, async () => {
        using hub = new MessagingHub();
        hub.send("m", ack === undefined ? {} : { ack });
        end(hub);
        assert.deepEqual(await hub.feedback(), isWanted(outcome) ? [["m", outcome]] : []);
        assert.equal(hub.queue.count(hub.now), 0);
      });
    }
  }

  test("names the message, the outcome and its time, and the device with its generation", async () => {
    using hub = new MessagingHub();
    hub.send("m", { ack: "full" });
    hub.tick(5000);
    hub.queue.complete(hub.lock(), hub.now);
    assert.deepEqual(await hub.batches(), [[{
      originalMessageId: "m",
      enqueuedTimeUtc: utcTime(hub.now),
      statusCode: "Success",
      description: "Success",
      deviceId: "d",
      deviceGenerationId: (await hub.rest.do("GET", "/devices/d")).generationId,
    }]]);
  });

  test("of a module names the device", async () => {
    using hub = new MessagingHub();
    const device = hub.record();
    const queue = hub.state.queues.of(hub.state.modules.create(device, "m", {}));
    hub.send("for the module", { ack: "full" }, { moduleId: "m" });
    queue.complete(queue.lockNext(hub.now)!, hub.now);
    const [[record] = []] = await hub.batches();
    assert.deepEqual([record?.deviceId, record?.deviceGenerationId], ["d", device.generationId]);
  });

  test("does not come for a message without an id", async () => {
    using hub = new MessagingHub();
    hub.state.queues.enqueue({ deviceId: "d" }, { to: "", properties: {}, data: new Uint8Array(), ack: "full" });
    hub.queue.complete(hub.lock(), hub.now);
    assert.deepEqual(await hub.feedback(), []);
  });

  test("comes of an expiry with its own time, though nobody looked then", async () => {
    using hub = new MessagingHub();
    const expiryTime = hub.now + 1000;
    hub.send("m", { ack: "negative", expiryTime });
    hub.tick(HOUR);
    const [[record] = []] = await hub.batches();
    assert.deepEqual([record?.statusCode, record?.enqueuedTimeUtc], ["Expired", utcTime(expiryTime)]);
  });

  test("comes of an expiry without a look at the hub, by the real clock", async () => {
    using time = new MockedTime();
    using hub = new MessagingHub({ now: Date.now });
    let announcements = 0;
    hub.state.feedback.onMessage(() => announcements++);
    hub.send("m", { ack: "full", expiryTime: Date.now() + 20 });
    time.pass(19);
    assert.equal(announcements, 0);
    time.pass(1);
    assert.equal(announcements, 1);
    assert.deepEqual(await hub.feedback(), [["m", "Expired"]]);
  });

  test("and the message itself are gone with the device", async () => {
    using hub = new MessagingHub({ feedbackIntervalInMs: 15_000 });
    hub.state.devices.create("other", {});
    for (const id of ["1", "2", "3"]) hub.send(id, { ack: "full" });
    const other = hub.queueOf("other");
    hub.send("kept", { ack: "full" }, { deviceId: "other" });
    const locked = hub.lock();
    hub.queue.complete(hub.lock(), hub.now);
    hub.queue.complete(hub.lock(), hub.now);
    other.complete(other.lockNext(hub.now)!, hub.now);
    const { queue } = hub;
    await hub.rest.do("DELETE", "/devices/d", undefined, { "if-match": "*" });
    await hub.rest.createDevices("d");
    assert.equal(queue.complete(locked, hub.now), false);
    assert.equal(hub.queue.count(hub.now), 0);
    hub.tick(15_000);
    assert.deepEqual(await hub.feedback(), [["kept", "Success"]]);
  });
});

describe("feedback of a device that is deleted", () => {
  function end(hub: MessagingHub, messageId: string): void {
    hub.send(messageId, { ack: "full" });
    hub.queue.complete(hub.lock(), hub.now);
  }

  test("makes no empty batch", async () => {
    using hub = new MessagingHub({ feedbackIntervalInMs: 15_000 });
    end(hub, "queued");
    end(hub, "gathered");
    hub.state.devices.delete(hub.record());
    hub.tick(15_000);
    assert.equal((await hub.receive()).status, 204);
  });

  test("stays with a back end that has it in hand", async () => {
    using hub = new MessagingHub();
    end(hub, "m");
    const { headers } = await hub.receive();
    hub.state.devices.delete(hub.record());
    assert.equal((await hub.complete(headers.get("iothub-messagelocktoken")!)).status, 204);
  });
});

describe("feedback goes to back ends", () => {
  /** Ends this many messages, of several devices as a queue has room for 50. */
  function end(hub: MessagingHub, count: number): void {
    for (let i = 0; i < count; i++) {
      hub.send(String(i), { ack: "full" });
      hub.queue.complete(hub.lock(), hub.now);
    }
  }

  async function sizes(hub: MessagingHub): Promise<number[]> {
    return (await hub.batches()).map((batch) => batch.length);
  }

  test("at once after a long quiet, then gathered until the interval has passed", async () => {
    using hub = new MessagingHub({ feedbackIntervalInMs: 15_000 });
    end(hub, 1);
    assert.deepEqual(await sizes(hub), [1]);
    end(hub, 3);
    hub.tick(14_999);
    assert.deepEqual(await sizes(hub), []);
    hub.tick(1);
    assert.deepEqual(await sizes(hub), [3]);
    hub.tick(15_000);
    end(hub, 1);
    assert.deepEqual(await sizes(hub), [1]);
  });

  test("in messages of 64 records, and a full one starts the interval anew", async () => {
    using hub = new MessagingHub({ feedbackIntervalInMs: 15_000 });
    end(hub, 1);
    hub.tick(10_000);
    end(hub, 64 + 64 + 3);
    assert.deepEqual(await sizes(hub), [1, 64, 64]);
    hub.tick(14_999);
    assert.deepEqual(await sizes(hub), []);
    hub.tick(1);
    assert.deepEqual(await sizes(hub), [3]);
  });

  test("one by one where the interval is 0", async () => {
    using hub = new MessagingHub({ feedbackIntervalInMs: 0 });
    end(hub, 3);
    assert.deepEqual(await sizes(hub), [1, 1, 1]);
  });

  test("by the real clock, too", async () => {
    using time = new MockedTime();
    using hub = new MessagingHub({ feedbackIntervalInMs: 30, now: Date.now });
    let announcements = 0;
    hub.state.feedback.onMessage(() => announcements++);
    end(hub, 3);
    time.pass(29);
    assert.equal(announcements, 1);
    time.pass(1);
    assert.equal(announcements, 2);
    assert.deepEqual(await sizes(hub), [1, 2]);
  });
});

describe("a message of 64 KB", () => {
  test("that the client lets through is one for the hub, in whatever way it is filled", () => {
    const properties = {
      messageId: "m1",
      correlationId: "c1",
      contentType: "text/plain",
      contentEncoding: "utf-8",
      userId: "me",
      ack: "full",
      expiryTimeUtc: Date.now() + 600_000,
      colour: "red",
      count: 12.5,
      on: true,
    } as const;
    let room = 0;
    for (let low = 0, high = 65_536; low <= high;) {
      room = (low + high) >> 1;
      try {
        buildC2dMessage("d", new Uint8Array(room), properties);
        low = room + 1;
      } catch {
        high = room - 1;
      }
      room = high;
    }
    using hub = new MessagingHub();
    function send(size: number): void {
      const { expiryTimeUtc: expiryTime, colour, count, on, ...system } = properties;
      const to = "/devices/d/messages/devicebound";
      hub.send("m1", { ...system, expiryTime, to, properties: { colour, count, on }, data: new Uint8Array(size) });
    }
    send(room);
    assert.throws(() => send(room + 1), { code: "MessageTooLarge" });
    assert.ok(room > 65_000);
  });

  test("is measured in bytes", () => {
    using hub = new MessagingHub();
    const send = (text: string) => hub.send("m", { data: new Uint8Array(65_533), properties: { a: text } });
    send("x");
    assert.throws(() => send("ä"), { code: "MessageTooLarge" });
  });
});
