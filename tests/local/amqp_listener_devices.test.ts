import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BareReceiver, ListeningHub, sendTo, textOf } from "../support/listening_hub.ts";
import { once } from "../support/local_amqp.ts";
import { MockedTime } from "../support/mocked_time.ts";

const ADDRESS = "/devices/d1/messages/devicebound";

async function startHub(options = {}): Promise<ListeningHub> {
  const hub = await ListeningHub.start(options);
  await hub.rest.createDevices("d1", "d2", "a#b");
  await hub.rest.do("PUT", "/devices/d1/modules/m1", { deviceId: "d1", moduleId: "m1" });
  return hub;
}

async function connectionStateOf(hub: ListeningHub, path = "/devices/d1"): Promise<string> {
  return (await hub.rest.do("GET", path)).connectionState;
}

describe("A device's link at the local hub", () => {
  test("gets a message whole, with what the hub knows about it", async () => {
    await using hub = await startHub();
    const started = Date.now();
    const expiry = started + 60_000;
    await sendTo(hub, "/devices/d1", {
      message_id: "m-1",
      correlation_id: "c-1",
      user_id: new TextEncoder().encode("me"),
      content_type: "text/plain",
      content_encoding: "utf-8",
      absolute_expiry_time: expiry,
      application_properties: { "iothub-ack": "full", text: "ü", number: 7, yes: true },
    });
    const received = await new BareReceiver(await hub.connectDevice("/devices/d1"), ADDRESS).next();
    const { message, delivery } = received;
    assert.equal(textOf(received), "hello");
    assert.equal(message.to, ADDRESS);
    assert.equal(message.message_id, "m-1");
    assert.equal(message.correlation_id, "c-1");
    assert.equal(new TextDecoder().decode(message.user_id as unknown as Uint8Array), "me");
    assert.equal(message.content_type, "text/plain");
    assert.equal(message.content_encoding, "utf-8");
    assert.equal(Number(message.absolute_expiry_time), expiry);
    assert.deepEqual({ ...message.application_properties }, { "iothub-ack": "full", text: "ü", number: 7, yes: true });
    const annotations = message.message_annotations!;
    assert.equal(annotations["x-opt-sequence-number"], 1);
    assert.equal(annotations["iothub-deliverycount"], 0);
    assert.ok(Number(annotations["iothub-enqueuedtime"]) >= started);
    assert.equal(delivery.tag.byteLength, 16);
    assert.deepEqual([...annotations["x-opt-lock-token"]], [...delivery.tag]);
  });

  test("decides by its outcome what becomes of a message, and back ends get to know", async () => {
    await using hub = await startHub();
    const feedback = new BareReceiver(await hub.connectAs("service"), "/messages/servicebound/feedback");
    const receiver = new BareReceiver(await hub.connectDevice("/devices/d1"), ADDRESS);
    const properties = { "iothub-ack": "full" };
    for (const message_id of ["completed", "rejected", "abandoned"]) {
      await sendTo(hub, "/devices/d1", { message_id, application_properties: properties });
    }
    const [completed, rejected, abandoned] = [await receiver.next(), await receiver.next(), await receiver.next()];
    receiver.settle(completed, "accept");
    receiver.settle(rejected, "reject");
    receiver.settle(abandoned, "release");
    for (let count = 1; count < 10; count++) {
      const { message, delivery } = await receiver.next();
      assert.equal(message.message_annotations!["iothub-deliverycount"], count);
      if (count % 2 === 0) delivery.release();
      else delivery.modified({ delivery_failed: true, undeliverable_here: false });
    }
    const codes: Record<string, string> = {};
    while (Object.keys(codes).length < 3) {
      const batch = await feedback.next();
      for (const { originalMessageId, statusCode } of JSON.parse(textOf(batch))) codes[originalMessageId] = statusCode;
    }
    assert.deepEqual(codes, { completed: "Success", rejected: "Rejected", abandoned: "DeliveryCountExceeded" });
    assert.equal((await hub.rest.do("GET", "/devices/d1")).cloudToDeviceMessageCount, 0);
  });

  test("leaves what it has not settled to the next one, without counting", async () => {
    await using hub = await startHub();
    await sendTo(hub, "/devices/d1");
    for (let i = 0; i < 12; i++) {
      const device = await hub.connectDevice("/devices/d1");
      const receiver = new BareReceiver(device, ADDRESS);
      assert.equal((await receiver.next()).message.message_annotations!["iothub-deliverycount"], 0);
      if (i % 2 === 0) await receiver.close();
      else await device[Symbol.asyncDispose]();
    }
  });

  test("may be a module's, or that of a device whose id needs percent-encoding", async () => {
    await using hub = await startHub();
    await sendTo(hub, "/devices/d1/modules/m1");
    const module = await hub.connectDevice("/devices/d1/modules/m1");
    await new BareReceiver(module, "/devices/d1/modules/m1/messages/deviceBound").next();
    assert.equal(await connectionStateOf(hub, "/devices/d1/modules/m1"), "Connected");
    assert.equal(await connectionStateOf(hub), "Disconnected");
    await sendTo(hub, "/devices/a%23b");
    const device = await hub.connectDevice("/devices/a%23b");
    await new BareReceiver(device, "/devices/a%23b/messages/deviceBound").next();
  });
});

