import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import rhea from "rhea";
import type { Message } from "rhea";
import { LocalHub, type LocalHubEvent } from "../../lib/local/mod.ts";
import { signAsDevice } from "../support/device_caller.ts";
import { askForOperations } from "../support/hub_section.ts";
import { HubWatch } from "../support/hub_watch.ts";
import { BareReceiver, ListeningHub, sendTo } from "../support/listening_hub.ts";
import { type BareClient, outcomeOf } from "../support/local_amqp.ts";
import { MqttHub } from "../support/mqtt_hub.ts";
import { holds } from "../support/properties.ts";
import { RestCaller } from "../support/rest_caller.ts";
import { signSas } from "../support/sas.ts";
import { spellings } from "../support/secret_search.ts";

const DEVICE = "/devices/d1";
const MODULE = "/devices/d1/modules/m1";

/** A hub in process with the device `d1` and its module `m1`, and what it has told since. */
async function watchedHub(options = {}): Promise<{ hub: LocalHub; rest: RestCaller; watch: HubWatch }> {
  const hub = new LocalHub({ feedbackIntervalInMs: 0, ...options });
  const rest = new RestCaller(hub);
  await rest.createDevices("d1");
  await rest.do("PUT", MODULE, { deviceId: "d1", moduleId: "m1" });
  return { hub, rest, watch: new HubWatch(hub) };
}

/** The same with an open port for AMQP. */
async function listeningHub(options = {}): Promise<{ hub: ListeningHub; watch: HubWatch }> {
  const hub = await ListeningHub.start(options);
  await hub.rest.createDevices("d1");
  await hub.rest.do("PUT", MODULE, { deviceId: "d1", moduleId: "m1" });
  return { hub, watch: new HubWatch(hub.hub) };
}

function dataOf(text: string): unknown {
  return rhea.message.data_section(new TextEncoder().encode(text) as never);
}

