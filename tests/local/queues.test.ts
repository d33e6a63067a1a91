import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LocalMessageHandler } from "../../lib/local/mod.ts";
import { LiveTimers } from "../support/live_timers.ts";
import { MessagingHub } from "../support/messaging_hub.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The text of the next message of the device `d`. */
function receive(hub: MessagingHub): Promise<string> {
  return new Promise((resolve) => hub.device().onMessage(({ text }) => resolve(text)));
}

/** Whatever can go on without a timer has gone on. */
function idle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

describe("the queue of a device", () => {
  test("hands a message out once for each lock, and only the present holder settles it", () => {
    using hub = new MessagingHub();
    hub.send("m", { ack: "full" });
    const first = hub.lock();
    assert.equal(hub.queue.lockNext(hub.now), undefined);
    hub.tick(MINUTE);
    const second = hub.lock();
    for (const settle of ["complete", "abandon", "reject"] as const) {
      assert.equal(hub.queue[settle](first, hub.now), false, settle);
    }
    assert.equal(second.deliveryCount, 0);
    assert.equal(hub.queue.complete(second, hub.now), true);
    assert.equal(hub.queue.complete(second, hub.now), false);
  });

  test("gives competing receivers different messages, and returned ones where they were", () => {
    using hub = new MessagingHub();
    for (const id of ["1", "2", "3", "4"]) hub.send(id);
    const [one, two, three] = [hub.lock(), hub.lock(), hub.lock()];
    assert.deepEqual([one, two, three].map(({ sequenceNumber }) => sequenceNumber), [1, 2, 3]);
    hub.queue.abandon(three, hub.now);
    hub.queue.unlock(two);
    hub.queue.complete(one, hub.now);
    const order = [hub.lock(), hub.lock(), hub.lock()];
    assert.deepEqual(order.map(({ sequenceNumber }) => sequenceNumber), [2, 3, 4]);
    assert.deepEqual(order.map(({ deliveryCount }) => deliveryCount), [0, 1, 0]);
  });

  test("counts neither lost locks nor lost connections as deliveries", () => {
    using hub = new MessagingHub();
    hub.send("m");
    for (let i = 0; i < 12; i++) {
      hub.lock();
      hub.tick(MINUTE);
      hub.queue.unlock(hub.lock());
    }
    assert.equal(hub.lock().deliveryCount, 0);
  });

  test("lets a device settle a message that expired in its hands, and ends it when the lock does", async () => {
    using hub = new MessagingHub();
    const expiryTime = hub.now + 1000;
    for (const id of ["completed", "abandoned", "unlocked", "kept"]) hub.send(id, { ack: "full", expiryTime });
    const [completed, abandoned, unlocked] = [hub.lock(), hub.lock(), hub.lock(), hub.lock()];
    hub.tick(2000);
    assert.equal(hub.queue.count(hub.now), 4);
    assert.equal(hub.queue.complete(completed, hub.now), true);
    assert.equal(hub.queue.abandon(abandoned, hub.now), true);
    hub.queue.unlock(unlocked);
    assert.equal(hub.queue.lockNext(hub.now), undefined);
    assert.deepEqual(await hub.feedback(), [
      ["completed", "Success"],
      ["abandoned", "Expired"],
      ["unlocked", "Expired"],
    ]);
    hub.tick(MINUTE);
    assert.deepEqual(await hub.feedback(), [["kept", "Expired"]]);
  });

  test("is purged of locked messages as well, each with its one outcome, and not of those of modules", async () => {
    using hub = new MessagingHub();
    const module = hub.state.modules.create(hub.record(), "m", {});
    for (const [id, ack] of [["1", "full"], ["2", "negative"], ["3", "positive"]] as const) hub.send(id, { ack });
    hub.send("of the module", { ack: "full" }, { moduleId: "m" });
    const locked = hub.lock();
    assert.deepEqual(await hub.rest.do("DELETE", "/devices/d/commands"), {
      totalMessagesPurged: 3,
      deviceId: "d",
      moduleId: null,
    });
    assert.equal(hub.queue.complete(locked, hub.now), false);
    assert.deepEqual(await hub.feedback(), [["1", "Purged"], ["2", "Purged"]]);
    assert.equal(hub.state.queues.count(module), 1);
  });

  test("is another one than that of its module, each with room for 50", () => {
    using hub = new MessagingHub();
    hub.state.modules.create(hub.record(), "m", {});
    for (const to of [{}, { moduleId: "m" }]) {
      for (let i = 0; i < 50; i++) hub.send(String(i), {}, to);
      assert.throws(() => hub.send("51", {}, to), { code: "DeviceMaximumQueueDepthExceeded" });
    }
    hub.tick(HOUR);
    hub.send("51");
  });

  test("of a disabled device takes nothing, keeps what it has, and lets that expire", async () => {
    using hub = new MessagingHub();
    hub.send("m", { ack: "full" });
    await hub.rest.do("PUT", "/devices/d", { deviceId: "d", status: "disabled" }, { "if-match": "*" });
    assert.throws(() => hub.send("n"), { code: "DeviceNotFound" });
    assert.equal(hub.queue.count(hub.now), 1);
    hub.tick(HOUR);
    assert.deepEqual(await hub.feedback(), [["m", "Expired"]]);
  });

  test("wakes a device when another's lock has ended, with nobody looking", async () => {
    // Only this timer keeps the process alive: the hub's own does not.
    const alive = setTimeout(() => {}, MINUTE);
    using timers = new LiveTimers((delay) => delay > MINUTE - 1000 && delay <= MINUTE);
    using hub = new MessagingHub();
    hub.send("m");
    hub.lock();
    const received = receive(hub);
    await idle();
    hub.tick(MINUTE);
    assert.equal(await received, "m");
    clearTimeout(alive);
    hub.state.close();
    assert.equal(timers.count, 0);
  });

  const LOOKS: [what: string, look: (hub: MessagingHub) => unknown][] = [
    ["a request", (hub) => hub.rest.do("GET", "/statistics/service")],
    ["a message to another device", (hub) => hub.send("n", {}, { deviceId: "other" })],
    ["a back end's look for feedback", (hub) => hub.state.feedback.lockNext(hub.now)],
  ];
  for (const [what, look] of LOOKS) {
    test(`wakes a device at ${what} when a clock of the user's own has leapt over the end of a lock`, async () => {
      using hub = new MessagingHub();
      hub.state.devices.create("other", {});
      hub.send("m");
      hub.lock();
      const received = receive(hub);
      await idle();
      hub.tick(MINUTE);
      await look(hub);
      assert.equal(await received, "m");
    });
  }

  test("wakes a device when another gives a message back", async () => {
    using hub = new MessagingHub();
    hub.send("m");
    const held = hub.lock();
    const received = receive(hub);
    await idle();
    hub.queue.unlock(held);
    assert.equal(await received, "m");
  });
});