describe("A device's token at the local hub", () => {
  test("is good for its own device alone", async () => {
    await using hub = await startHub();
    const device = await hub.connectDevice("/devices/d1");
    for (const address of ["/devices/d2/messages/devicebound", "/messages/servicebound/feedback"]) {
      assert.equal((await new BareReceiver(device, address).ended).condition, "amqp:unauthorized-access");
    }
    const { sender } = await once(device.connection.open_sender("/messages/devicebound"), "sender_error");
    assert.equal((sender!.error as { condition: string }).condition, "amqp:unauthorized-access");
  });

  test("stands beside those of other devices on one connection", async () => {
    await using hub = await startHub();
    const client = await hub.connectDevice("/devices/d1");
    await client.putToken({ body: await hub.deviceToken("/devices/d2") });
    for (const id of ["d1", "d2"]) {
      await sendTo(hub, `/devices/${id}`);
      await new BareReceiver(client, `/devices/${id}/messages/devicebound`).next();
    }
  });

  test("of the policy device is good for every device, and one without DeviceConnect for none", async () => {
    await using hub = await startHub();
    await sendTo(hub, "/devices/d1");
    await new BareReceiver(await hub.connectAs("device"), ADDRESS).next();
    assert.equal(
      (await new BareReceiver(await hub.connectAs("service"), ADDRESS).ended).condition,
      "amqp:unauthorized-access",
    );
    const narrow = await hub.connectAs("device", { sr: `${hub.hub.hostName}/devices/d2` });
    assert.equal((await new BareReceiver(narrow, ADDRESS).ended).condition, "amqp:unauthorized-access");
  });

  test("is refused with another's key, for nobody, and while the device is disabled", async () => {
    await using hub = await startHub();
    const token = await hub.deviceToken("/devices/d1");
    const foreign = (await hub.deviceToken("/devices/d2")).replace("d2", "d1");
    const client = hub.connect();
    for (const body of [foreign, token.replace("d1", "nobody"), token.replace("devices", "twins")]) {
      const [status, description] = await client.putToken({ body });
      assert.equal(status, 401);
      assert.match(description, /does not fit the keys/);
    }
    await hub.rest.do("PUT", "/devices/d1", { deviceId: "d1", status: "disabled" }, { "if-match": "*" });
    assert.equal((await client.putToken({ body: token }))[0], 401);
  });

  test("does not open the service API", async () => {
    await using hub = await startHub();
    const authorization = await hub.deviceToken("/devices/d1");
    await hub.rest.fails([401, "IotHubUnauthorized"], "GET", "/devices/d1", undefined, { authorization });
  });
});

describe("The connection of a device at the local hub", () => {
  test("lasts as long as its link", async () => {
    await using hub = await startHub();
    const device = await hub.connectDevice("/devices/d1");
    assert.equal(await connectionStateOf(hub), "Disconnected");
    const receiver = new BareReceiver(device, ADDRESS);
    await receiver.opened;
    assert.equal(await connectionStateOf(hub), "Connected");
    await receiver.close();
    assert.equal(await connectionStateOf(hub), "Disconnected");
  });

  test("is taken over by a second link, with the messages, and takes over from a device in process", async () => {
    await using hub = await startHub();
    const local = hub.hub.device("d1");
    local.connect();
    await sendTo(hub, "/devices/d1");
    const first = new BareReceiver(await hub.connectDevice("/devices/d1"), ADDRESS);
    await first.next();
    assert.equal(local.connected, false);
    const second = new BareReceiver(await hub.connectDevice("/devices/d1"), ADDRESS);
    assert.equal((await first.ended).condition, "amqp:link:stolen");
    assert.equal((await second.next()).message.message_annotations!["iothub-deliverycount"], 0);
    assert.equal(await connectionStateOf(hub), "Connected");
    const inProcess = new Promise((resolve) => local.onMessage((message) => resolve(message.text)));
    assert.equal((await second.ended).condition, "amqp:link:stolen");
    assert.equal(await inProcess, "hello");
  });

  for (
    const [what, end] of [
      ["disabled", ["PUT", "/devices/d1", { deviceId: "d1", status: "disabled" }]],
      ["deleted", ["DELETE", "/devices/d1", undefined]],
    ] as const
  ) {
    test(`ends when the device is ${what}`, async () => {
      await using hub = await startHub();
      const receiver = new BareReceiver(await hub.connectAs("device"), ADDRESS);
      await receiver.opened;
      await hub.rest.do(end[0], end[1], end[2], { "if-match": "*" });
      assert.equal((await receiver.ended).condition, "amqp:not-found");
      const again = new BareReceiver(await hub.connectAs("device"), ADDRESS);
      assert.equal((await again.ended).condition, "amqp:not-found");
    });
  }

  test("ends with its token", async () => {
    using time = new MockedTime();
    await using hub = await startHub();
    const se = Math.floor(Date.now() / 1000) + 60;
    const receiver = new BareReceiver(await hub.connectAs("device", { se }), ADDRESS);
    await receiver.opened;
    assert.equal((await time.settle(receiver.ended, 1_000)).condition, "amqp:unauthorized-access");
    assert.equal(await connectionStateOf(hub), "Disconnected");
  });
});
