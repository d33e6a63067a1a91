import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MqttHub } from "../support/mqtt_hub.ts";

async function hubWithDevice(): Promise<MqttHub> {
  const hub = await MqttHub.start();
  await hub.rest.createDevices("d1");
  return hub;
}

describe("The faults of the local hub over MQTT", () => {
  test("drop connections, and let devices connect again", async () => {
    await using hub = await hubWithDevice();
    const client = await hub.connect("d1");
    hub.hub.faults.mqtt.drop();
    await client.closed;
    await (await hub.connect("d1")).settled();
  });

  test("refuse as many connections as they are told, with the code that they are told", async () => {
    await using hub = await hubWithDevice();
    const good = await hub.credentials("d1");
    hub.hub.faults.mqtt.refuseConnections();
    hub.hub.faults.mqtt.refuseConnections(5, 2);
    assert.deepEqual([await hub.refusal(good), await hub.refusal(good), await hub.refusal(good)], [3, 5, 5]);
    await hub.connect("d1");
  });

  test("withhold acknowledgements of messages that are processed", async () => {
    await using hub = await hubWithDevice();
    const client = await hub.connect("d1");
    hub.hub.faults.mqtt.withholdAcknowledgements(2);
    for (const messageId of [1, 2, 3]) client.tell("devices/d1/messages/events/", "x", { qos: 1, messageId });
    assert.equal((await client.next("puback")).messageId, 3);
    await client.settled();
  });

  test("hold back all that is sent, until they are told to go on", async () => {
    await using hub = await hubWithDevice();
    const { faults } = hub.hub;
    const client = await hub.connect("d1");
    faults.mqtt.stall();
    client.send("pingreq");
    const late = hub.client();
    late.send("connect", { protocolId: "MQTT", protocolVersion: 4, ...await hub.credentials("d1") });
    // The later connection has been opened, since it has taken the place of the other.
    await client.closed;
    assert.deepEqual([client.waiting, late.waiting], [0, 0]);
    faults.mqtt.resume();
    await late.next("connack");
    await late.settled();
  });

  test("are told what they cannot do", async () => {
    await using hub = await hubWithDevice();
    const { mqtt } = hub.hub.faults;
    assert.throws(() => mqtt.refuseConnections(6), RangeError);
    assert.throws(() => mqtt.refuseConnections(0), RangeError);
    assert.throws(() => mqtt.refuseConnections(3, -1), RangeError);
    assert.throws(() => mqtt.refuseConnections("3" as never), TypeError);
    assert.throws(() => mqtt.withholdAcknowledgements(1.5), RangeError);
  });

  test("restart the hub with its ports, and with what it knows", async () => {
    await using hub = await hubWithDevice();
    const good = { ...await hub.credentials("d1"), clean: false };
    const client = hub.client();
    await client.connect(good);
    await client.subscribe("$iothub/twin/res/#");
    await hub.hub.faults.restart();
    await client.closed;
    const again = hub.client();
    assert.deepEqual(await again.connect(good), [0, true]);
  });
});
