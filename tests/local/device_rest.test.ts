import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { HubState } from "../../lib/local/hub_state.ts";
import { encodeBase64 } from "../../lib/values/base64.ts";
import { type DeviceAnswer, DeviceCaller, signAsDevice } from "../support/device_caller.ts";
import { MessagingHub } from "../support/messaging_hub.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const base64 = (value: string): string => encodeBase64(new TextEncoder().encode(value));

function setup(): { hub: MessagingHub; device: DeviceCaller } & Disposable {
  const hub = new MessagingHub();
  return { hub, device: new DeviceCaller(hub.state), [Symbol.dispose]: () => hub[Symbol.dispose]() };
}

function assertFails(answer: DeviceAnswer, status: number, code: string): void {
  assert.deepEqual([answer.status, answer.code], [status, code], answer.text);
}

describe("Telemetry over HTTPS", () => {
  test("takes a message with its headers, whatever their case", async () => {
    using all = setup();
    const { status, text: body } = await all.device.send("{}", {
      "IoTHub-MessageId": "m",
      "IOTHUB-CORRELATIONID": "c",
      "iothub-userid": "u",
      "iothub-contenttype": "application/json",
      "IoTHub-ContentEncoding": "utf-8",
      "iothub-expiry": "2030-01-31T12:00:00Z",
      "iothub-interface-id": "urn:a",
      "dt-subject": "fan",
      "iothub-app-level": "high",
      "IOTHUB-APP-__proto__": "odd",
      "iothub-unknown": "dropped",
    });
    assert.deepEqual([status, body], [204, ""]);
    const [{ message, deviceId, moduleId } = assert.fail()] = all.device.events;
    assert.deepEqual([deviceId, moduleId], ["d", undefined]);
    const { data, properties, ...rest } = message;
    assert.equal(text(data), "{}");
    assert.deepEqual(Object.entries(properties).sort(), [["__proto__", "odd"], ["level", "high"]]);
    assert.deepEqual(rest, {
      to: "/devices/d/messages/events",
      messageId: "m",
      correlationId: "c",
      userId: "u",
      contentType: "application/json",
      contentEncoding: "utf-8",
      expiryTime: Date.parse("2030-01-31T12:00:00Z"),
      interfaceId: "urn:a",
      subject: "fan",
    });
  });

  test("takes a message of nothing, and one of 256 KiB, and none that is larger", async () => {
    using all = setup();
    assert.equal((await all.device.send("")).status, 204);
    assert.equal((await all.device.send(new Uint8Array(256 * 1024))).status, 204);
    assertFails(await all.device.send(new Uint8Array(256 * 1024 + 1)), 413, "MessageTooLarge");
    assertFails(await all.device.send(new Uint8Array(256 * 1024), { "iothub-app-a": "b" }), 413, "MessageTooLarge");
    assertFails(await all.device.send(new Uint8Array(512 * 1024 + 1)), 413, "MessageTooLarge");
    assert.equal(all.device.events.length, 2);
  });

  test("refuses wrong headers before it reads the body", async () => {
    using all = setup();
    for (
      const headers of [
        { "iothub-messageid": "x".repeat(129) },
        { "iothub-expiry": "tomorrow" },
        { "iothub-app-": "nameless" },
      ] as Record<string, string>[]
    ) {
      let isRead = false;
      const body = new ReadableStream({
        pull: () => {
          isRead = true;
        },
      }, { highWaterMark: 0 });
      const answer = await all.device.call("POST", "/messages/events", { headers, body });
      assertFails(answer, 400, "ArgumentInvalid");
      assert.equal(isRead, false);
    }
  });

  test("takes the batches of each SDK", async () => {
    using all = setup();
    const node = [{ body: base64("node"), properties: { "iothub-app-a": "1", "dt-subject": "fan" } }];
    const java = [{ body: base64("java"), base64Encoded: true, properties: { "IOTHUB-APP-a": "2" } }];
    const c = [{ body: "c", base64Encoded: false, properties: { "iothub-messageid": "m" } }, {
      body: "no properties",
      base64Encoded: false,
    }];
    for (const batch of [node, java, c]) assert.equal((await all.device.sendBatch(batch)).status, 204);
    assert.deepEqual(
      all.device.events.map(({ message }) => [
        text(message.data),
        message.properties["a"],
        message.subject,
        message.messageId,
      ]),
      [["node", "1", "fan", undefined], ["java", "2", undefined, undefined], ["c", undefined, undefined, "m"], [
        "no properties",
        undefined,
        undefined,
        undefined,
      ]],
    );
  });

  test("takes a batch as a whole or not at all", async () => {
    using all = setup();
    const good = { body: base64("good") };
    const bad: [unknown, number, string][] = [
      [{}, 400, "ArgumentInvalid"],
      [[], 400, "ArgumentInvalid"],
      [[good, 1], 400, "ArgumentInvalid"],
      [[good, {}], 400, "ArgumentInvalid"],
      [[good, { body: "no base64!" }], 400, "ArgumentInvalid"],
      [[good, { body: "x", base64Encoded: 7 }], 400, "ArgumentInvalid"],
      [[good, { body: "", properties: [] }], 400, "ArgumentInvalid"],
      [[good, { body: "", properties: { "iothub-app-a": {} } }], 400, "ArgumentInvalid"],
      [[good, { body: "", properties: { "iothub-messageid": "x".repeat(129) } }], 400, "ArgumentInvalid"],
      [Array.from({ length: 501 }, () => good), 400, "ArgumentInvalid"],
      [Array.from({ length: 3 }, () => ({ body: "x".repeat(100_000), base64Encoded: false })), 413, "MessageTooLarge"],
      [[{ body: "x".repeat(600_000), base64Encoded: false }], 413, "MessageTooLarge"],
      ["{", 400, "GenericBadRequest"],
      ["[".repeat(200), 400, "GenericBadRequest"],
    ];
    for (const [batch, status, code] of bad) assertFails(await all.device.sendBatch(batch), status, code);
    assert.equal(all.device.events.length, 0);
  });

  test("counts as activity, and never as a connection", async () => {
    using all = setup();
    const { hub, device } = all;
    hub.tick(1000);
    await device.send("a");
    const before = await hub.rest.do("GET", "/devices/d");
    assert.equal(before.connectionState, "Disconnected");
    assert.equal(Date.parse(before.lastActivityTime), hub.now);
    hub.send("m");
    hub.tick(1000);
    const lock = (await device.receive()).headers.get("etag")!.slice(1, -1);
    assert.equal(Date.parse((await hub.rest.do("GET", "/devices/d")).lastActivityTime), hub.now);
    hub.tick(1000);
    await device.call("DELETE", `/messages/devicebound/${lock}`);
    const after = await hub.rest.do("GET", "/devices/d");
    assert.equal(Date.parse(after.lastActivityTime), hub.now);
    assert.equal(after.connectionState, "Disconnected");
    assert.deepEqual(await hub.rest.do("GET", "/statistics/service"), { connectedDeviceCount: 0 });
  });
});

