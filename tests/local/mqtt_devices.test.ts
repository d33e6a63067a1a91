import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubState } from "../../lib/local/hub_state.ts";
import { MqttFaultState } from "../../lib/local/mqtt/fault_state.ts";
import { hubMqttBackend } from "../../lib/local/mqtt/hub_backend.ts";
import type { TelemetryEvent } from "../../lib/local/sessions/telemetry_sink.ts";
import { startMqttListener } from "../../lib/local/sockets/mqtt_listener.ts";
import { type Fields, MqttClient } from "../support/mqtt_client.ts";
import { MqttHub } from "../support/mqtt_hub.ts";
import { signSas } from "../support/sas.ts";

const TWIN = "$iothub/twin/res/#";
const DESIRED = "$iothub/twin/PATCH/properties/desired/#";
const METHODS = "$iothub/methods/POST/#";
const REPORTED = "$iothub/twin/PATCH/properties/reported/?$rid=";

async function hubWithDevice(): Promise<MqttHub> {
  const hub = await MqttHub.start();
  await hub.rest.createDevices("d1");
  await hub.rest.do("PUT", "/devices/d1/modules/m1", { deviceId: "d1", moduleId: "m1" });
  return hub;
}

/** A hub of which the telemetry can be seen, and clients of `d1` and its module at it. */
async function telemetryScene(): Promise<{
  events: TelemetryEvent[];
  client(clientId?: string, fields?: Fields): Promise<MqttClient>;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const state = new HubState({ hostName: "hub.example", now: Date.now, clockSkew: 0 });
  state.modules.create(state.devices.create("d1", {}), "m1", {});
  const listener = await startMqttListener(hubMqttBackend(state, new MqttFaultState()), {
    hostname: "127.0.0.1",
    port: 0,
  });
  const events: TelemetryEvent[] = [];
  state.telemetry.onEvent((event) => events.push(event));
  const { primaryKey } = state.policies.get("device")!;
  const token = signSas({
    connectionString: `HostName=hub.example;SharedAccessKeyName=device;SharedAccessKey=${primaryKey}`,
  });
  return {
    events,
    async client(clientId = "d1", fields = {}) {
      const client = new MqttClient(listener.port);
      const username = `hub.example/${clientId}/?api-version=2021-04-12&model-id=dtmi:com:example:Thermostat;1`;
      assert.deepEqual(await client.connect({ clientId, username, password: Buffer.from(token), ...fields }), [
        0,
        false,
      ]);
      return client;
    },
    async [Symbol.asyncDispose]() {
      await listener.close();
      state.close();
    },
  };
}

describe("Telemetry over MQTT at the local hub", () => {
  test("comes with its properties, with QoS 0 and 1, of devices and modules", async () => {
    await using scene = await telemetryScene();
    using device = await scene.client();
    using module = await scene.client("d1/m1");
    const bag = "%24.mid=m-1&%24.cid=c&%24.uid=u&%24.ct=application%2Fjson&%24.ce=utf-8&level=h%20i&empty=&none" +
      "&%24.on=out&%24.to=%2Fsomewhere&%24.sub=fan&%24.ifid=urn%3Aa&%24.ctime=2026-01-02T03%3A04%3A05Z";
    await device.publish(`devices/d1/messages/events/${bag}`, '{"t":21}');
    device.tell("devices/d1/messages/events/", "0", { retain: true });
    await device.publish("devices/d1/messages/events");
    await device.publish("devices/d1/messages/events/a=1/");
    await module.publish("devices/d1/modules/m1/messages/events/__proto__=x/", "from a module");
    const seen = scene.events.map(({ moduleId, message }) => [
      moduleId,
      new TextDecoder().decode(message.data),
      Object.entries(message.properties),
    ]);
    assert.deepEqual(seen, [
      [undefined, '{"t":21}', [["level", "h i"], ["empty", ""], ["none", ""], ["$.on", "out"]]],
      [undefined, "0", [["mqtt-retain", "true"]]],
      [undefined, "", []],
      [undefined, "", [["a", "1"]]],
      ["m1", "from a module", [["__proto__", "x"]]],
    ]);
    const { modelId, message } = scene.events[0]!;
    const { data: _data, properties: _properties, ...system } = message;
    assert.equal(modelId, "dtmi:com:example:Thermostat;1");
    assert.deepEqual(system, {
      to: "/somewhere",
      messageId: "m-1",
      correlationId: "c",
      userId: "u",
      contentType: "application/json",
      contentEncoding: "utf-8",
      subject: "fan",
      interfaceId: "urn:a",
      creationTime: Date.parse("2026-01-02T03:04:05Z"),
    });
  });

  test("may have the largest size, and ends the connection beyond it, and with what is no message", async () => {
    await using scene = await telemetryScene();
    using large = await scene.client();
    await large.publish("devices/d1/messages/events/", new Uint8Array(262_144));
    const wrong: [topic: string, payload?: Uint8Array][] = [
      ["devices/d1/messages/events/", new Uint8Array(262_145)],
      ["devices/d1/messages/events/a=%"],
      ["devices/d1/messages/events/%24.exp=tomorrow"],
      ["devices/d1/messages/events/%24.ctime=yesterday"],
      [`devices/d1/messages/events/%24.mid=${"x".repeat(129)}`],
      ["devices/d2/messages/events/"],
      ["devices/d1/modules/m1/messages/events/"],
      ["devices/d1/messages/devicebound/"],
      ["devices/d1"],
      ["nonsense"],
      ["$iothub/twin/GET/"],
      ["$iothub/twin/GET/?"],
      ["$iothub/methods/res/ok/?$rid=1"],
    ];
    for (const [topic, payload = new Uint8Array(1)] of wrong) {
      using client = await scene.client();
      client.tell(topic, payload, { qos: 1, messageId: 1 });
      assert.equal(await client.nextOrEnd(), undefined, topic);
    }
    assert.equal(scene.events.length, 1);
  });

  test("comes as a will when the connection breaks, and not when the client says that it goes", async () => {
    await using scene = await telemetryScene();
    const will = { topic: "devices/d1/messages/events/room=1", payload: Buffer.from("gone"), qos: 1, retain: false };
    const gone = async (end: (client: MqttClient) => unknown, fields: Fields = {}): Promise<void> => {
      using client = await scene.client("d1", { will, ...fields });
      await end(client);
      await client.closed;
    };
    await gone((client) => client.send("disconnect"));
    assert.equal(scene.events.length, 0);
    await gone((client) => client.writeBytes(Uint8Array.of(0xff)));
    await gone(async () => (await scene.client())[Symbol.dispose]());
    await gone(() => {}, { keepalive: 1 });
    const seen = scene.events.map(({ message }) => [new TextDecoder().decode(message.data), message.properties]);
    assert.deepEqual(seen, Array(3).fill(["gone", { room: "1", "iothub-MessageType": "Will" }]));
  });
});

