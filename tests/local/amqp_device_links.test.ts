import assert from "node:assert/strict";
import { describe, test } from "node:test";
import rhea from "rhea";
import type { Delivery, Message, Sender } from "rhea";
import { hubAmqpBackend } from "../../lib/local/amqp/hub_backend.ts";
import { AmqpFaultState } from "../../lib/local/amqp/fault_state.ts";
import { HubState } from "../../lib/local/hub_state.ts";
import type { TelemetryEvent } from "../../lib/local/sessions/telemetry_sink.ts";
import { startAmqpListener } from "../../lib/local/sockets/amqp_listener.ts";
import { BareReceiver, ListeningHub, type Received, sendTo, textOf } from "../support/listening_hub.ts";
import { BareClient, once, outcomeOf } from "../support/local_amqp.ts";
import { MockedTime } from "../support/mocked_time.ts";
import { signSas } from "../support/sas.ts";

const DEVICE = "/devices/d1";
const MODULE = "/devices/d1/modules/m1";
const WATCH = "/notifications/twin/properties/desired";
/** The format of a message that holds several. */
const BATCH_FORMAT = 0x80013700;

async function startHub(options = {}): Promise<ListeningHub> {
  const hub = await ListeningHub.start(options);
  await hub.rest.createDevices("d1", "d2");
  await hub.rest.do("PUT", MODULE, { deviceId: "d1", moduleId: "m1" });
  return hub;
}

function dataOf(text: string): unknown {
  return rhea.message.data_section(new TextEncoder().encode(text) as never);
}

/** Both links of a kind, of a device that has signed in. */
async function openLinks(client: BareClient, address: string): Promise<{ sender: Sender; receiver: BareReceiver }> {
  const sender = await client.openSender(address);
  const receiver = new BareReceiver(client, address);
  await receiver.opened;
  return { sender, receiver };
}

/** Asks for a twin, and returns what comes back for this request. */
async function ask(
  { sender, receiver }: { sender: Sender; receiver: BareReceiver },
  annotations: Record<string, unknown>,
  body: string = " ",
): Promise<[status: unknown, body: string, received: Received]> {
  const correlation_id = crypto.randomUUID();
  sender.send({ correlation_id, message_annotations: annotations, body: dataOf(body) } as unknown as Message);
  const received = await receiver.next();
  assert.equal(received.message.correlation_id, correlation_id);
  return [received.message.message_annotations!["status"], textOf(received), received];
}

function conditionOf(delivery: Delivery): string {
  return (delivery as unknown as { remote_state: { error: { condition: string } } }).remote_state.error.condition;
}

/** The error with which the hub ends a link on which a client sends. */
async function endOf(sender: Sender): Promise<string> {
  await once(sender, "sender_error");
  return (sender.error as { condition: string }).condition;
}

