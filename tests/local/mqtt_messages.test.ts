import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IPublishPacket } from "mqtt-packet";
import { ListeningHub, sendTo } from "../support/listening_hub.ts";
import type { MqttClient } from "../support/mqtt_client.ts";
import { MqttHub } from "../support/mqtt_hub.ts";

const MESSAGES = "devices/d1/messages/devicebound/#";

async function hubWithDevice(): Promise<MqttHub> {
  const hub = await MqttHub.start();
  await hub.rest.createDevices("d1");
  return hub;
}

async function countOf(hub: MqttHub): Promise<number> {
  return (await hub.registry.getDevice("d1")).cloudToDeviceMessageCount!;
}

async function nextMessage(client: MqttClient): Promise<IPublishPacket> {
  return await client.next("publish");
}

function bagOf({ topic }: IPublishPacket): [name: string, value: string][] {
  return topic.slice(topic.lastIndexOf("/") + 1).split("&").map((pair) => {
    const [name = "", value = ""] = pair.split("=").map(decodeURIComponent);
    return [name, value];
  });
}

describe("Messages to devices over MQTT at the local hub", () => {
  test("come with their properties, those of the system first, and end with the acknowledgement", async () => {
    await using hub = await hubWithDevice();
    const client = await hub.connect("d1");
    assert.deepEqual(await client.subscribe(MESSAGES), [1]);
    const expiryTimeUtc = new Date(Math.floor(Date.now() / 1000) * 1000 + 60_000);
    await hub.registry.sendC2dMessage("d1", "hello", {
      messageId: "m-1",
      correlationId: "c",
      contentType: "text/plain",
      contentEncoding: "utf-8",
      userId: "u",
      expiryTimeUtc,
      ack: "full",
      "a b": "/&= %",
      count: 7,
      empty: "",
    });
    const message = await nextMessage(client);
    assert.equal(message.payload.toString(), "hello");
    assert.ok(message.topic.startsWith("devices/d1/messages/devicebound/%24.mid=m-1&"), message.topic);
    assert.deepEqual(bagOf(message), [
      ["$.mid", "m-1"],
      ["$.cid", "c"],
      ["$.uid", "u"],
      ["$.to", "/devices/d1/messages/devicebound"],
      ["$.exp", expiryTimeUtc.toISOString()],
      ["$.ct", "text/plain"],
      ["$.ce", "utf-8"],
      ["iothub-ack", "full"],
      ["a b", "/&= %"],
      ["count", "7"],
      ["empty", ""],
    ]);
    assert.deepEqual([message.qos, message.dup, message.retain], [1, false, false]);
    assert.equal(await countOf(hub), 1);
    client.send("puback", { messageId: message.messageId });
    for await (const { originalMessageId, statusCode } of hub.registry.receiveFeedback()) {
      assert.deepEqual([originalMessageId, statusCode], ["m-1", "Success"]);
      break;
    }
    assert.equal(await countOf(hub), 0);
  });

  test("always have a last segment", async () => {
    await using hub = await hubWithDevice();
    const client = await hub.connect("d1");
    await client.subscribe([MESSAGES, 0]);
    await hub.registry.sendC2dMessage("d1", "bare");
    const { topic, qos } = await nextMessage(client);
    assert.match(
      topic,
      /^devices\/d1\/messages\/devicebound\/(%24\.mid=[^&]+&)?%24\.to=%2Fdevices%2Fd1%2Fmessages%2Fdevicebound$/i,
    );
    assert.equal(qos, 0);
    assert.equal(await countOf(hub), 0);
  });

  test("go to the module that they are for, and not to its device", async () => {
    await using hub = await hubWithDevice();
    await hub.rest.do("PUT", "/devices/d1/modules/m1", { deviceId: "d1", moduleId: "m1" });
    const device = await hub.connect("d1");
    await device.subscribe(MESSAGES);
    const module = await hub.connect("d1/m1");
    assert.deepEqual(await module.subscribe("devices/d1/modules/m1/messages/devicebound/#"), [1]);
    const { amqp } = await hub.hub.listen({ amqp: 0 });
    await using service = new ListeningHub(hub.hub, Number(amqp!.split(":").at(-1)));
    await sendTo(service, "/devices/d1/modules/m1");
    const { topic, payload, messageId } = await nextMessage(module);
    assert.match(topic, /^devices\/d1\/modules\/m1\/messages\/devicebound\//);
    assert.equal(payload.toString(), "hello");
    module.send("puback", { messageId });
    await module.settled();
    await device.settled();
    assert.equal((await hub.registry.getModule("d1", "m1")).cloudToDeviceMessageCount, 0);
  });

  test("come again as what they were when the lock on them has run out", async () => {
    let now = Date.now();
    await using hub = await MqttHub.start({ now: () => now });
    await hub.rest.createDevices("d1");
    const client = await hub.connect("d1");
    await client.subscribe(MESSAGES);
    await hub.registry.sendC2dMessage("d1", "first");
    const first = await nextMessage(client);
    assert.equal(first.dup, false);
    now += 60_000;
    // Whatever makes the hub look at the queue does.
    await client.subscribe(MESSAGES);
    const again = await nextMessage(client);
    assert.deepEqual([again.payload.toString(), again.dup, again.messageId], ["first", true, first.messageId]);
    client.send("puback", { messageId: again.messageId });
    await client.settled();
    assert.equal(await countOf(hub), 0);
  });

  test("wait for who subscribes, in their order, a full queue of the largest ones at once", async () => {
    await using hub = await hubWithDevice();
    const client = await hub.connect("d1");
    for (let i = 0; i < 50; i++) await hub.registry.sendC2dMessage("d1", `${i}`.padEnd(60_000));
    client.send("subscribe", { messageId: 1, subscriptions: [{ topic: MESSAGES, qos: 1 }] });
    await client.next("suback");
    const ids = new Set<number>();
    for (let i = 0; i < 50; i++) {
      const { payload, messageId } = await nextMessage(client);
      assert.equal(payload.toString().trim(), `${i}`);
      ids.add(messageId!);
      client.send("puback", { messageId });
    }
    assert.equal(ids.size, 50);
    await client.settled();
    assert.equal(await countOf(hub), 0);
  });

  test("that cannot have a topic are rejected, and do not hold up others", async () => {
    await using hub = await hubWithDevice();
    const client = await hub.connect("d1");
    await client.subscribe(MESSAGES);
    await hub.registry.sendC2dMessage("d1", "", { long: "/".repeat(40_000) });
    await hub.registry.sendC2dMessage("d1", "after");
    assert.equal((await nextMessage(client)).payload.toString(), "after");
    assert.equal(await countOf(hub), 1);
  });

  test("that nobody has sent are not acknowledged", async () => {
    await using hub = await hubWithDevice();
    const client = await hub.connect("d1");
    client.send("puback", { messageId: 77 });
    await client.settled();
  });
});

describe("A persistent session over MQTT at the local hub", () => {
  test("keeps subscriptions, and what was not acknowledged comes again as what it was", async () => {
    await using hub = await hubWithDevice();
    const first = hub.client();
    const good = await hub.credentials("d1");
    assert.deepEqual(await first.connect({ ...good, clean: false }), [0, false]);
    await first.subscribe(MESSAGES);
    await hub.registry.sendC2dMessage("d1", "one");
    await hub.registry.sendC2dMessage("d1", "two");
    const [one, two] = [await nextMessage(first), await nextMessage(first)];
    first.send("puback", { messageId: one.messageId });
    await first.settled();
    first.send("disconnect");
    await first.closed;
    await hub.registry.sendC2dMessage("d1", "three");

    const second = hub.client();
    assert.deepEqual(await second.connect({ ...good, clean: false }), [0, true]);
    const [again, three] = [await nextMessage(second), await nextMessage(second)];
    assert.deepEqual([again.payload.toString(), again.dup, again.messageId], ["two", true, two.messageId]);
    assert.deepEqual([three.payload.toString(), three.dup], ["three", false]);
    assert.notEqual(three.messageId, two.messageId);
    second.send("puback", { messageId: again.messageId });
    second.send("puback", { messageId: three.messageId });
    await second.settled();
    assert.equal(await countOf(hub), 0);
  });

  test("survives a takeover within a moment, as when a token is renewed", async () => {
    await using hub = await hubWithDevice();
    const good = { ...await hub.credentials("d1"), clean: false };
    let client = hub.client();
    await client.connect(good);
    await client.subscribe(MESSAGES);
    for (let i = 0; i < 20; i++) {
      await hub.registry.sendC2dMessage("d1", `${i}`);
      const next = hub.client();
      assert.deepEqual(await next.connect(good), [0, true]);
      await client.closed;
      client = next;
    }
    const seen = new Set<string>();
    while (seen.size < 20) seen.add((await nextMessage(client)).payload.toString());
    assert.deepEqual([...seen].sort((a, b) => Number(a) - Number(b)), Array.from({ length: 20 }, (_, i) => `${i}`));
  });

  test("is not there after a clean one, nor for a new identity of the same name", async () => {
    await using hub = await hubWithDevice();
    const connect = async (clean: boolean): Promise<[number, boolean]> => {
      using client = hub.client();
      const answer = await client.connect({ ...await hub.credentials("d1"), clean });
      await client.subscribe(MESSAGES);
      return answer;
    };
    assert.deepEqual(await connect(true), [0, false]);
    assert.deepEqual(await connect(false), [0, false]);
    assert.deepEqual(await connect(false), [0, true]);
    assert.deepEqual(await connect(true), [0, false]);
    assert.deepEqual(await connect(false), [0, false]);
    await hub.registry.deleteDevice("d1");
    await hub.rest.createDevices("d1");
    assert.deepEqual(await connect(false), [0, false]);
    const clean = await hub.connect("d1");
    await hub.registry.sendC2dMessage("d1", "nobody has subscribed");
    await clean.settled();
    assert.equal(await countOf(hub), 1);
  });
});