describe("The twin over MQTT at the local hub", () => {
  test("is read without what is not the device's, and the answer repeats the id of the request", async () => {
    await using hub = await hubWithDevice();
    await hub.registry.updateTwin("d1", { tags: { a: 1 }, properties: { desired: { mode: "eco" } } });
    const client = await hub.connect("d1");
    assert.deepEqual(await client.subscribe([TWIN, 0]), [0]);
    for (const id of ["1", "%41b", "a-b_c", ""]) {
      const [topic, body] = await client.ask(`$iothub/twin/GET/?$rid=${id}`, " ");
      assert.equal(topic, `$iothub/twin/res/200/?$rid=${id}`);
      assert.deepEqual(JSON.parse(body), { desired: { mode: "eco", $version: 2 }, reported: { $version: 1 } });
    }
  });

  test("takes reports, and says what is wrong with them", async () => {
    await using hub = await hubWithDevice();
    const client = await hub.connect("d1");
    await client.subscribe(TWIN);
    const report = async (patch: string, rest = ""): Promise<[string, string]> =>
      await client.ask(`${REPORTED}7${rest}`, patch);
    assert.deepEqual(await report('{"fan":{"speed":3},"on":true}'), ["$iothub/twin/res/204/?$rid=7&$version=2", ""]);
    assert.deepEqual(await report('{"fan":null}', "&$version=2"), ["$iothub/twin/res/204/?$rid=7&$version=3", ""]);
    const wrong: [status: number, errorCode: number, patch: string, rest?: string][] = [
      [412, 412_001, "{}", "&$version=2"],
      [400, 400_004, "{}", "&$version=x"],
      [400, 400_004, "[]"],
      [400, 400_004, ""],
      [400, 400_004, "{"],
      [400, 400_004, `${"[".repeat(200)}`],
      [400, 400_004, JSON.stringify({ large: "x".repeat(40_000) })],
    ];
    for (const [status, errorCode, patch, rest] of wrong) {
      const [topic, body] = await report(patch, rest);
      assert.equal(topic, `$iothub/twin/res/${status}/?$rid=7`, patch.slice(0, 20));
      const { trackingId, message, timestampUtc, ...other } = JSON.parse(body);
      assert.deepEqual(other, { errorCode });
      assert.match(trackingId, /^[0-9a-f]{32}$/);
      assert.ok(message.length > 10 && Date.parse(timestampUtc) > 0);
    }
    const { $metadata: _metadata, ...reported } = (await hub.registry.getTwin("d1")).properties!.reported!;
    assert.deepEqual(reported, { on: true, $version: 3 });
  });

  test("tells of desired changes who has asked, as the service has sent them", async () => {
    await using hub = await hubWithDevice();
    const client = await hub.connect("d1");
    await hub.registry.updateTwin("d1", { properties: { desired: { before: 1 } } });
    await client.subscribe(DESIRED);
    await hub.registry.updateTwin("d1", { properties: { desired: { mode: "eco", before: null } } });
    const [topic, body] = await client.message();
    assert.equal(topic, "$iothub/twin/PATCH/properties/desired/?$version=3");
    assert.deepEqual(JSON.parse(body), { mode: "eco", before: null, $version: 3 });
    client.send("unsubscribe", { messageId: 9, unsubscriptions: [DESIRED] });
    assert.equal((await client.next("unsuback")).messageId, 9);
    await hub.registry.updateTwin("d1", { properties: { desired: { mode: "off" } } });
    await client.settled();
  });

  test("is the module's own for a module", async () => {
    await using hub = await hubWithDevice();
    const client = await hub.connect("d1/m1");
    await client.subscribe(TWIN, DESIRED);
    client.tell(`${REPORTED}1`, '{"a":1}');
    await hub.registry.updateModuleTwin("d1", "m1", { properties: { desired: { b: 2 } } });
    const topics = [await client.message(), await client.message()].map(([topic]) => topic);
    assert.ok(topics.includes("$iothub/twin/PATCH/properties/desired/?$version=2"), topics.join());
    assert.equal((await hub.registry.getModuleTwin("d1", "m1")).properties!.reported!["a"], 1);
  });
});

