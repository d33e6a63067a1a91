import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AmqpFaultState } from "../../lib/local/amqp/fault_state.ts";
import { hubAmqpBackend } from "../../lib/local/amqp/hub_backend.ts";
import { LocalDevice } from "../../lib/local/devices/local_device.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import type { TelemetryEvent } from "../../lib/local/sessions/telemetry_sink.ts";
import { startAmqpListener } from "../../lib/local/sockets/amqp_listener.ts";
import { makeSelfSignedCertificate } from "../../lib/local/sockets/self_signed_certificate.ts";
import { certificateThumbprint } from "../../mod.ts";
import { BareClient, outcomeOf } from "../support/local_amqp.ts";
import { MessagingHub } from "../support/messaging_hub.ts";
import { signSas } from "../support/sas.ts";

/** A hub with the device `d`, and what it has got from devices. */
function hubWithEvents(): { hub: MessagingHub; events: TelemetryEvent[] } {
  const hub = new MessagingHub();
  const events: TelemetryEvent[] = [];
  hub.state.telemetry.onEvent((event) => events.push(event));
  return { hub, events };
}

describe("Telemetry of a device in process", () => {
  const bodies: [
    what: string,
    body: unknown,
    text: string,
    contentType?: string | undefined,
    contentEncoding?: string,
  ][] = [
    ["an object", { t: 21.5 }, '{"t":21.5}', "application/json", "utf-8"],
    ["an array", [1, null], "[1,null]", "application/json", "utf-8"],
    ["a number", 7, "7", "application/json", "utf-8"],
    ["null", null, "null", "application/json", "utf-8"],
    ["false", false, "false", "application/json", "utf-8"],
    [
      "what has a JSON of its own",
      { at: new Date(0) },
      '{"at":"1970-01-01T00:00:00.000Z"}',
      "application/json",
      "utf-8",
    ],
    ["a string", 'gr\u00fcn {"a":1}', 'gr\u00fcn {"a":1}', undefined, "utf-8"],
    ["an empty string", "", "", undefined, "utf-8"],
    ["bytes", new TextEncoder().encode("bytes"), "bytes"],
  ];
  for (const [what, body, text, contentType, contentEncoding] of bodies) {
    test(`can be ${what}`, async () => {
      const { hub, events } = hubWithEvents();
      await hub.device().sendTelemetry(body);
      await hub.device().sendTelemetry(body, { contentType: "x/y", contentEncoding: "z" });
      const [byDefault, chosen] = events.map(({ message }) => message);
      assert.equal(new TextDecoder().decode(byDefault!.data), text);
      assert.deepEqual([byDefault!.contentType, byDefault!.contentEncoding], [contentType, contentEncoding]);
      assert.deepEqual([chosen!.contentType, chosen!.contentEncoding], ["x/y", "z"]);
      hub[Symbol.dispose]();
    });
  }

  test("is a copy of bytes that may change", async () => {
    const { hub, events } = hubWithEvents();
    const bytes = new Uint8Array([1, 2]);
    await hub.device().sendTelemetry(bytes);
    bytes[0] = 9;
    assert.deepEqual([...events[0]!.message.data], [1, 2]);
    hub[Symbol.dispose]();
  });

  test("has its properties, and what the hub knows of the device", async () => {
    const { hub, events } = hubWithEvents();
    const record = hub.record();
    hub.state.modules.create(record, "m#1", {});
    const device = new LocalDevice(hub.state, "d", undefined, () => "dtmi:com:example:Thermostat;1");
    const creationTimeUtc = new Date(hub.now - 5);
    await device.sendTelemetry("", {
      messageId: "m",
      correlationId: "c",
      userId: "u",
      componentName: "sensor",
      interfaceId: "urn:azureiot:Security:SecurityAgent:1",
      creationTimeUtc,
      expiryTimeUtc: new Date(hub.now + 5),
      level: 7,
      isHot: false,
      text: "\u00fc",
      ["__proto__"]: "p",
      left: undefined,
    });
    await device.module("m#1").sendTelemetry("");
    const [{ message, ...known }, ofModule] = events as [TelemetryEvent, TelemetryEvent];
    const { properties, data: _data, ...system } = message;
    assert.deepEqual(Object.entries(properties), [["level", "7"], ["isHot", "false"], ["text", "\u00fc"], [
      "__proto__",
      "p",
    ]]);
    assert.deepEqual(system, {
      to: "/devices/d/messages/events",
      contentEncoding: "utf-8",
      messageId: "m",
      correlationId: "c",
      userId: "u",
      subject: "sensor",
      interfaceId: "urn:azureiot:Security:SecurityAgent:1",
      creationTime: hub.now - 5,
      expiryTime: hub.now + 5,
    });
    assert.deepEqual(known, {
      deviceId: "d",
      moduleId: undefined,
      generationId: record.generationId,
      authMethod: '{"scope":"device","type":"sas","issuer":"iothub","acceptingIpFilterRule":null}',
      modelId: "dtmi:com:example:Thermostat;1",
      enqueuedTime: hub.now,
    });
    assert.equal(ofModule.message.to, "/devices/d/modules/m%231/messages/events");
    assert.equal(ofModule.moduleId, "m#1");
    assert.equal(ofModule.generationId, record.modules.get("m#1")!.generationId);
    assert.match(ofModule.authMethod, /^\{"scope":"module","type":"sas"/);
    hub[Symbol.dispose]();
  });

  test("that cannot be sent is refused with a reason, and nothing is sent", async () => {
    const { hub, events } = hubWithEvents();
    const device = hub.device();
    const circle: unknown[] = [];
    circle.push(circle);
    const wrong: [body: unknown, properties: unknown, kind: ErrorConstructor, message: RegExp][] = [
      [undefined, {}, TypeError, /body/],
      [() => {}, {}, TypeError, /body/],
      [1n, {}, TypeError, /body/],
      [circle, {}, TypeError, /body/],
      [{ t: NaN }, {}, RangeError, /body\.t/],
      [new Float32Array(1), {}, TypeError, /Uint8Array/],
      [new ArrayBuffer(1), {}, TypeError, /Uint8Array/],
      ["", null, TypeError, /properties/],
      ["", [], TypeError, /properties/],
      ["", { messageId: 7 }, TypeError, /messageId/],
      ["", { componentName: {} }, TypeError, /componentName/],
      ["", { creationTimeUtc: 7 }, TypeError, /creationTimeUtc/],
      ["", { expiryTimeUtc: new Date(NaN) }, RangeError, /expiryTimeUtc/],
      ["", { level: null }, TypeError, /"level"/],
      ["", { level: new Date() }, TypeError, /"level"/],
      ["", { level: Infinity }, RangeError, /"level"/],
      ["", { "": "x" }, RangeError, /property/],
    ];
    for (const [body, properties, kind, message] of wrong) {
      await assert.rejects(device.sendTelemetry(body, properties as never), (error) => {
        assert.ok(error instanceof kind, String(error));
        assert.match(error.message, message);
        return true;
      });
    }
    assert.equal(device.connected, false);
    const half = "x".repeat(128 * 1024);
    await assert.rejects(device.sendTelemetry(half, { half }), { code: "MessageTooLarge", status: 413 });
    await assert.rejects(device.sendTelemetry(half + half, { componentName: "x" }), { code: "MessageTooLarge" });
    await assert.rejects(device.sendTelemetry("", { messageId: "x".repeat(129) }), { code: "ArgumentInvalid" });
    assert.equal(events.length, 0);
    await device.sendTelemetry(new TextEncoder().encode(half + half));
    assert.equal(events.length, 1);
    hub[Symbol.dispose]();
  });

  test("needs an identity that is there and enabled, and connects the device", async () => {
    await using hub = new LocalHub();
    await assert.rejects(hub.device("nobody").sendTelemetry(""), { code: "DeviceNotFound" });
    const { hub: messaging } = hubWithEvents();
    const device = messaging.device();
    await device.sendTelemetry("");
    assert.equal(device.connected, true);
    assert.equal(messaging.record().lastActivityTime, messaging.now);
    messaging[Symbol.dispose]();
  });
});

test("Telemetry tells how its device has signed in", async () => {
  const { hub, events } = hubWithEvents();
  const { state } = hub;
  const tls = await makeSelfSignedCertificate(["localhost"]);
  const primaryThumbprint = await certificateThumbprint(tls.cert);
  state.devices.create("x", {
    authentication: { type: "selfSigned", x509Thumbprint: { primaryThumbprint, secondaryThumbprint: null } },
  });
  const backend = hubAmqpBackend(state, new AmqpFaultState());
  const listener = await startAmqpListener(backend, { hostname: "127.0.0.1", port: 0, tls });
  const { primaryKey } = state.policies.get("device")!;
  const connectionString = `HostName=hub.example;SharedAccessKeyName=device;SharedAccessKey=${primaryKey}`;
  const key = hub.record().authentication.symmetricKey.primaryKey!;
  const own = signSas({ connectionString, sr: "hub.example%2Fdevices%2Fd", key }).replace(/&skn=.*$/, "");
  for (
    const [deviceId, token, certificate] of [
      ["d", signSas({ connectionString }), {}],
      ["d", own, {}],
      ["x", undefined, tls],
    ] as const
  ) {
    const options = { transport: "tls", servername: "localhost", ca: tls.cert, ...certificate };
    await using client = new BareClient(listener.port, options);
    if (token !== undefined) assert.equal((await client.putToken({ body: token }))[0], 200);
    await outcomeOf(await client.openSender(`/devices/${deviceId}/messages/events`), {});
  }
  assert.deepEqual(events.map(({ authMethod }) => JSON.parse(authMethod)), [
    { scope: "hub", type: "sas", issuer: "iothub", acceptingIpFilterRule: null },
    { scope: "device", type: "sas", issuer: "iothub", acceptingIpFilterRule: null },
    { scope: "device", type: "x509Certificate", issuer: "external", acceptingIpFilterRule: null },
  ]);
  await listener.close();
  hub[Symbol.dispose]();
});
