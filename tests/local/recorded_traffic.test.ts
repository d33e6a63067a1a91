import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LocalHub } from "../../lib/local/mod.ts";
import { holds } from "../support/properties.ts";
import { RestCaller } from "../support/rest_caller.ts";

const NEVER = "0001-01-01T00:00:00Z";

/** A hub with the device `d`, whose clock stands still. */
async function setup(): Promise<{ rest: RestCaller; time: string }> {
  const hub = new LocalHub({ now: () => Date.UTC(2026, 0, 1, 12, 0, 0, 250), clockSkewInSeconds: 1e9 });
  const rest = new RestCaller(hub);
  await rest.createDevices("d");
  return { rest, time: "2026-01-01T12:00:00.25Z" };
}

/** What was recorded of real hubs, beside what the tests of each part of the hub hold. */
describe("as recorded of a real hub", () => {
  test("a time has a fraction that does not end in zeros, or none", async () => {
    let now = 0;
    await using hub = new LocalHub({ now: () => now, clockSkewInSeconds: 1e12 });
    const rest = new RestCaller(hub);
    await rest.createDevices("d");
    const update = async (status: string): Promise<string> => {
      return (await rest.do("PUT", "/devices/d", { status }, { "if-match": "*" })).statusUpdatedTime;
    };
    const time = fc.tuple(fc.integer({ min: 1, max: 4e9 }), fc.constantFrom(0, 1, 10, 100, 120, 123, 999));
    await holds(
      fc.asyncProperty(time, async ([seconds, milliseconds]) => {
        now = seconds * 1000 + milliseconds;
        await update("enabled");
        const text = await update("disabled");
        assert.equal(Date.parse(text), now);
        assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d*[1-9])?Z$/);
      }),
      100,
    );
  });

  test("the twin of a module that was put has never been updated, in both sections", async () => {
    const { rest } = await setup();
    await rest.do("PUT", "/devices/d/modules/m", {});
    const { desired, reported } = (await rest.do("GET", "/twins/d/modules/m")).properties;
    const section = { $metadata: { $lastUpdated: NEVER }, $version: 1 };
    assert.deepEqual([desired, reported], [section, section]);
  });

  test("the twin of a module that was created in bulk has the time and a version in both sections", async () => {
    const { rest, time } = await setup();
    const desired = { a: { b: 1 } };
    await rest.do("POST", "/devices", [
      { id: "d", moduleId: "empty", importMode: "create" },
      { id: "d", moduleId: "full", importMode: "create", properties: { desired } },
    ]);
    const stamp = { $lastUpdated: time, $lastUpdatedVersion: 1 };
    const empty = { $metadata: stamp, $version: 1 };
    assert.deepEqual((await rest.do("GET", "/twins/d/modules/empty")).properties, { desired: empty, reported: empty });
    assert.deepEqual((await rest.do("GET", "/twins/d/modules/full")).properties, {
      desired: { ...desired, $metadata: { ...stamp, a: { ...stamp, b: stamp } }, $version: 1 },
      reported: empty,
    });
  });

  test("the twin of a device has the time of its creation, but no time where a bulk call gave it content", async () => {
    const { rest, time } = await setup();
    await rest.do("POST", "/devices", [
      { id: "empty", importMode: "create" },
      { id: "full", importMode: "create", properties: { desired: { a: 1 } } },
    ]);
    const created = { $metadata: { $lastUpdated: time }, $version: 1 };
    const stamp = { $lastUpdated: NEVER, $lastUpdatedVersion: 1 };
    for (const id of ["d", "empty"]) {
      const { properties } = await rest.do("GET", `/twins/${id}`);
      assert.deepEqual(properties, { desired: created, reported: created }, id);
    }
    assert.deepEqual((await rest.do("GET", "/twins/full")).properties, {
      desired: { a: 1, $metadata: { ...stamp, a: stamp }, $version: 1 },
      reported: created,
    });
  });

  test("an empty parentScopes comes back with a create, and with a replacement that has it, but not with a read", async () => {
    const { rest } = await setup();
    const body = { deviceId: "e", parentScopes: [] };
    assert.deepEqual((await rest.do("PUT", "/devices/e", { deviceId: "e" })).parentScopes, []);
    assert.deepEqual((await rest.do("PUT", "/devices/e", body, { "if-match": "*" })).parentScopes, []);
    const without = [await rest.do("PUT", "/devices/e", {}, { "if-match": "*" }), await rest.do("GET", "/devices/e")];
    for (const device of without) assert.equal("parentScopes" in device, false);
  });

  test("a missing device is told by its bare id", async () => {
    const { rest } = await setup();
    const calls: [method: string, path: string][] = [
      ["GET", "/devices/none"],
      ["DELETE", "/devices/none/commands"],
      ["GET", "/twins/none"],
      ["PATCH", "/twins/none"],
    ];
    for (const [method, path] of calls) {
      const { body } = await rest.fails([404, "DeviceNotFound"], method, path, method === "PATCH" ? {} : undefined);
      assert.equal(body.Message, "ErrorCode:DeviceNotFound;none", `${method} ${path}`);
    }
    const method = await rest.fails([404, "DeviceNotFound"], "POST", "/twins/none/methods", { methodName: "m" });
    assert.equal(JSON.parse(method.body.Message).message, "none");
    const bulk = await rest.call("POST", "/devices", [{ id: "none", importMode: "delete" }]);
    assert.equal(bulk.body.errors[0].errorStatus, "none");
  });

  test("an identity write with an old etag is refused in two words", async () => {
    const { rest } = await setup();
    await rest.do("PUT", "/devices/d/modules/m", {});
    const headers = { "if-match": '"old"' };
    for (const path of ["/devices/d", "/devices/d/modules/m"]) {
      for (const method of ["PUT", "DELETE"]) {
        const body = method === "PUT" ? {} : undefined;
        const answer = await rest.fails([412, "PreconditionFailed"], method, path, body, { headers });
        assert.equal(answer.body.Message, "ErrorCode:PreconditionFailed;PreconditionFailed");
      }
    }
  });
});