describe("Direct methods over MQTT at the local hub", () => {
  test("are answered by the device, each by its own id", async () => {
    await using hub = await hubWithDevice();
    const client = await hub.connect("d1");
    assert.deepEqual(await client.subscribe([METHODS, 0]), [0]);
    const call = (methodName: string, payload?: unknown): Promise<{ status: number; payload?: unknown }> =>
      hub.registry.invokeDeviceMethod("d1", { methodName, payload } as never) as never;
    const calls = [call("double it", 21), call("thermostat*reboot", { a: null })];
    const requests = [await client.message(), await client.message()];
    const byName = new Map(requests.map(([topic, body]) => {
      const [, name, id] = /^\$iothub\/methods\/POST\/([^/]+)\/\?\$rid=(\w+)$/.exec(topic)!;
      return [decodeURIComponent(name!), { id: id!, body }];
    }));
    assert.deepEqual([...byName.keys()].sort(), ["double it", "thermostat*reboot"]);
    assert.deepEqual(JSON.parse(byName.get("thermostat*reboot")!.body), { a: null });
    client.tell(`$iothub/methods/res/404/?$rid=${byName.get("thermostat*reboot")!.id}`);
    client.tell("$iothub/methods/res/200/?$rid=nobody", "1");
    await client.publish(`$iothub/methods/res/200/?$rid=${byName.get("double it")!.id}`, "42");
    assert.deepEqual(await Promise.all(calls), [{ status: 200, payload: 42 }, { status: 404, payload: null }]);
  });

  test("reach nobody who has not asked for them, and who goes without an answer", async () => {
    await using hub = await hubWithDevice();
    const client = await hub.connect("d1");
    const call = (connectTimeoutInSeconds = 0): Promise<unknown> =>
      hub.registry.invokeDeviceMethod("d1", { methodName: "m", connectTimeoutInSeconds });
    await assert.rejects(call(), { code: "DeviceNotOnline" });
    const late = call(20);
    await client.subscribe(METHODS);
    const [topic] = await client.message();
    client.tell(topic.replace(/POST.*\?/, "res/200/?"), "null");
    assert.deepEqual(await late, { status: 200, payload: null });
    const lost = call();
    await client.message();
    client[Symbol.dispose]();
    await assert.rejects(lost, { code: "DeviceNotOnline" });
  });

  test("end the connection of a device whose answer is not JSON", async () => {
    await using hub = await hubWithDevice();
    const client = await hub.connect("d1");
    await client.subscribe(METHODS);
    const called = assert.rejects(hub.registry.invokeDeviceMethod("d1", { methodName: "m" }), {
      code: "DeviceNotOnline",
    });
    const [topic] = await client.message();
    client.tell(topic.replace(/POST.*\?/, "res/200/?"), "fine");
    await client.closed;
    await called;
  });
});

describe("Subscriptions over MQTT at the local hub", () => {
  test("are granted at most with QoS 1, refused where there is nothing, and answered one by one", async () => {
    await using hub = await hubWithDevice();
    const device = await hub.connect("d1");
    assert.deepEqual(
      await device.subscribe(
        ["devices/d1/messages/devicebound/#", 2],
        [METHODS, 0],
        ["#", 1],
        ["devices/d2/messages/devicebound/#", 1],
        ["devices/d1/modules/m1/messages/devicebound/#", 1],
        ["$iothub/twin/res/", 0],
        [TWIN, 1],
      ),
      [1, 0, 128, 128, 128, 128, 1],
    );
    await device.settled();
    const module = await hub.connect("d1/m1");
    const own = "devices/d1/modules/m1";
    assert.deepEqual(
      await module.subscribe(`${own}/#`, `${own}/inputs/#`, `${own}/messages/devicebound/#`, TWIN, DESIRED, METHODS),
      [1, 1, 1, 1, 1, 128],
    );
    assert.deepEqual(await module.subscribe([TWIN, 0], METHODS), [0, 128]);
    module.send("unsubscribe", { messageId: 9, unsubscriptions: [`${own}/inputs/#`, "never/asked"] });
    await module.next("unsuback");
    assert.deepEqual(await module.subscribe(METHODS), [1]);
  });
});