describe("The twin links of a device at the local hub", () => {
  for (const [what, path, twinPath] of [["device", DEVICE, "/twins/d1"], ["module", MODULE, "/twins/d1/modules/m1"]]) {
    test(`read, report and watch the twin of a ${what}`, async () => {
      await using hub = await startHub();
      const links = await openLinks(await hub.connectDevice(path!), `${path}/twin`);
      const [status, body] = await ask(links, { operation: "GET" });
      assert.deepEqual([status, JSON.parse(body)], [200, { desired: { $version: 1 }, reported: { $version: 1 } }]);
      const patch = { operation: "PATCH", resource: "/properties/reported", version: null };
      const [patched, nothing, { message }] = await ask(links, patch, '{"a":1}');
      assert.deepEqual([patched, nothing, message.message_annotations!["version"]], [204, "", 2]);
      assert.equal((await hub.rest.do("GET", twinPath!)).properties.reported.a, 1);

      const change = (mode: number) => hub.rest.do("PATCH", twinPath!, { properties: { desired: { mode } } });
      await change(1);
      assert.equal((await ask(links, { operation: "PUT", resource: WATCH }))[0], 204);
      await change(2);
      const pushed = await links.receiver.next();
      assert.equal(pushed.message.correlation_id, undefined);
      assert.deepEqual(JSON.parse(textOf(pushed)), { mode: 2, $version: 3 });
      assert.equal((await ask(links, { operation: "DELETE", resource: WATCH }))[0], 204);
      await change(3);
      assert.equal(JSON.parse((await ask(links, { operation: "GET" }))[1]).desired.mode, 3);
    });
  }

  test("answer what is wrong with its status, and go on", async () => {
    await using hub = await startHub();
    const links = await openLinks(await hub.connectDevice(DEVICE), `${DEVICE}/twin`);
    const report = { operation: "PATCH", resource: "/properties/reported" };
    const wrong: [annotations: Record<string, unknown>, body: string, status: number][] = [
      [report, "{", 400],
      [report, "[]", 400],
      [report, "", 400],
      [report, "[".repeat(1000), 400],
      [report, `{"a":"${"x".repeat(40_000)}"}`, 400],
      [{ ...report, version: 7 }, "{}", 412],
      [{ ...report, version: "7" }, "{}", 400],
      [{ ...report, resource: 7 }, "{}", 400],
      [{ operation: "POST" }, " ", 400],
      [{ operation: 1 }, " ", 400],
      [{}, " ", 400],
      [{ operation: "PUT", resource: "/notifications" }, " ", 400],
    ];
    for (const [annotations, body, status] of wrong) {
      const [got, text] = await ask(links, annotations, body);
      const error = JSON.parse(text);
      assert.equal(got, status, body.slice(0, 20));
      assert.equal(Math.floor(error.errorCode / 1000), status);
      assert.match(error.trackingId, /^[0-9A-F]{32}/i);
    }
    assert.equal((await ask(links, { operation: "GET" }))[0], 200);
  });

  test("reject a request that cannot be answered", async () => {
    await using hub = await startHub();
    const client = await hub.connectDevice(DEVICE);
    const sender = await client.openSender(`${DEVICE}/twin`);
    const request = { message_annotations: { operation: "GET" } };
    assert.equal(conditionOf(await outcomeOf(sender, request)), "com.microsoft:argument-error");
    assert.equal(conditionOf(await outcomeOf(sender, { ...request, correlation_id: "1" })), "amqp:not-allowed");
  });
});

describe("The method links of a device at the local hub", () => {
  for (
    const [what, path, methods] of [
      ["device", DEVICE, "/twins/d1/methods"],
      ["module", MODULE, "/twins/d1/modules/m1/methods"],
    ]
  ) {
    test(`answer the methods of a ${what}`, async () => {
      await using hub = await startHub();
      const { sender, receiver } = await openLinks(await hub.connectDevice(path!), `${path}/methods/devicebound`);
      const called = hub.rest.do("POST", methods!, { methodName: "reboot", payload: { in: 5 } });
      const call = await receiver.next();
      const { correlation_id, application_properties } = call.message;
      assert.equal((correlation_id as unknown as Uint8Array).byteLength, 16);
      assert.deepEqual({ ...application_properties }, { "IoThub-methodname": "reboot" });
      assert.deepEqual(JSON.parse(textOf(call)), { in: 5 });
      const status = rhea.types.wrap_int(207);
      const answer = {
        correlation_id,
        application_properties: { "IoThub-status": status },
        body: dataOf('{"ok":true}'),
      };
      await outcomeOf(sender, answer);
      assert.deepEqual(await called, { status: 207, payload: { ok: true } });
    });
  }

  test("reject answers that are none, and take a right one after them", async () => {
    await using hub = await startHub();
    const address = `${DEVICE}/methods/devicebound`;
    const { sender, receiver } = await openLinks(await hub.connectDevice(DEVICE), address);
    const called = hub.rest.do("POST", "/twins/d1/methods", { methodName: "x" });
    const { message: { correlation_id } } = await receiver.next();
    const answer = { correlation_id, application_properties: { "IoThub-status": 200 }, body: dataOf("") };
    for (
      const wrong of [
        { application_properties: { "IoThub-status": "200" } },
        { application_properties: {} },
        { correlation_id: undefined },
        { body: dataOf("{") },
        { body: ["a"] },
      ]
    ) {
      assert.equal(conditionOf(await outcomeOf(sender, { ...answer, ...wrong })), "com.microsoft:argument-error");
    }
    await outcomeOf(sender, { ...answer, correlation_id: crypto.randomUUID() });
    await outcomeOf(sender, answer);
    assert.deepEqual(await called, { status: 200, payload: null });
  });

  test("are both needed, and a call ends with either", async () => {
    await using hub = await startHub();
    const client = await hub.connectDevice(DEVICE);
    const address = `${DEVICE}/methods/devicebound`;
    const receiver = new BareReceiver(client, address);
    await receiver.opened;
    const body = { methodName: "x", connectTimeoutInSeconds: 0 };
    await hub.rest.fails([404, "DeviceNotOnline"], "POST", "/twins/d1/methods", body);
    const waiting = hub.rest.fails([404, "DeviceNotOnline"], "POST", "/twins/d1/methods", {
      ...body,
      connectTimeoutInSeconds: 30,
    });
    const sender = await client.openSender(address);
    await receiver.next();
    sender.close();
    await waiting;
  });
});

