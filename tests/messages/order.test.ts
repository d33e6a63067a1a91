import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Delivery } from "rhea";
import { AmqpClient } from "../support/amqp_client.ts";
import { EventLog } from "../support/event_log.ts";
import { grant, REASON, rejectionOf, retries, textOf } from "../support/hub_scripts.ts";
import { MockedTime, turns } from "../support/mocked_time.ts";
import { choose, seededRandom } from "../support/random.ts";
import { drop, startScriptedHub, writeOutcomes } from "../support/scripted_hub.ts";
import { sized } from "../support/test_size.ts";

describe("The order of a device's messages", () => {
  test("is kept by those that wait behind one that was given back, while other devices' messages pass", async () => {
    const log = new EventLog();
    const open: Delivery[] = [];
    await using hub = await startScriptedHub({
      onAttach: (link) => grant(link, 3),
      onMessage(arrival) {
        const { delivery, link } = arrival;
        log.add(textOf(arrival));
        const count = open.push(delivery);
        // The first is given back while two more are on their way.
        if (count === 3) open[0]!.release();
        // It has to wait for the second.
        if (count === 4) open[1]!.accept();
        writeOutcomes(link);
        if (count >= 3) delivery.accept();
      },
    });
    await using client = new AmqpClient(hub.endpoint, retries(4));
    const sends = ["1", "2", "3", "4", "5"].map((text) => client.send(text));
    sends.push(client.sendTo("d2", "passing"));
    await sends[2];
    hub.links[0]!.add_credit(10);
    await Promise.all(sends);
    assert.deepEqual(log.events, ["1", "2", "3", "passing", "1", "4", "5"]);
  });

  test("has a message that was given back wait for the verdict on those that were on their way", async () => {
    const log = new EventLog();
    let second: Delivery;
    await using hub = await startScriptedHub({
      onMessage(arrival) {
        log.add(textOf(arrival));
        if (log.events.length === 1) arrival.delivery.release();
        else if (textOf(arrival) === "2") second = arrival.delivery;
        else arrival.delivery.accept();
      },
    });
    await using client = new AmqpClient(hub.endpoint, retries(4));
    const sends = [client.send("1"), client.send("2")];
    await log.until("2");
    for (let count = 0; count < 10; count++) await client.sendTo("d2", "other");
    sends.push(client.send("3"));
    await client.sendTo("d2", "last");
    assert.equal(log.count("1"), 1);
    second!.accept();
    await Promise.all(sends);
    assert.deepEqual(log.events.filter((text) => /\d/.test(text)), ["1", "2", "1", "3"]);
  });

  test("is that of the calls again after a message was given up", async () => {
    using time = new MockedTime();
    const log = new EventLog();
    await using hub = await startScriptedHub({
      onMessage(arrival) {
        log.add(textOf(arrival));
        if (textOf(arrival) === "bad") arrival.delivery.release();
        else arrival.delivery.accept();
      },
    });
    const retryOptions = { maxRetries: 1, retryDelayInMs: 5_000, maxRetryDelayInMs: 5_000 };
    await using client = new AmqpClient(hub.endpoint, { retryOptions });
    const bad = rejectionOf(client.send("bad"));
    await client.sendTo("d2", "other");
    const sends = ["1", "2", "3"].map((text) => client.send(text));
    await time.settle(Promise.all([bad, ...sends]), 1_000);
    assert.deepEqual(log.events.filter((text) => text !== "other"), ["bad", "bad", "1", "2", "3"]);
  });

  for (let seed = 1; seed <= sized(3, 400); seed++) {
    test(`is kept by first arrivals whatever the hub does, and nothing is lost (seed ${seed})`, async () => {
      const random = seededRandom(seed);
      const firsts = new Map<string, number[]>();
      const accepted = new Set<string>();
      let quiet = 0;
      await using hub = await startScriptedHub({
        onAttach: (link) => grant(link, 7),
        onMessage({ message, delivery, link, connection }) {
          // What comes on a link that this hub has closed is lost.
          if (!link.is_open()) return;
          link.add_credit(1);
          const id = String(message.message_id);
          const [device, number] = id.split(".") as [string, string];
          const numbers = firsts.get(device) ?? [];
          firsts.set(device, numbers);
          if (!numbers.includes(Number(number))) numbers.push(Number(number));
          // Faults come seldom enough for each message to get through.
          const fault = quiet++ < 3 ? undefined : choose(random, [
            ...new Array<undefined>(12).fill(undefined),
            () => delivery.release(),
            () => delivery.reject({ condition: "amqp:internal-error" }),
            () => link.close(REASON),
            () => link.session.close(),
            () => drop(connection),
          ]);
          if (fault === undefined) {
            accepted.add(id);
            return delivery.accept();
          }
          quiet = 0;
          fault();
        },
      });
      await using client = new AmqpClient(hub.endpoint, retries(100));
      const devices = ["a", "b", "c", "d", "e"];
      const sends: Promise<void>[] = [];
      const ids: string[] = [];
      for (let number = 0; number < 30; number++) {
        for (const device of devices) {
          ids.push(`${device}.${number}`);
          sends.push(client.sendTo(device, "text", { messageId: `${device}.${number}` }));
        }
        // Some are sent while others are on their way.
        if (number % 8 === 7) await sends[Math.floor(random() * sends.length)];
      }
      await Promise.all(sends);
      const inOrder = Array.from({ length: 30 }, (_, number) => number);
      for (const device of devices) assert.deepEqual(firsts.get(device), inOrder, `device ${device}`);
      assert.deepEqual([...accepted].sort(), ids.sort());
      assert.ok(hub.links.length > 1, "no link was lost");
    });
  }
});

describe("What the hub says late", () => {
  test("on a connection that was given up is not taken for the verdict on another message", async () => {
    using time = new MockedTime();
    const log = new EventLog();
    const deliveries: Delivery[] = [];
    await using hub = await startScriptedHub({
      onMessage({ delivery, connection }) {
        deliveries.push(delivery);
        // It reads no more, and so does not hear the goodbye; but it can still write.
        if (deliveries.length === 1) connection["socket"].pause();
        log.add("arrived");
      },
    });
    await using client = new AmqpClient(hub.endpoint, { ...retries(4), attemptTimeoutInMs: 5_000 });
    let isSettled = false;
    const sent = client.send("text").finally(() => isSettled = true);
    await log.until("arrived");
    time.pass(5_000);
    await time.passUntil(() => log.count("arrived") === 2);
    deliveries[0]!.reject({ condition: "amqp:not-found" });
    await turns(10);
    assert.equal(isSettled, false);
    deliveries[1]!.accept();
    await sent;
    hub.connections[0]!["socket"].resume();
  });

  test("or never on one message does not stop the others, though the library keeps but 2048", async () => {
    let held: Delivery | undefined;
    const log = new EventLog();
    await using hub = await startScriptedHub({
      onMessage({ delivery }) {
        if (held === undefined) held = delivery;
        else delivery.accept();
      },
    });
    await using client = new AmqpClient(hub.endpoint, retries(0));
    const sends = Array.from({ length: 3_000 }, (_, i) => client.send(`${i}`));
    for (const send of sends.slice(1)) send.then(() => log.add("accepted"), () => log.add("failed"));
    await log.until("accepted", 2_000);
    assert.equal(log.count("failed"), 0);
    held!.accept();
    await Promise.all(sends);
    assert.equal(hub.connections.length, 1);
  });
});