describe("The events of a local hub", () => {
  test("tell of all that a back end and a device in process do", async () => {
    const { hub, rest, watch } = await watchedHub();
    const device = hub.device("d1");
    device.onMethod("reboot", () => ({ status: 207 }));
    device.onDesiredProperties(() => {});
    await device.sendTelemetry({ t: 21 });
    await device.updateReportedProperties({ a: 1 });
    assert.equal(device.twin.reported["a"], 1);
    await rest.do("PATCH", "/twins/d1", { properties: { desired: { a: 1 } } });
    await rest.do("POST", "/twins/d1/methods", { methodName: "reboot" });
    await hub.device("d1").module("m1").sendTelemetry("text");
    await rest.call("GET", "/twins/d1/modules/none");
    await rest.call("GET", "/nothing");
    await rest.call("POST", "/devices/query", { query: "SELECT * FROM devices" });
    device.disconnect();
    await rest.call("POST", "/twins/d1/methods", { methodName: "reboot" });
    assert.deepEqual(watch.lines, [
      "connection d1 connected inProcess",
      "deviceAct d1 sendTelemetry inProcess 200",
      "deviceAct d1 updateReportedProperties inProcess 200",
      "deviceAct d1 readTwin inProcess 200",
      "desiredChange d1 inProcess 2",
      "operation d1 updateTwin iothubowner http 200",
      "deviceAct d1 answerMethod inProcess reboot 207 200",
      "methodCall d1 reboot 207 200",
      "operation d1 invokeDeviceMethod iothubowner http 200",
      "connection d1/m1 connected inProcess",
      "deviceAct d1/m1 sendTelemetry inProcess 200",
      "operation d1/none getModuleTwin iothubowner http 404 DeviceNotFound",
      "operation http 404 GenericNotFound",
      "operation queryIotHub iothubowner http 200",
      "connection d1 disconnected inProcess closed",
      "methodCall d1 reboot 404 DeviceNotOnline",
      "operation d1 invokeDeviceMethod iothubowner http 404 DeviceNotOnline",
    ]);
    await hub.close();
  });

  test("tell of all that a device does over MQTT", async () => {
    await using hub = await MqttHub.start();
    await hub.rest.createDevices("d1");
    const watch = new HubWatch(hub.hub);
    const client = await hub.connect("d1");
    await client.subscribe("$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#", "$iothub/methods/POST/#");
    await client.publish("devices/d1/messages/events/a=1", "body");
    client.send("publish", { topic: "$iothub/twin/GET/?$rid=1", payload: "", qos: 0 });
    await client.next("publish");
    await hub.rest.do("PATCH", "/twins/d1", { properties: { desired: { a: 1 } } });
    await client.next("publish");
    client.send("disconnect");
    await watch.until({ kind: "connection", change: "disconnected" });
    await hub.refusal({ ...await hub.credentials("d1"), password: Buffer.from("SharedAccessSignature none") });
    const other = await hub.connect("d1");
    await hub.rest.do("DELETE", "/devices/d1", undefined, { "if-match": "*" });
    await other.closed;
    await watch.until({ kind: "connection", change: "disconnected" }, 2);
    assert.deepEqual(watch.lines.filter((line) => !line.startsWith("operation")), [
      "connection d1 connected mqtt",
      "deviceAct d1 sendTelemetry mqtt 200",
      "deviceAct d1 readTwin mqtt 200",
      "desiredChange d1 mqtt 2",
      "connection d1 disconnected mqtt closed",
      watch.lines.find((line) => line.startsWith("refusedSignIn")),
      "connection d1 connected mqtt",
      "connection d1 disconnected mqtt identityGone",
    ]);
    assert.match(watch.all({ kind: "refusedSignIn" })[0]!.errorCode, /^IotHubUnauthorized/);
  });

  test("tell of all that a device does over HTTPS", async () => {
    const { hub, rest, watch } = await watchedHub();
    const { authentication } = await rest.do("GET", "/devices/d1");
    const authorization = signAsDevice(hub.hostName, "/devices/d1", authentication.symmetricKey.primaryKey);
    const ask = async (method: string, path: string, headers = { authorization }): Promise<Response> =>
      await hub.fetch(
        new Request(`https://hub.example/devices/d1/messages/${path}?api-version=2021-04-12`, {
          method,
          headers,
          ...(method === "POST" && { body: "x" }),
        }),
      );
    await ask("POST", "events");
    await ask("GET", "devicebound");
    await ask("DELETE", "devicebound/none");
    await ask("POST", "events", { authorization: "SharedAccessSignature none" });
    assert.deepEqual(watch.lines.filter((line) => !/^operation|^refused/.test(line)), [
      "deviceAct d1 sendTelemetry http 204",
      "deviceAct d1 receiveMessage http 204",
      "deviceAct d1 completeMessage http 412 DeviceMessageLockLost",
      "deviceAct d1 sendTelemetry http 401 IotHubUnauthorized",
    ]);
    assert.equal(watch.all({ kind: "refusedSignIn", protocol: "http" }).length, 1);
    await hub.close();
  });

  test("tell of all that a device does over AMQP", async () => {
    await using scene = await listeningHub().then(({ hub, watch }) => Object.assign(hub, { watch }));
    const { watch } = scene;
    const client = await scene.connectDevice(DEVICE);
    const [twin, answers] = [await client.openSender(`${DEVICE}/twin`), new BareReceiver(client, `${DEVICE}/twin`)];
    await answers.opened;
    const ask = async (annotations: Record<string, unknown>, body = " "): Promise<void> => {
      twin.send(
        { correlation_id: "1", message_annotations: annotations, body: dataOf(body) } as unknown as Message,
      );
      await answers.next();
    };
    const change = (mode: number) => scene.rest.do("PATCH", "/twins/d1", { properties: { desired: { mode } } });
    await ask({ operation: "GET" });
    await ask({ operation: "PATCH", resource: "/properties/reported" }, '{"a":1}');
    await ask({ operation: "PATCH", resource: "/properties/reported", version: 9 }, '{"a":1}');
    await change(1);
    await ask({ operation: "PUT", resource: "/notifications/twin/properties/desired" });
    await change(2);
    await outcomeOf(await client.openSender(`${DEVICE}/messages/events`), {});
    assert.deepEqual(watch.lines.filter((line) => !line.startsWith("operation")), [
      "connection d1 connected amqp",
      "deviceAct d1 readTwin amqp 200",
      "deviceAct d1 updateReportedProperties amqp 200",
      "deviceAct d1 updateReportedProperties amqp 412 PreconditionFailed",
      "desiredChange d1 amqp 3",
      "deviceAct d1 sendTelemetry amqp 200",
    ]);
    client.connection.close();
    assert.equal((await watch.until({ kind: "connection", change: "disconnected" })).reason, "closed");
  });

  test("tell of each message by its number, until it has ended", async () => {
    await using scene = await listeningHub().then(({ hub, watch }) => Object.assign(hub, { watch }));
    const { watch } = scene;
    const client = await scene.connectDevice(MODULE);
    const receiver = new BareReceiver(client, `${MODULE}/messages/devicebound`);
    await receiver.opened;
    for (const how of ["accept", "reject", "release"] as const) {
      await sendTo(scene, MODULE);
      receiver.settle(await receiver.next(), how);
      if (how === "release") { for (let times = 1; times < 10; times++) receiver.settle(await receiver.next(), how); }
    }
    await watch.until({ kind: "message", change: "deadLettered", sequenceNumber: 3 });
    const about = (sequenceNumber: number): string[] =>
      watch.events.filter((event) => "sequenceNumber" in event && event.sequenceNumber === sequenceNumber)
        .map((event) => event.kind === "deviceAct" ? event.act : event.kind === "message" ? event.change : "");
    assert.deepEqual(about(1), ["queued", "receiveMessage", "completeMessage"]);
    assert.deepEqual(about(2), ["queued", "receiveMessage", "rejectMessage"]);
    const round = ["receiveMessage", "abandonMessage"];
    assert.deepEqual(about(3).sort(), ["queued", ...Array(10).fill(round).flat(), "deadLettered"].sort());
    const sent = watch.all({ kind: "operation", operation: "sendCloudToDeviceMessage" });
    assert.deepEqual(
      sent.map(({ caller, protocol, deviceId, moduleId, status }) => [
        caller,
        protocol,
        deviceId,
        moduleId,
        status,
      ]),
      Array(3).fill(["service", "amqp", "d1", "m1", 200]),
    );
  });

  test("have the time of the hub's clock, and tell when a message has expired by it", async () => {
    let now = Date.parse("2030-01-01T00:00:00Z");
    await using scene = await listeningHub({ now: () => now, clockSkewInSeconds: 1e9 })
      .then(({ hub, watch }) => Object.assign(hub, { watch }));
    const { watch } = scene;
    await sendTo(scene, DEVICE, { absolute_expiry_time: now + 60_000 });
    now += 60_000;
    await scene.hub.settled();
    const [queued, expired] = watch.all({ kind: "message" });
    assert.deepEqual([queued!.change, queued!.timeUtc.toISOString()], ["queued", "2030-01-01T00:00:00.000Z"]);
    assert.deepEqual([expired!.change, expired!.timeUtc.toISOString()], ["expired", "2030-01-01T00:01:00.000Z"]);
  });

  test("tell how long something took, and of a caller who has not waited for the end", async () => {
    const { hub, rest, watch } = await watchedHub();
    const gone = new AbortController();
    hub.device("d1").onMethod(async (_payload, name) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (name === "leave") gone.abort();
      return { status: 200 };
    });
    await rest.do("POST", "/twins/d1/methods", { methodName: "wait" });
    const leave = rest.call("POST", "/twins/d1/methods", { methodName: "leave" }, { signal: gone.signal });
    await assert.rejects(leave, { name: "AbortError" });
    const [operation, left] = watch.all({ kind: "operation" });
    const [call, leftCall] = watch.all({ kind: "methodCall" });
    const [act] = watch.all({ kind: "deviceAct" });
    for (const { durationInMs } of [operation!, call!, act!]) assert.ok(durationInMs > 15 && durationInMs < 5_000);
    assert.ok(act!.durationInMs <= call!.durationInMs && call!.durationInMs <= operation!.durationInMs);
    for (const { status, errorCode } of [left!, leftCall!]) {
      assert.deepEqual([status, errorCode], [499, "ClientClosedRequest"]);
    }
    await hub.close();
  });

  test("name each operation as the description of the API does", async () => {
    const hub = new LocalHub();
    const [watch, rest] = [new HubWatch(hub), new RestCaller(hub)];
    const operations = await askForOperations();
    for (const { operationId, request } of operations) {
      const [method = "", path = ""] = request.split(" ");
      const ids = { id: "a", mid: "b", deviceId: "a", moduleId: "b" } as Record<string, string>;
      await rest.call(
        method,
        path.replaceAll(/\{(\w+)\}/g, (_, name) => ids[name] ?? "x"),
        method === "GET" || method === "DELETE" ? undefined : {},
      );
      const told = watch.all({ kind: "operation" }).at(-1)!;
      const isOfDevice = /^\/(?:devices|twins|digitaltwins)\/\{/.test(path);
      assert.deepEqual([told.operation, told.deviceId, told.moduleId], [
        operationId,
        isOfDevice ? "a" : undefined,
        path.includes("/modules/{") ? "b" : undefined,
      ]);
    }
    await hub.close();
  });

  test("name the policy of a caller, or the bearer token", async () => {
    const { hub, watch } = await watchedHub();
    const { token } = await hub.tokenCredential().getToken("https://iothubs.azure.net/.default");
    const signed = signSas({ connectionString: hub.connectionStringFor("registryRead") });
    for (const authorization of [signed, `Bearer ${token}`]) {
      await new RestCaller(hub, authorization).call("GET", DEVICE);
    }
    assert.deepEqual(watch.all({ kind: "operation" }).map(({ caller }) => caller), ["registryRead", "bearer"]);
    await hub.close();
  });
});