describe("What waits for a device at the local hub", () => {
  test("is at most 200 answers: then the link that takes none is detached", async () => {
    await using hub = await startHub();
    const client = await hub.connectDevice(DEVICE);
    const sender = await client.openSender(`${DEVICE}/twin`);
    const receiver = new BareReceiver(client, `${DEVICE}/twin`, { credit: 0 });
    await receiver.opened;
    const request = { correlation_id: "1", message_annotations: { operation: "GET" }, body: dataOf(" ") };
    for (let sent = 0; sent < 200; sent++) await outcomeOf(sender, request);
    await outcomeOf(sender, request);
    assert.equal((await receiver.ended).condition, "amqp:resource-limit-exceeded");
    assert.equal(conditionOf(await outcomeOf(sender, request)), "amqp:not-allowed");
  });

  test("is at most 100 calls of methods, which end with the link", async () => {
    await using hub = await startHub();
    const { sender, receiver } = await openLinks(await hub.connectDevice(DEVICE), `${DEVICE}/methods/devicebound`);
    const call = (code: string, status: number): Promise<unknown> =>
      hub.rest.fails([status, code], "POST", "/twins/d1/methods", { methodName: "x" });
    const waiting = Array.from({ length: 100 }, () => call("DeviceNotOnline", 404));
    for (let received = 0; received < 100; received++) await receiver.next();
    await call("DeviceMaximumInflightMethodExceeded", 403);
    sender.close();
    await Promise.all(waiting);
  });
});

describe("The telemetry link of a device at the local hub", () => {
  test("hands messages on, with what the hub knows, and rejects what is too large", async () => {
    const state = new HubState({ hostName: "hub.example", now: Date.now, clockSkew: 0 });
    const device = state.devices.create("d1", {});
    state.modules.create(device, "m1", {});
    const listener = await startAmqpListener(hubAmqpBackend(state, new AmqpFaultState()), {
      hostname: "127.0.0.1",
      port: 0,
    });
    const events: TelemetryEvent[] = [];
    state.telemetry.onEvent((event) => events.push(event));
    const { primaryKey } = state.policies.get("device")!;
    const connectionString = `HostName=hub.example;SharedAccessKeyName=device;SharedAccessKey=${primaryKey}`;
    await using client = new BareClient(listener.port);
    await client.putToken({ body: signSas({ connectionString }) });
    const sender = client.connection.open_sender({
      target: { address: `${DEVICE}/messages/events` },
      properties: { "com.microsoft:model-id": "dtmi:com:example:Thermostat;1" },
    } as never);
    await once(sender, "sendable");
    const message = {
      message_id: "m",
      content_type: "application/json",
      creation_time: new Date(1_000),
      message_annotations: { "dt-subject": "sensor", "iothub-interface-id": "urn:azureiot:Security:SecurityAgent:1" },
      application_properties: { level: "7" },
      body: dataOf('{"t":21}'),
    };
    await outcomeOf(sender, message);
    await outcomeOf(await client.openSender(`${MODULE}/messages/events`), { body: dataOf("from a module") });
    const [first, second] = events;
    assert.deepEqual([first!.deviceId, first!.moduleId, first!.modelId], ["d1", undefined, device.modelId]);
    assert.equal(device.modelId, "dtmi:com:example:Thermostat;1");
    assert.equal(first!.generationId, device.generationId);
    assert.equal(new TextDecoder().decode(first!.message.data), '{"t":21}');
    assert.deepEqual([first!.message.messageId, first!.message.contentType, first!.message.properties], [
      "m",
      "application/json",
      { level: "7" },
    ]);
    const { subject, interfaceId, creationTime } = first!.message;
    assert.deepEqual([subject, interfaceId, creationTime], ["sensor", "urn:azureiot:Security:SecurityAgent:1", 1_000]);
    assert.deepEqual([second!.moduleId, second!.modelId], ["m1", ""]);
    for (const annotation of ["dt-subject", "iothub-interface-id"]) {
      const wrong = await outcomeOf(sender, { message_annotations: { [annotation]: 7 } });
      assert.equal(conditionOf(wrong), "com.microsoft:argument-error");
    }
    const refused = await outcomeOf(sender, { message_id: "x".repeat(129) });
    assert.equal(conditionOf(refused), "com.microsoft:argument-error");
    const rejected = once(sender, "rejected");
    sender.send(rhea.message.encode({ body: dataOf("a batch") } as Message) as never, "batch" as never, BATCH_FORMAT);
    assert.equal(conditionOf((await rejected).delivery!), "com.microsoft:argument-error");
    assert.equal(state.telemetry.count, 2);
    await listener.close();
    state.close();
  });

  test("is refused with a model id that is none", async () => {
    await using hub = await startHub();
    const { connection } = await hub.connectDevice(DEVICE);
    const sender = connection.open_sender({
      target: { address: `${DEVICE}/messages/events` },
      properties: { "com.microsoft:model-id": "thermostat" },
    } as never);
    assert.equal(await endOf(sender), "com.microsoft:argument-error");
  });
});