describe("a device in process", () => {
  const SETTLEMENTS: [what: string, handler: LocalMessageHandler, expected: [string, string], runs: number][] = [
    ["completes a message by a return", () => undefined, ["m", "Success"], 1],
    ["completes a message by the return of anything else", () => Promise.resolve("rejected"), ["m", "Success"], 1],
    ["rejects a message by the return of reject", () => Promise.resolve("reject"), ["m", "Rejected"], 1],
    ["abandons a message by the return of abandon", () => "abandon", ["m", "DeliveryCountExceeded"], 10],
    ["abandons a message by an error", () => Promise.reject(new Error("no")), ["m", "DeliveryCountExceeded"], 10],
  ];
  for (const [what, handler, expected, expectedRuns] of SETTLEMENTS) {
    test(what, async () => {
      using hub = new MessagingHub();
      const counts: number[] = [];
      const announced = new Promise<void>((resolve) => hub.state.feedback.onMessage(resolve));
      hub.device().onMessage((message) => {
        counts.push(message.deliveryCount);
        return handler(message);
      });
      hub.send("m", { ack: "full" });
      await announced;
      assert.deepEqual(await hub.feedback(), [expected]);
      assert.deepEqual(counts, Array.from({ length: expectedRuns }, (_, i) => i));
    });
  }

  test("does not settle what was deleted or purged meanwhile", async () => {
    using hub = new MessagingHub();
    let finish = () => {};
    const started = new Promise<void>((resolve) => {
      hub.device().onMessage(() => {
        resolve();
        return new Promise<void>((done) => finish = done);
      });
    });
    hub.send("m", { ack: "full" });
    await started;
    await hub.rest.do("DELETE", "/devices/d/commands");
    finish();
    assert.deepEqual(await hub.feedback(), [["m", "Purged"]]);
  });
});