describe("A connection that ends at a local hub", () => {
  const key = (letter: string): string => btoa(letter.repeat(32));
  const ends: [reason: string, end: (hub: ListeningHub, client: BareClient) => unknown][] = [
    ["closed", (_hub, client) => client.connection.close()],
    ["closed", (_hub, client) => client[Symbol.asyncDispose]()],
    ["replaced", async (hub) => void (await hub.connectDevice(DEVICE)).openSender(`${DEVICE}/twin`)],
    ["replaced", (hub) => hub.hub.device("d1").connect()],
    ["identityGone", (hub) => hub.rest.do("DELETE", DEVICE, undefined, { "if-match": "*" })],
    ["identityGone", async (hub) => {
      const device = await hub.rest.do("GET", DEVICE);
      await hub.rest.do("PUT", DEVICE, { ...device, status: "disabled" }, { "if-match": "*" });
    }],
    ["unauthorized", async (hub) => {
      const device = await hub.rest.do("GET", DEVICE);
      device.authentication.symmetricKey = { primaryKey: key("p"), secondaryKey: key("s") };
      await hub.rest.do("PUT", DEVICE, device, { "if-match": "*" });
    }],
    ["unauthorized", (hub) => hub.hub.faults.expire()],
    ["forced", (hub) => hub.hub.faults.drop()],
    ["forced", (hub) => hub.hub.close()],
  ];
  for (const [index, [reason, end]] of ends.entries()) {
    test(`is told as ${reason} (${index})`, async () => {
      await using scene = await listeningHub().then(({ hub, watch }) => Object.assign(hub, { watch }));
      const client = await scene.connectDevice(DEVICE);
      client.connection.on("connection_error", () => {});
      await client.openSender(`${DEVICE}/twin`);
      await end(scene, client);
      const told = await scene.watch.until({ kind: "connection", change: "disconnected", protocol: "amqp" });
      assert.deepEqual([told.deviceId, told.reason], ["d1", reason]);
      assert.equal(scene.watch.all({ kind: "connection", change: "disconnected", protocol: "amqp" }).length, 1);
    });
  }
});