describe("The input link of a module at the local hub", () => {
  test("opens, counts as a connection, and has nothing to say, while messages go another way", async () => {
    await using hub = await startHub();
    const client = await hub.connectDevice(MODULE);
    const inputs = new BareReceiver(client, `${MODULE}/messages/events`);
    await inputs.opened;
    assert.equal((await hub.rest.do("GET", MODULE)).connectionState, "Connected");
    const messages = new BareReceiver(client, `${MODULE}/messages/devicebound`);
    await outcomeOf(await client.openSender(`${MODULE}/messages/events`), { body: dataOf("to an output") });
    await sendTo(hub, MODULE);
    assert.equal(textOf(await messages.next()), "hello");
    await messages.close();
    assert.equal((await hub.rest.do("GET", MODULE)).connectionState, "Connected");
    await inputs.close();
    assert.equal(inputs.waiting, 0);
  });

  test("is no link of a device, nor of another module", async () => {
    await using hub = await startHub();
    const device = new BareReceiver(await hub.connectDevice(DEVICE), `${DEVICE}/messages/events`);
    assert.equal((await device.ended).condition, "amqp:not-found");
    await hub.rest.do("PUT", `${DEVICE}/modules/m2`, { deviceId: "d1", moduleId: "m2" });
    const other = new BareReceiver(await hub.connectDevice(MODULE), `${DEVICE}/modules/m2/messages/events`);
    assert.equal((await other.ended).condition, "amqp:unauthorized-access");
  });
});

describe("The connection of a device with several links", () => {
  test("counts as one, and lasts as long as the last of them", async () => {
    await using hub = await startHub();
    const client = await hub.connectDevice(DEVICE);
    const links = await openLinks(client, `${DEVICE}/twin`);
    const events = await client.openSender(`${DEVICE}/messages/events`);
    assert.equal((await hub.rest.do("GET", "/statistics/service")).connectedDeviceCount, 1);
    await links.receiver.close();
    links.sender.close();
    await once(links.sender, "sender_close");
    assert.equal((await hub.rest.do("GET", DEVICE)).connectionState, "Connected");
    events.close();
    await once(events, "sender_close");
    assert.equal((await hub.rest.do("GET", DEVICE)).connectionState, "Disconnected");
  });

  test("is taken over as a whole, and leaves those of others on the same connection", async () => {
    await using hub = await startHub();
    const first = await hub.connectDevice(DEVICE);
    await first.putToken({ body: await hub.deviceToken("/devices/d2") });
    const twin = await first.openSender(`${DEVICE}/twin`);
    const events = await first.openSender(`${DEVICE}/messages/events`);
    const other = await first.openSender("/devices/d2/messages/events");
    const ends = Promise.all([endOf(twin), endOf(events)]);
    const second = await hub.connectDevice(DEVICE);
    await outcomeOf(await second.openSender(`${DEVICE}/messages/events`), {});
    assert.deepEqual(await ends, ["amqp:link:stolen", "amqp:link:stolen"]);
    await outcomeOf(other, {});
  });

  const newKeys = { symmetricKey: { primaryKey: btoa("p".repeat(32)), secondaryKey: btoa("s".repeat(32)) } };
  const regenerate = { policyKey: "primaryKey", devices: [{ id: "d1" }] };
  for (
    const [what, condition, end] of [
      ["disabled", "amqp:not-found", ["PUT", DEVICE, { deviceId: "d1", status: "disabled" }]],
      ["deleted", "amqp:not-found", ["DELETE", DEVICE, undefined]],
      ["given other keys", "amqp:unauthorized-access", ["PUT", DEVICE, { deviceId: "d1", authentication: newKeys }]],
      ["given a new primary key", "amqp:unauthorized-access", ["POST", "/devices/keys/regenerate", regenerate]],
    ] as const
  ) {
    test(`is cut off when the device is ${what}`, async () => {
      await using hub = await startHub();
      const client = await hub.connectDevice(DEVICE);
      const links = [await client.openSender(`${DEVICE}/twin`), await client.openSender(`${DEVICE}/messages/events`)];
      const ends = Promise.all(links.map(endOf));
      const { authentication } = await hub.rest.do("GET", DEVICE);
      const body = end[0] === "PUT" ? { authentication, ...end[2] } : end[2];
      await hub.rest.do(end[0], end[1], body, end[0] === "POST" ? {} : { "if-match": "*" });
      assert.deepEqual(await ends, [condition, condition]);
    });
  }
});

