import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { RestCaller } from "../support/rest_caller.ts";

const ANY = { "if-match": "*" };

interface Setup extends AsyncDisposable {
  hub: LocalHub;
  rest: RestCaller;
}

/** A hub with the devices `d` and `off`, which is disabled, and the module `d/m`. */
async function setup(): Promise<Setup> {
  const hub = new LocalHub();
  const rest = new RestCaller(hub);
  await rest.createDevices("d");
  await rest.do("PUT", "/devices/off", { deviceId: "off", status: "disabled" });
  await rest.do("PUT", "/devices/d/modules/m", { moduleId: "m" });
  return {
    hub,
    rest,
    [Symbol.asyncDispose]: () => hub.close(),
  };
}

const NO_FUNCTION = { name: "TypeError", message: "Cannot use handler: it must be a function, got undefined" };

describe("a device", () => {
  test("is the same object each time and counts as connected while its identity is there and enabled", async () => {
    await using all = await setup();
    const { hub, rest } = all;
    const device = hub.device("new");
    assert.equal(hub.device("new"), device);
    device.connect();
    assert.equal(device.connected, false);
    await rest.createDevices("new");
    assert.equal(device.connected, true);
    assert.equal((await rest.do("GET", "/devices/new")).connectionState, "Connected");
    await rest.do("PUT", "/devices/new", { status: "disabled" }, ANY);
    assert.equal(device.connected, false);
    const disabled = await rest.do("GET", "/twins/new");
    assert.deepEqual([disabled.connectionState, disabled.status], ["Disconnected", "disabled"]);
    await rest.do("PUT", "/devices/new", {}, ANY);
    assert.equal(device.connected, true);
    await rest.do("DELETE", "/devices/new", undefined, ANY);
    assert.equal(device.connected, false);
    await rest.createDevices("new");
    assert.equal(device.connected, true);
    device.disconnect();
    assert.equal(device.connected, false);
    const { lastActivityTime, connectionStateUpdatedTime } = await rest.do("GET", "/devices/new");
    for (const time of [lastActivityTime, connectionStateUpdatedTime]) {
      assert.ok(Math.abs(Date.parse(time) - Date.now()) < 5000);
    }
  });

  test("takes its modules offline when it is disabled", async () => {
    await using all = await setup();
    const module = all.hub.device("d").module("m");
    module.connect();
    await all.rest.do("PUT", "/devices/d", { status: "disabled" }, ANY);
    assert.equal(module.connected, false);
    await all.rest.do("PUT", "/devices/d", {}, ANY);
    assert.equal(module.connected, true);
  });

  test("sees its twin without metadata and tags, in a copy", async () => {
    await using all = await setup();
    await all.rest.do("PATCH", "/twins/d", { tags: { t: 1 }, properties: { desired: { a: { b: 1 } } } });
    const { twin } = all.hub.device("d");
    const expected = { desired: { a: { b: 1 }, $version: 2 }, reported: { $version: 1 } };
    assert.deepEqual(twin, expected);
    Object.assign(twin.desired, { a: "changed" });
    assert.deepEqual(all.hub.device("d").twin, expected);
    for (const id of ["none", "off"]) assert.throws(() => all.hub.device(id).twin, { code: "DeviceNotFound" });
  });

  test("reports properties as a merge patch and learns their version", async () => {
    await using all = await setup();
    const device = all.hub.device("d");
    const patch = { a: { b: 1, c: 2 } };
    assert.equal(await device.updateReportedProperties(patch), 2);
    patch.a.b = 9;
    assert.equal(await device.updateReportedProperties({ a: { c: null } }), 3);
    assert.deepEqual(device.twin.reported, { a: { b: 1 }, $version: 3 });
    assert.equal(device.connected, true);
    const missing = all.hub.device("none").updateReportedProperties({ a: 1 });
    await assert.rejects(missing, { name: "HubFault", code: "DeviceNotFound", status: 404, errorNumber: 404001 });
  });

  test("hears of desired properties: a patch as sent, a replace as a whole, tags never", async () => {
    await using all = await setup();
    const seen: unknown[] = [];
    all.hub.device("d").onDesiredProperties((patch) => seen.push(patch));
    await all.rest.do("PATCH", "/twins/d", { properties: { desired: { a: { b: 1, c: null } } } });
    await all.rest.do("PATCH", "/twins/d", { tags: { a: 1 } });
    await all.rest.do("PATCH", "/twins/d", { properties: { desired: { a: null } } });
    await all.rest.do("PUT", "/twins/d", { properties: { desired: { z: 1, n: null } } });
    all.hub.device("d").disconnect();
    await all.rest.do("PATCH", "/twins/d", { properties: { desired: { missed: 1 } } });
    assert.deepEqual(seen, [{ a: { b: 1, c: null }, $version: 2 }, { a: null, $version: 3 }, { z: 1, $version: 4 }]);
  });

  test("refuses a handler that is no function", async () => {
    await using all = await setup();
    const device = all.hub.device("d");
    for (const act of ["onMessage", "onDesiredProperties"] as const) {
      assert.throws(() => device[act](undefined as unknown as () => void), NO_FUNCTION);
    }
    assert.throws(() => device.onMethod("m", undefined as unknown as () => { status: number }), NO_FUNCTION);
    assert.throws(() => device.module("m").module("n"), TypeError);
    assert.throws(() => device.module(1 as unknown as string), {
      name: "TypeError",
      message: "Cannot use moduleId: it must be a string, got a number",
    });
    await assert.rejects(device.updateReportedProperties(undefined as unknown as Record<string, unknown>), {
      name: "TypeError",
      message: "Cannot use patch: it must be an object, got undefined",
    });
  });
});