describe("A sign-in that a local hub refuses", () => {
  test("is told with its protocol and reason, over HTTP and AMQP", async () => {
    await using scene = await listeningHub().then(({ hub, watch }) => Object.assign(hub, { watch }));
    const { watch, hub } = scene;
    const next = async (protocol: "http" | "amqp"): Promise<string> => {
      const known = watch.all({ kind: "refusedSignIn", protocol }).length;
      const { errorCode, reason } = await watch.until({ kind: "refusedSignIn", protocol }, known + 1);
      return `${errorCode}: ${reason}`;
    };
    const expired = signSas({ connectionString: hub.connectionString, se: 1 });

    let told = next("http");
    await scene.rest.call("GET", DEVICE, undefined, { authorization: expired });
    assert.match(await told, /^IotHubUnauthorized: .*has expired/);
    assert.equal(watch.all({ kind: "operation", status: 401 }).at(-1)!.caller, undefined);
    told = next("http");
    const device = signSas({ connectionString: hub.connectionStringFor("device") });
    await scene.rest.call("GET", DEVICE, undefined, { authorization: device });
    assert.match(await told, /^IotHubUnauthorizedAccess: .*RegistryRead/);

    told = next("amqp");
    await scene.connect().putToken({ body: expired });
    assert.match(await told, /has expired/);
    told = next("amqp");
    scene.connect().connection.open_sender(`${DEVICE}/twin`);
    assert.match(await told, /^IotHubUnauthorizedAccess: .*\/devices\/d1/);
    for (
      const [username, password, reason] of [
        ["d1@sas.localhost", expired, /has expired/],
        ["d1@localhost", device, /The user must be/],
        ["d1@sas.localhost", "x".repeat(10_000), /PLAIN/],
      ] as const
    ) {
      told = next("amqp");
      scene.connect({ username, password });
      assert.match(await told, reason);
    }
  });
});