describe("Messages to devices over HTTPS", () => {
  const lockOf = ({ headers }: DeviceAnswer): string => headers.get("etag")!.slice(1, -1);

  test("come with their headers, and are gone when they are completed", async () => {
    using all = setup();
    const { hub, device } = all;
    hub.send("m1", {
      to: "/devices/d/messages/devicebound",
      correlationId: "c1",
      userId: "u1",
      ack: "full",
      contentType: "text/plain",
      contentEncoding: "utf-8",
      expiryTime: hub.now + 5000,
      data: Uint8Array.of(0, 255, 10),
      properties: { level: "high", "größe": "käse\n", count: 7 },
    });
    const answer = await device.receive();
    assert.equal(answer.status, 200);
    const headers = Object.fromEntries(answer.headers);
    const lockToken = lockOf(answer);
    assert.match(lockToken, /^[0-9a-f-]{36}$/);
    const expected = {
      "etag": `"${lockToken}"`,
      "content-length": "3",
      "content-type": "application/octet-stream",
      "iothub-messageid": "m1",
      "iothub-correlationid": "c1",
      "iothub-userid": "u1",
      "iothub-to": "/devices/d/messages/devicebound",
      "iothub-ack": "full",
      "iothub-contenttype": "text/plain",
      "iothub-contentencoding": "utf-8",
      "contenttype": "text/plain",
      "contentencoding": "utf-8",
      "iothub-sequencenumber": "1",
      "iothub-deliverycount": "0",
      "iothub-app-level": "high",
      "iothub-app-count": "7",
      "iothub-app-gr%c3%b6%c3%9fe": "k%C3%A4se%0A",
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(headers[name], value, name);
    assert.equal(Date.parse(headers["iothub-enqueuedtime"]!), hub.now);
    assert.equal(Date.parse(headers["iothub-expiry"]!), hub.now + 5000);
    assert.equal((await device.receive()).status, 204);
    assert.equal((await device.call("DELETE", `/messages/devicebound/${lockToken}`)).status, 204);
    assert.equal(hub.queue.count(hub.now), 0);
    assert.deepEqual(await hub.feedback(), [["m1", "Success"]]);
  });

  for (
    const [name, query] of [["Node and C", "&reject"], ["others", "?reject"], ["others with a value", "?reject=true"]]
  ) {
    test(`are rejected as by the SDK for ${name}`, async () => {
      using all = setup();
      const { hub, device } = all;
      hub.send("m", { ack: "full" });
      const lockToken = lockOf(await device.receive());
      const path = `/messages/devicebound/${lockToken}${query!.startsWith("&") ? `?a=b${query}` : query}`;
      assert.equal((await device.call("DELETE", path)).status, 204);
      assert.deepEqual(await hub.feedback(), [["m", "Rejected"]]);
    });
  }

  test("are abandoned, and end with the tenth time", async () => {
    using all = setup();
    const { hub, device } = all;
    hub.send("m", { ack: "full" });
    for (let count = 0; count < 10; count++) {
      const answer = await device.receive();
      assert.equal(answer.headers.get("iothub-deliverycount"), String(count));
      assert.equal((await device.call("POST", `/messages/devicebound/${lockOf(answer)}/abandon`)).status, 204);
    }
    assert.equal((await device.receive()).status, 204);
    assert.deepEqual(await hub.feedback(), [["m", "DeliveryCountExceeded"]]);
  });

  test("take a token in If-Match, quoted or not, that is the same", async () => {
    using all = setup();
    const { hub, device } = all;
    const quotes: ((token: string) => string)[] = [(token) => token, (token) => `"${token}"`, () => "*"];
    for (const quote of quotes) {
      hub.send("m");
      const lockToken = lockOf(await device.receive());
      const path = `/messages/devicebound/${lockToken}`;
      const wrong = await device.call("DELETE", path, { headers: { "if-match": quote("other").replace("*", "x") } });
      assertFails(wrong, 412, "PreconditionFailed");
      assert.equal((await device.call("DELETE", path, { headers: { "if-match": quote(lockToken) } })).status, 204);
    }
  });

  test("are locked for a minute, or for as long as a header or the query says, up to five minutes", async () => {
    using all = setup();
    const { hub, device } = all;
    const name = "iothub-messagelocktimeout";
    const cases: [Record<string, string>, string, number][] = [
      [{}, "", 60],
      [{ [name]: "5" }, "", 5],
      [{ "IotHub-MessageLockTimeout": "180" }, "", 180],
      [{ [name]: "5" }, `?${name}=10.5`, 10.5],
      [{ [name]: "86400" }, "", 300],
    ];
    for (const [headers, query, seconds] of cases) {
      hub.send("m");
      const lockToken = lockOf(await device.receive(headers, query));
      hub.tick(seconds * 1000 - 1);
      assert.equal((await device.receive()).status, 204);
      hub.tick(1);
      const path = `/messages/devicebound/${lockToken}`;
      assertFails(await device.call("DELETE", path), 412, "DeviceMessageLockLost");
      assertFails(await device.call("DELETE", `${path}?reject`), 412, "DeviceMessageLockLost");
      assertFails(await device.call("POST", `${path}/abandon`), 412, "DeviceMessageLockLost");
      const again = await device.receive();
      assert.equal(again.headers.get("iothub-deliverycount"), "0");
      await device.call("DELETE", `/messages/devicebound/${lockOf(again)}`);
    }
    for (const value of ["0", "-1", "soon", "1e9", ""]) {
      assertFails(await device.receive({}, `?${name}=${value}`), 400, "ArgumentInvalid");
    }
  });

  test("are for their device alone", async () => {
    using all = setup();
    const { hub, device } = all;
    hub.state.devices.create("other", {});
    const other = new DeviceCaller(hub.state, "other");
    hub.send("m");
    assert.equal((await other.receive()).status, 204);
    const lockToken = lockOf(await device.receive());
    assertFails(await other.call("DELETE", `/messages/devicebound/${lockToken}`), 412, "DeviceMessageLockLost");
    assert.equal((await device.call("DELETE", `/messages/devicebound/${lockToken}`)).status, 204);
  });

  test("carry any property back and forth, in headers that every client reads", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string({ minLength: 1, unit: "binary" }), fc.string({ unit: "binary" })),
        async (properties) => {
          using all = setup();
          all.hub.send("m", { properties });
          const { status, headers } = await all.device.receive();
          assert.equal(status, 200);
          const names = new Set(Object.keys(properties).map((name) => encoded(name).toLowerCase()));
          const received = [...headers].filter(([name]) => name.startsWith("iothub-app-"));
          assert.deepEqual(new Set(received.map(([name]) => name.slice("iothub-app-".length))), names);
          for (const [name, value] of received) {
            assert.match(name, /^[!-~]+$/);
            assert.match(value, /^[ -~]*$/);
          }
        },
      ),
      { numRuns: 50 },
    );
    function encoded(name: string): string {
      return name.replace(
        /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/gu,
        (character) =>
          [...new TextEncoder().encode(character)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
      );
    }
  });
});

