import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubState } from "../../lib/local/hub_state.ts";
import { MqttFaultState } from "../../lib/local/mqtt/fault_state.ts";
import { hubMqttBackend } from "../../lib/local/mqtt/hub_backend.ts";
import { startMqttListener } from "../../lib/local/sockets/mqtt_listener.ts";
import { MqttClient } from "../support/mqtt_client.ts";
import { MqttHub } from "../support/mqtt_hub.ts";
import { signSas } from "../support/sas.ts";

async function hubWith(...deviceIds: string[]): Promise<MqttHub> {
  const hub = await MqttHub.start();
  await hub.rest.createDevices(...deviceIds);
  return hub;
}

describe("Connecting to the local hub by MQTT", () => {
  test("works for a device with its own key, and counts as connected until it goes", async () => {
    await using hub = await hubWith("d1");
    const client = await hub.connect("d1");
    const state = async (): Promise<string> => (await hub.rest.do("GET", "/devices/d1")).connectionState;
    assert.equal(await state(), "Connected");
    client.send("disconnect");
    await client.closed;
    assert.equal(await state(), "Disconnected");
  });

  test("works with the token of a policy, and for a module", async () => {
    await using hub = await hubWith("d1");
    await hub.rest.do("PUT", "/devices/d1/modules/m1", { deviceId: "d1", moduleId: "m1" });
    await hub.connect("d1/m1");
    const token = signSas({ connectionString: hub.hub.connectionStringFor("device") });
    await hub.connect("d1", { password: Buffer.from(token) });
    assert.equal((await hub.rest.do("GET", "/devices/d1/modules/m1")).connectionState, "Connected");
  });

  test("reads the user name as the SDKs write it", async () => {
    await using hub = await hubWith("d1", "a:b.c@d=e?f");
    const model = "dtmi:com:example:Thermostat;1";
    for (
      const query of [
        "api-version=2021-04-12",
        `api-version=2021-04-12&model-id=${model}&DeviceClientType=azure-iot-device%2F1.18.4%20(node)`,
        `API-Version=2020-09-30&DeviceClientType=py&MODEL-ID=${encodeURIComponent(model)}`,
        "DeviceClientType=%&api-version=2019-07-01-preview",
      ]
    ) {
      assert.deepEqual(await hub.client().connect(await hub.credentials("d1", query)), [0, false], query);
    }
    assert.equal((await hub.registry.getTwin("d1")).modelId, model);
    await hub.connect("a:b.c@d=e?f");
  });

  test("is refused with the code that fits", async () => {
    await using hub = await hubWith("d1", "d2");
    const good = await hub.credentials("d1");
    const host = hub.hub.hostName;
    const service = Buffer.from(signSas({ connectionString: hub.hub.connectionStringFor("service") }));
    const expired = Buffer.from(signSas({ connectionString: hub.hub.connectionString, se: 1 }));
    const { token } = await hub.hub.tokenCredential().getToken("https://iothubs.azure.net/.default");
    const will = { topic: "devices/d2/messages/events/", payload: Buffer.from("x") };
    const wrong: [code: number, fields: Parameters<MqttHub["refusal"]>[0]][] = [
      [2, { ...good, clientId: "d1/m1/more" }],
      [2, { ...good, clientId: "/" }],
      [2, { ...good, clientId: "x".repeat(129) }],
      [4, { clientId: "d1" }],
      [4, { ...good, username: `${host}/d1` }],
      [4, { ...good, username: `${host}/d1/?DeviceClientType=x` }],
      [4, { ...good, username: `${host}/d1/?api-version=latest` }],
      [4, { ...good, username: `${host}/d2/?api-version=2021-04-12` }],
      [4, { ...good, username: `other.example/d1/?api-version=2021-04-12` }],
      [4, { ...good, username: `${host}/d1/?api-version=2021-04-12&model-id=nonsense` }],
      [5, { clientId: "d1", username: good.username! }],
      [5, { ...good, password: Buffer.from("") }],
      [5, { ...good, password: Buffer.from("secret") }],
      [5, { ...good, password: (await hub.credentials("d2")).password! }],
      [5, { ...good, password: service }],
      [5, { ...good, password: expired }],
      [5, { ...good, password: Buffer.from(`Bearer ${token}`) }],
      [5, { clientId: "d3", username: `${host}/d3/?api-version=2021-04-12`, password: good.password! }],
      [5, { ...good, will }],
      [5, { ...good, will: { ...will, topic: "devices/d1/messages/events/", qos: 2 } }],
    ];
    for (const [code, fields] of wrong) assert.equal(await hub.refusal(fields), code, JSON.stringify(fields));
    assert.equal(await hub.refusal({ ...good, protocolVersion: 5 }), 1);
    assert.equal(await hub.refusal({ ...good, protocolId: "MQIsdp", protocolVersion: 3 }), 1);
    await hub.connect("d1");
  });

  test("is refused to who is disabled, whoever has signed the token", async () => {
    await using hub = await hubWith("d1");
    const good = await hub.credentials("d1");
    await hub.registry.updateDeviceWithSas("d1", {
      status: "disabled",
      primaryKey: btoa("1".repeat(32)),
      secondaryKey: btoa("2".repeat(32)),
    });
    assert.equal(await hub.refusal(good), 5);
    const policy = Buffer.from(signSas({ connectionString: hub.hub.connectionString }));
    assert.equal(await hub.refusal({ ...good, password: policy }), 5);
  });

  test("takes the place of an earlier connection, and leaves those of others alone", async () => {
    await using hub = await hubWith("d1", "d2");
    const other = await hub.connect("d2");
    const first = await hub.connect("d1");
    const second = await hub.connect("d1");
    await first.closed;
    await second.settled();
    await other.settled();
    assert.equal((await hub.rest.do("GET", "/devices/d1")).connectionState, "Connected");
  });

  test("ends at once when the identity is disabled, deleted, or has other keys", async () => {
    await using hub = await hubWith("disabled", "deleted", "rekeyed", "other");
    const other = await hub.connect("other");
    const [disabled, deleted, rekeyed] = [
      await hub.connect("disabled"),
      await hub.connect("deleted"),
      await hub.connect("rekeyed"),
    ];
    await hub.registry.modifyDevice("disabled", () => ({ status: "disabled" }));
    await disabled.closed;
    await hub.registry.deleteDevice("deleted");
    await deleted.closed;
    await hub.registry.renewDeviceKeys("rekeyed", { keys: "secondary" });
    await rekeyed.settled();
    await hub.registry.renewDeviceKeys("rekeyed", { keys: "primary" });
    await rekeyed.closed;
    await other.settled();
  });

  test("ends when its token expires", async () => {
    await using hub = await hubWith("d1");
    const { primaryKey } = (await hub.rest.do("GET", "/devices/d1")).authentication.symmetricKey;
    const sr = encodeURIComponent(`${hub.hub.hostName}/devices/d1`);
    const se = Math.floor(Date.now() / 1000) + 2;
    const token = signSas({ connectionString: hub.hub.connectionString, sr, key: primaryKey, se })
      .replace(/&skn=.*$/, "");
    const client = await hub.connect("d1", { password: Buffer.from(token), keepalive: 0 });
    await client.closed;
    assert.ok(Date.now() >= se * 1000);
  });

  test("ends when the client is silent for longer than it has said, and not while it says anything", async () => {
    await using hub = await hubWith("d1");
    const client = await hub.connect("d1", { keepalive: 1 });
    const started = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await client.settled();
    await client.closed;
    const lasted = performance.now() - started;
    assert.ok(lasted > 2400 && lasted < 5000, `${lasted} ms`);
  });

  test("has to happen in time", async () => {
    const state = new HubState({ hostName: "hub.example", now: Date.now, clockSkew: 0 });
    const backend = { ...hubMqttBackend(state, new MqttFaultState()), connectLimitInMs: 50 };
    const listener = await startMqttListener(backend, { hostname: "127.0.0.1", port: 0 });
    using silent = new MqttClient(listener.port);
    using slow = new MqttClient(listener.port);
    slow.writeBytes(Uint8Array.of(0x10, 0x80));
    await Promise.all([silent.closed, slow.closed]);
    await listener.close();
    state.close();
  });

  test("may be followed by more at once, before the answer", async () => {
    await using hub = await hubWith("d1");
    const client = hub.client();
    client.send("connect", { protocolId: "MQTT", protocolVersion: 4, ...await hub.credentials("d1") });
    const subscriptions = [{ topic: "$iothub/twin/res/#", qos: 0 }];
    client.send("subscribe", { messageId: 1, subscriptions });
    client.tell("$iothub/twin/GET/?$rid=1");
    await client.next("connack");
    await client.next("suback");
    assert.equal((await client.message())[0], "$iothub/twin/res/200/?$rid=1");
  });
});