describe("A listener for the events of a local hub", () => {
  test("that throws or rejects is told to onFault, and harms nobody", async () => {
    const { hub, rest, watch } = await watchedHub();
    const faults: unknown[] = [];
    hub.onFault(({ error }) => faults.push(error));
    const [thrown, rejected] = [new Error("thrown"), new Error("rejected")];
    hub.onEvent(() => {
      throw thrown;
    });
    hub.onEvent(() => Promise.reject(rejected));
    const last = new HubWatch(hub);
    await rest.do("GET", DEVICE);
    await last.until({ kind: "operation" });
    assert.equal(watch.events.length, 1);
    assert.deepEqual(faults, [thrown, rejected]);
    assert.throws(() => hub.onEvent(undefined as never), TypeError);
    await hub.close();
  });

  test("is called no more when it was removed, and is one of many", async () => {
    const { hub, rest, watch } = await watchedHub();
    const events: LocalHubEvent[] = [];
    const listener = (event: LocalHubEvent): void => void events.push(event);
    const [remove, removeSecond] = [hub.onEvent(listener), hub.onEvent(listener)];
    await rest.do("GET", DEVICE);
    assert.equal(events.length, 2);
    remove();
    remove();
    await rest.do("GET", DEVICE);
    assert.equal(events.length, 3);
    removeSecond();
    await rest.do("GET", DEVICE);
    assert.equal(events.length, 3);
    assert.equal(watch.events.length, 3);
    await hub.close();
  });

  test("may use the hub, which is done with what it was at", async () => {
    const { hub, rest, watch } = await watchedHub();
    const device = hub.device("d1");
    hub.onEvent((event) => {
      if (event.kind !== "connection") return;
      if (event.change === "connected") device.disconnect();
      else if (watch.all({ kind: "connection" }).length < 6) device.connect();
    });
    device.connect();
    await watch.until({ kind: "connection", change: "disconnected" }, 3);
    assert.equal(device.connected, false);
    assert.equal((await rest.do("GET", DEVICE)).connectionState, "Disconnected");
    await hub.close();
  });
});