describe("Who may make the requests of a device", () => {
  const EACH: readonly [string, string][] = [
    ["POST", "/messages/events"],
    ["GET", "/messages/deviceBound"],
    ["DELETE", "/messages/devicebound/t"],
    ["POST", "/messages/devicebound/t/abandon"],
  ];

  for (const [method, path] of EACH) {
    test(`is the device itself, or a policy with DeviceConnect: ${method} ${path}`, async () => {
      using all = setup();
      const { hub, device } = all;
      hub.state.devices.create("other", {});
      const { primaryKey } = hub.record().authentication.symmetricKey;
      const good = [
        device.authorization,
        device.policy("device"),
        device.policy("iothubowner", "hub.example/devices/d"),
        device.policy("device", "hub.example/devices"),
      ];
      const { token } = await hub.state.jwt.credential({}).getToken("https://iothubs.azure.net/.default");
      const bad: (string | null)[] = [
        null,
        new DeviceCaller(hub.state, "other").authorization,
        device.policy("service"),
        device.policy("registryReadWrite"),
        device.policy("device", "hub.example/devices/other"),
        device.authorization.replace(/sig=[^&]+/, "sig=AAAA"),
        `Bearer ${token}`,
        "Basic abc",
        signAsDevice(hub.state.hostName, "", primaryKey!),
      ];
      for (const authorization of good) {
        const { status } = await device.call(method, path, { authorization });
        assert.equal(status, path.includes("/t") ? 412 : 204);
      }
      for (const authorization of bad) {
        const { status } = await device.call(method, path, { authorization });
        assert.equal(status, 401, String(authorization));
      }
    });
  }

  test("is no disabled device, none with other keys, none that is gone, and that at once", async () => {
    using all = setup();
    const { hub, device } = all;
    const { authorization } = device;
    const send = async (by: string): Promise<number> =>
      (await device.call("POST", "/messages/events", {
        authorization: by,
      })).status;
    assert.equal(await send(authorization), 204);
    await hub.rest.do("PUT", "/devices/d", { deviceId: "d", status: "disabled" }, { "if-match": "*" });
    const current = device.authorization;
    assert.deepEqual([await send(current), await send(device.policy("device"))], [401, 404]);
    await hub.rest.do("PUT", "/devices/d", { deviceId: "d" }, { "if-match": "*" });
    assert.deepEqual([await send(authorization), await send(current), await send(device.authorization)], [
      401,
      401,
      204,
    ]);
    const last = device.authorization;
    await hub.rest.do("DELETE", "/devices/d", undefined, { "if-match": "*" });
    assert.deepEqual([await send(last), await send(device.policy("device"))], [401, 404]);
  });

  test("is checked anew when the body has come", async () => {
    using all = setup();
    const { hub, device } = all;
    const body = new ReadableStream({
      async pull(controller) {
        await hub.rest.do("DELETE", "/devices/d", undefined, { "if-match": "*" });
        controller.close();
      },
    }, { highWaterMark: 0 });
    const options = { authorization: device.policy("device"), body };
    assertFails(await device.call("POST", "/messages/events", options), 404, "DeviceNotFound");
    assert.equal(device.events.length, 0);
  });

  test("is no module: it has no such paths", async () => {
    using all = setup();
    const { hub, device } = all;
    hub.state.modules.create(hub.record(), "m", {});
    for (const [method, path] of EACH) {
      assertFails(await device.call(method, `/modules/m${path}`), 404, "GenericNotFound");
    }
    const { primaryKey } = hub.record().modules.get("m")!.authentication.symmetricKey;
    const authorization = signAsDevice(hub.state.hostName, "/devices/d/modules/m", primaryKey!);
    assert.equal((await device.call("POST", "/messages/events", { authorization })).status, 401);
  });

  test("may say api-version as any SDK does, and has to say one", async () => {
    const state = new HubState({ hostName: "hub.example", now: Date.now, clockSkew: 0 });
    state.devices.create("d", {});
    const device = new DeviceCaller(state);
    const { answerRest } = await import("../../lib/local/device_rest/answer_rest.ts");
    const headers = { authorization: device.authorization };
    for (
      const [query, status] of [
        ["?api-version=2016-11-14", 204],
        ["?api-version=2019-10-01", 204],
        ["?api-version=2021-04-12&iothub-messagelocktimeout=5", 204],
        ["?api-version=now", 400],
        ["", 400],
      ] as const
    ) {
      const url = `https://hub.example/devices/d/messages/devicebound${query}`;
      assert.equal((await answerRest(state, new Request(url, { headers }))).status, status, query);
    }
    state.close();
  });

  test("is known by its id, however odd that is", async () => {
    using all = setup();
    const { hub } = all;
    for (const deviceId of ["a%2Fb", "a+b", "q?x#y", "$it's=(odd),@;*!"]) {
      hub.state.devices.create(deviceId, {});
      const device = new DeviceCaller(hub.state, deviceId);
      assert.equal((await device.send("x")).status, 204, deviceId);
      assert.equal(device.events.at(-1)!.deviceId, deviceId);
    }
  });
});