describe("A client that signs in with SASL PLAIN at the local hub", () => {
  /** Connects with a user and a token; resolves when it is in, or refused. */
  async function signIn(hub: ListeningHub, username: string, password: string): Promise<BareClient | "refused"> {
    const client = hub.connect({ username, password });
    const opened = once(client.connection, "connection_open").then(() => client);
    const refused = once(client.connection, "disconnected").then(() => "refused" as const);
    return await Promise.race([opened, refused]);
  }

  test("is let in with a policy's name and token, or with a device's or a module's", async () => {
    await using hub = await startHub();
    const token = signSas({ connectionString: hub.hub.connectionStringFor("device") });
    for (
      const [user, password, address] of [
        ["device@sas.root.localhost", token, `${DEVICE}/messages/events`],
        ["d1@sas.localhost", token, `${DEVICE}/messages/events`],
        ["d1@sas.localhost", await hub.deviceToken(DEVICE), `${DEVICE}/twin`],
        ["d1/m1@sas.localhost", await hub.deviceToken(MODULE), `${MODULE}/twin`],
      ] as const
    ) {
      const client = await signIn(hub, user, password);
      assert.notEqual(client, "refused");
      await (client as BareClient).openSender(address);
    }
  });

  test("as a device has its own links alone, also with a policy's token", async () => {
    await using hub = await startHub();
    const token = signSas({ connectionString: hub.hub.connectionStringFor("iothubowner") });
    const client = await signIn(hub, "d1@sas.localhost", token) as BareClient;
    for (const address of ["/devices/d2/messages/events", "/messages/devicebound"]) {
      assert.equal(await endOf(client.connection.open_sender(address)), "amqp:unauthorized-access");
    }
  });

  test("is refused with another's token, or with a name that is none", async () => {
    await using hub = await startHub();
    const token = await hub.deviceToken(DEVICE);
    const policy = signSas({ connectionString: hub.hub.connectionStringFor("device") });
    for (
      const [user, password] of [
        ["d2@sas.localhost", token],
        ["d1/m1/x@sas.localhost", token],
        ["d1@localhost", token],
        ["service@sas.root.localhost", policy],
        ["device@sas.root.localhost", token],
        ["d1@sas.localhost", "token"],
        ["d1@sas.localhost", "x".repeat(10_000)],
      ] as const
    ) assert.equal(await signIn(hub, user, password), "refused", user);
  });

  test("is cut off when its token expires", async () => {
    using time = new MockedTime();
    await using hub = await startHub();
    const se = Math.floor(Date.now() / 1000) + 60;
    const token = signSas({ connectionString: hub.hub.connectionStringFor("device"), se });
    const client = await signIn(hub, "device@sas.root.localhost", token) as BareClient;
    await client.openSender(`${DEVICE}/messages/events`);
    client.connection.on("connection_error", () => {});
    await time.settle(once(client.connection, "connection_close"), 1_000);
    assert.equal((client.connection.error as { condition: string }).condition, "amqp:unauthorized-access");
  });
});