describe("No event of a local hub", () => {
  test("holds a key, a token, a body, a property or a payload", async () => {
    await using scene = await ListeningHub.start();
    const { hub, rest } = scene;
    const events: LocalHubEvent[] = [];
    hub.onEvent((event) => events.push(event));
    const service = await scene.connectAs("service");
    let round = 0;
    const secret = fc.tuple(fc.stringMatching(/^[a-z]{12}$/), fc.string({ maxLength: 5 })).map(([a, b]) =>
      `S-${a}${b}`
    );
    const isGood = fc.boolean();
    await holds(
      fc.asyncProperty(secret, isGood, async (marker, isGood) => {
        const id = `r${round++}`;
        const path = `/devices/${id}`;
        const key = btoa(marker.replaceAll(/[^\x20-\x7e]/g, "?").padEnd(32, "k"));
        const keys = { primaryKey: key, secondaryKey: key };
        await rest.call("PUT", path, {
          deviceId: id,
          statusReason: marker,
          authentication: { type: "sas", symmetricKey: keys },
        });
        const device = hub.device(id);
        device.onMethod("m", () => {
          if (isGood) return { status: 200, payload: marker };
          throw new Error(marker);
        });
        device.onDesiredProperties(() => {});
        device.onMessage(() => isGood ? undefined : "reject");
        const section = isGood ? { a: marker } : { [marker]: { "a.b": marker } };
        await rest.call("PATCH", `/twins/${id}`, { tags: section, properties: { desired: section } });
        await rest.call("POST", `/twins/${id}/methods`, { methodName: isGood ? "m" : 7, payload: marker, marker });
        await rest.call("POST", "/devices/query", {
          query: `SELECT * FROM devices WHERE tags.a = '${marker}' ${isGood}`,
        });
        await rest.call("PUT", "/configurations/c", { id: "c", content: { deviceContent: { [marker]: marker } } });
        await rest.call("PUT", "/jobs/v2/j", { type: marker, cloudToDeviceMethod: { payload: marker } });
        await device.updateReportedProperties(section).catch(() => {});
        await device.sendTelemetry({ marker }, { messageId: isGood ? marker : marker.repeat(20), property: marker })
          .catch(() => {});
        await outcomeOf(await service.openSender("/messages/devicebound"), {
          to: isGood ? `${path}/messages/devicebound` : marker,
          message_id: marker,
          correlation_id: marker,
          application_properties: { marker, "iothub-ack": isGood ? "full" : marker },
          body: dataOf(marker),
        });
        // What signs in wrongly: another key, a token with the secret as its signature, and what is no token at all.
        const wrongKey = signSas({ connectionString: hub.connectionString, key });
        const bySignature = `SharedAccessSignature sr=localhost&sig=${encodeURIComponent(key)}&se=9999999999`;
        for (const token of [wrongKey, bySignature, `${bySignature}&skn=device`, `Bearer ${key}`, marker]) {
          const client = scene.connect();
          await client.putToken({ body: token });
          await client[Symbol.asyncDispose]();
          const authorization = token.replaceAll(/[^\x20-\x7e]/g, "");
          await rest.call("GET", path, undefined, { authorization });
        }
        const ownToken = await scene.deviceToken(path);
        const client = await scene.connectDevice(path);
        await outcomeOf(await client.openSender(`${path}/messages/events`), {
          message_id: isGood ? marker : marker.repeat(20),
          message_annotations: { "dt-subject": marker },
          application_properties: { marker },
          body: dataOf(marker),
        });
        await client[Symbol.asyncDispose]();
        const shown = JSON.stringify(events);
        for (
          const hidden of [marker, key, wrongKey, bySignature, ownToken, ownToken.replace(/.*sig=([^&]*).*/, "$1")]
        ) {
          for (const spelling of spellings(hidden)) assert.ok(!shown.includes(spelling), `${hidden} in ${shown}`);
        }
        for (const kind of ["operation", "deviceAct", "connection", "refusedSignIn"]) {
          assert.ok(events.some((event) => event.kind === kind), `some are of the kind ${kind}`);
        }
        events.length = 0;
      }),
      15,
    );
    const policyKey = /SharedAccessKey=(.*)$/.exec(hub.connectionString)![1]!;
    assert.ok(!JSON.stringify(events).includes(policyKey));
  });
});
