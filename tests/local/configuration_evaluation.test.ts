import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { ConfigurationScene } from "../support/configuration_scene.ts";
import { type Json, RestCaller } from "../support/rest_caller.ts";

describe("a configuration for devices", () => {
  test("sets the properties that it names, in the twins that it is meant for", async () => {
    await using scene = new ConfigurationScene();
    await scene.rest.createDevices("oslo", "rome");
    await scene.patch("oslo", {
      tags: { site: "oslo" },
      properties: { desired: { a: { old: 1 }, b: { old: 1 }, z: 1 } },
    });
    await scene.put("c", {
      targetCondition: "tags.site = 'oslo'",
      content: {
        deviceContent: {
          "properties.desired.a": { new: { x: 1, y: null }, list: [1, { y: 2 }] },
          "properties.desired.b.c.d": 2,
          "properties.desired.z": null,
        },
      },
    });
    assert.deepEqual(await scene.desired("oslo"), {
      a: { new: { x: 1 }, list: [1, { y: 2 }] },
      b: { old: 1, c: { d: 2 } },
    });
    assert.deepEqual(await scene.states("oslo"), { c: "Applied" });
    assert.deepEqual(await scene.desired("rome"), {});
    assert.deepEqual(await scene.states("rome"), {});
    assert.equal("configurations" in await scene.rest.do("GET", "/twins/rome"), false);
  });

  test("replaces all properties when it names none", async () => {
    await using scene = new ConfigurationScene();
    await scene.rest.createDevices("d");
    await scene.patch("d", { properties: { desired: { mine: 1, mode: { a: 1 } } } });
    const content = { "properties.desired": { mode: { b: 2 } }, "properties.desired.level": 3 };
    await scene.put("c", { targetCondition: "*", content: { deviceContent: content } });
    assert.deepEqual(await scene.desired("d"), { mode: { b: 2 }, level: 3 });
  });

  test("lets others have their turn while it reaches many devices", async () => {
    await using scene = new ConfigurationScene();
    const ids = Array.from({ length: 5000 }, (_, i) => `d${i}`);
    await scene.rest.createDevices(...ids);
    const content = { deviceContent: { "properties.desired.value": 1 } };
    await scene.rest.do("PUT", "/configurations/c", { targetCondition: "*", content });
    assert.deepEqual(await scene.desired("d4999"), {}, "not all was done in one turn");
    await scene.hub.settled();
    for (const id of ["d0", "d1999", "d2000", "d4999"]) assert.deepEqual(await scene.desired(id), { value: 1 });
    const { systemMetrics } = await scene.rest.do("GET", "/configurations/c");
    assert.deepEqual(systemMetrics.results, { appliedCount: 5000, targetedCount: 5000 });
  });

  test("and a device that change each other without end are found out", async () => {
    await using scene = new ConfigurationScene();
    await scene.rest.createDevices("d");
    const device = scene.hub.device("d");
    device.onDesiredProperties(({ value }) => device.updateReportedProperties({ value: 1 - Number(value) }));
    device.updateReportedProperties({ value: 0 });
    await scene.rest.do("PUT", "/configurations/zero", {
      targetCondition: "properties.reported.value = 0",
      content: { deviceContent: { "properties.desired.value": 0 } },
    });
    await scene.rest.do("PUT", "/configurations/one", {
      targetCondition: "properties.reported.value = 1",
      content: { deviceContent: { "properties.desired.value": 1 } },
    });
    await assert.rejects(scene.hub.settled(), /does not settle.*in a circle/s);
  });

  test("moves the versions of a twin once, tells the device what has changed, and signs for it", async () => {
    await using scene = new ConfigurationScene();
    await scene.rest.createDevices("d");
    await scene.patch("d", { properties: { desired: { same: 1, gone: 2 } } });
    const before = await scene.rest.do("GET", "/twins/d");
    const told: Json[] = [];
    scene.hub.device("d").onDesiredProperties((patch) => void told.push(patch));
    scene.wait(1000);
    await scene.put("c", {
      targetCondition: "*",
      content: { deviceContent: { "properties.desired": { same: 1, mode: { level: 3 } } } },
    });

    const { etag, version, properties: { desired } } = await scene.rest.do("GET", "/twins/d");
    assert.equal(version, before.version + 1);
    assert.notEqual(etag, before.etag);
    assert.equal(desired.$version, before.properties.desired.$version + 1);
    assert.deepEqual(told, [{ gone: null, mode: { level: 3 }, $version: desired.$version }]);
    const ticks = String(BigInt(Date.UTC(2026, 0, 1) + 1000) * 10_000n + 621_355_968_000_000_000n);
    const stamp = {
      $lastUpdated: "2026-01-01T00:00:01Z",
      $lastUpdatedVersion: 3,
      $lastUpdatedBy: "c",
      $lastUpdatedByDigest: ticks,
    };
    assert.deepEqual(desired.$metadata, {
      ...stamp,
      mode: { ...stamp, level: stamp },
      same: { $lastUpdated: "2026-01-01T00:00:00Z", $lastUpdatedVersion: 2 },
    });

    await scene.patch("d", { properties: { desired: { same: 1 } } });
    const { $metadata } = (await scene.rest.do("GET", "/twins/d")).properties.desired;
    assert.deepEqual(Object.keys($metadata).sort(), ["$lastUpdated", "$lastUpdatedVersion", "mode", "same"]);
    assert.deepEqual($metadata.mode, { ...stamp, level: stamp });
  });

  test("leaves the versions of a twin alone that has its properties already", async () => {
    await using scene = new ConfigurationScene();
    await scene.rest.createDevices("d");
    await scene.patch("d", { properties: { desired: { value: { a: [1] } } } });
    const { etag, version, properties } = await scene.rest.do("GET", "/twins/d");
    await scene.forDevices("c", "*", { a: [1] });
    assert.deepEqual(await scene.states("d"), { c: "Applied" });
    const after = await scene.rest.do("GET", "/twins/d");
    assert.deepEqual([after.etag, after.version, after.properties], [etag, version, properties]);
  });

  test("is applied to a twin only if none of a higher priority is meant for it, or a newer one of the same", async () => {
    await using scene = new ConfigurationScene();
    await scene.rest.createDevices("d");
    await scene.forDevices("low", "*", "low", 1);
    await scene.forDevices("high", "*", "high", 5);
    await scene.forDevices("older", "*", "older", 3);
    assert.deepEqual(await scene.desired("d"), { value: "high" });
    assert.deepEqual(await scene.states("d"), { low: "Targeted", high: "Applied", older: "Targeted" });
    await scene.forDevices("newer", "*", "newer", 5);
    assert.deepEqual(await scene.desired("d"), { value: "newer" });

    const content = { deviceContent: { "properties.desired.value": "ignored" } };
    await scene.update("low", { content, targetCondition: "*", priority: 9 });
    assert.deepEqual(await scene.desired("d"), { value: "low" });
    await scene.update("low", { content, targetCondition: "tags.x = 1", priority: 9 });
    assert.deepEqual(await scene.desired("d"), { value: "newer" });
    await scene.rest.do("DELETE", "/configurations/newer");
    await scene.hub.settled();
    assert.deepEqual(await scene.desired("d"), { value: "high" });
    assert.deepEqual(await scene.states("d"), { high: "Applied", older: "Targeted" });
  });

  test("follows what devices report, their tags, and devices that come", async () => {
    await using scene = new ConfigurationScene();
    await scene.forDevices("c", "tags.site = 'oslo' AND properties.reported.level > 2", 1);
    const tags = { site: "oslo" };
    await scene.rest.createDevices("d");
    const device = scene.hub.device("d");
    await device.updateReportedProperties({ level: 3 });
    await scene.hub.settled();
    assert.equal(device.twin.desired["value"], undefined);
    await scene.patch("d", { tags });
    assert.equal(device.twin.desired["value"], 1);
    assert.deepEqual(await scene.states("d"), { c: "Applied" });
    await device.updateReportedProperties({ level: 1 });
    await scene.hub.settled();
    assert.deepEqual(await scene.states("d"), {});
    assert.equal(device.twin.desired["value"], 1, "what it has set stays");

    await scene.forDevices("all", "tags.site = 'oslo'", 2);
    await scene.rest.do("POST", "/devices", [{ id: "bulk", importMode: "create", tags }]);
    assert.deepEqual(await scene.desired("bulk"), { value: 2 });
    await scene.rest.do("DELETE", "/devices/bulk", undefined, { "if-match": "*" });
    await scene.rest.createDevices("bulk");
    assert.deepEqual(await scene.desired("bulk"), {});
  });

  test("leaves what it has set when it is deleted, and its name no longer", async () => {
    await using scene = new ConfigurationScene();
    await scene.rest.createDevices("d");
    await scene.forDevices("c", "*", 1);
    await scene.rest.do("DELETE", "/configurations/c");
    await scene.hub.settled();
    assert.deepEqual(await scene.desired("d"), { value: 1 });
    assert.equal("configurations" in await scene.rest.do("GET", "/twins/d"), false);
    await scene.patch("d", { properties: { desired: { value: 2 } } });
    assert.deepEqual(await scene.desired("d"), { value: 2 });
  });

  test("sets again what somebody else has changed, and leaves the rest alone", async () => {
    await using scene = new ConfigurationScene();
    await scene.rest.createDevices("d");
    await scene.forDevices("c", "*", 1);
    await scene.patch("d", { properties: { desired: { value: 2, mine: 3 } } });
    assert.deepEqual(await scene.desired("d"), { value: 1, mine: 3 });
    await scene.rest.do("PUT", "/twins/d", { properties: { desired: {} } });
    assert.deepEqual(await scene.desired("d"), { value: 1 });
  });

  test("waits at a twin that would be too large with it", async () => {
    await using scene = new ConfigurationScene();
    await scene.rest.createDevices("d", "e");
    const large = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`k${n}`, "x".repeat(4000)]));
    await scene.patch("d", { properties: { desired: large } });
    await scene.forDevices("c", "*", "y".repeat(4000));
    assert.deepEqual(await scene.states("d"), { c: "Targeted" });
    assert.deepEqual(await scene.states("e"), { c: "Applied" });
    assert.deepEqual(await scene.desired("d"), large);
    assert.deepEqual((await scene.results("c")).system, { targetedCount: 2, appliedCount: 1 });
    await scene.patch("d", { properties: { desired: { k0: null } } });
    assert.deepEqual(await scene.states("d"), { c: "Applied" });
  });

  test("is carried out by itself, without anybody who waits for it", { timeout: 10_000 }, async () => {
    // Only this timer keeps the process alive: the hub's own does not.
    const alive = setTimeout(() => {}, 10_000);
    await using hub = new LocalHub();
    const rest = new RestCaller(hub);
    await rest.createDevices("d");
    const told = new Promise((resolve) => hub.device("d").onDesiredProperties(resolve));
    const content = { deviceContent: { "properties.desired.value": 1 } };
    await rest.do("PUT", "/configurations/c", { targetCondition: "*", content });
    assert.deepEqual(await told, { value: 1, $version: 2 });
    clearTimeout(alive);
  });

  test("is settled when devices have answered it, and what follows from that is done", async () => {
    await using scene = new ConfigurationScene();
    await scene.rest.createDevices("d");
    const device = scene.hub.device("d");
    device.onDesiredProperties(({ value }) => void device.updateReportedProperties({ value }));
    await scene.forDevices("a", "*", 1);
    await scene.forDevices("b", "properties.reported.value >= 1", 2, 1);
    assert.deepEqual(device.twin, {
      desired: { value: 2, $version: 3 },
      reported: { value: 2, $version: 3 },
    });
    assert.deepEqual(await scene.states("d"), { a: "Targeted", b: "Applied" });
  });

  test("is not carried out any more when the hub is closed, which is settled then", async () => {
    const scene = new ConfigurationScene();
    await scene.rest.createDevices("d");
    await scene.rest.do("PUT", "/configurations/c", {
      targetCondition: "*",
      content: { deviceContent: { "properties.desired.value": 1 } },
    });
    await scene.hub.close();
    await scene.hub.settled();
    assert.deepEqual(scene.hub.device("d").twin.desired, { $version: 1 });
  });
});

describe("a configuration for modules", () => {
  const content = { moduleContent: { "properties.desired.value": 1 } };

  test("sets properties of the modules that it is meant for", async () => {
    await using scene = new ConfigurationScene();
    await scene.rest.createDevices("d", "e");
    for (const path of ["d/modules/m", "d/modules/n", "e/modules/m"]) {
      await scene.rest.do("PUT", `/devices/${path}`, { moduleId: path.at(-1) });
    }
    await scene.put("c", { content, targetCondition: "from devices.modules where moduleId = 'm' and tags.on = true" });
    await scene.put("all", { content: { moduleContent: { "properties.desired.value": 0 } }, targetCondition: "*" });
    assert.deepEqual(await scene.desired("d/modules/m"), { value: 0 });
    await scene.patch("d/modules/m", { tags: { on: true } });
    await scene.patch("d/modules/n", { tags: { on: true } });
    await scene.update("c", {
      content,
      targetCondition: (await scene.rest.do("GET", "/configurations/c")).targetCondition,
      priority: 1,
    });
    assert.deepEqual(await scene.states("d/modules/m"), { c: "Applied", all: "Targeted" });
    assert.deepEqual(await scene.desired("d/modules/m"), { value: 1 });
    assert.deepEqual(await scene.states("e/modules/m"), { all: "Applied" });
    assert.deepEqual(await scene.states("d"), {});
    assert.deepEqual((await scene.results("c")).system, { targetedCount: 1, appliedCount: 1 });
    assert.deepEqual((await scene.results("all")).system, { targetedCount: 3, appliedCount: 2 });

    await scene.hub.device("e").module("m").updateReportedProperties({ a: 1 });
    await scene.rest.do("PUT", "/devices/e/modules/later", { moduleId: "later" });
    assert.deepEqual(await scene.states("e/modules/later"), { all: "Applied" });
  });
});

describe("the metrics of a configuration", () => {
  test("have no results until it is carried out, and follow the twins from then on", async () => {
    await using scene = new ConfigurationScene();
    await scene.rest.createDevices("a", "b", "c");
    for (const id of ["a", "b"]) await scene.patch(id, { tags: { on: true } });
    const queries = {
      eco:
        "SELECT deviceId FROM devices WHERE configurations.[[c]].status = 'Applied' AND properties.reported.value = 1",
      two: "SELECT TOP 2 deviceId FROM devices",
      modules: "SELECT moduleId FROM devices.modules",
    };
    const first = await scene.put("c", {
      targetCondition: "tags.on = true",
      content: { deviceContent: { "properties.desired.value": 1 } },
      metrics: { queries },
    });
    assert.deepEqual([first.systemMetrics.results, first.metrics.results], [{}, {}]);
    assert.deepEqual(await scene.results("c"), {
      system: { targetedCount: 2, appliedCount: 2 },
      own: { eco: 0, two: 2, modules: 0 },
    });
    await scene.forDevices("higher", "deviceId = 'b'", 2, 1);
    await scene.hub.device("a").updateReportedProperties({ value: 1 });
    await scene.patch("c", { tags: { on: true } });
    await scene.rest.do("PUT", "/devices/c/modules/m", { moduleId: "m" });
    assert.deepEqual(await scene.results("c"), {
      system: { targetedCount: 3, appliedCount: 2 },
      own: { eco: 1, two: 2, modules: 1 },
    });
    const applied = "SELECT deviceId FROM devices WHERE configurations.[[c]].status = 'Applied'";
    assert.deepEqual(await scene.rest.do("POST", "/devices/query", { query: applied }), [
      { deviceId: "a" },
      { deviceId: "c" },
    ]);
  });

  test("are what queries find, which may lag behind", async () => {
    await using scene = new ConfigurationScene({ queryLagInMs: 1000 });
    await scene.rest.createDevices("d");
    await scene.forDevices("c", "*", 1);
    assert.deepEqual(await scene.states("d"), { c: "Applied" });
    assert.deepEqual((await scene.results("c")).system, { targetedCount: 0, appliedCount: 0 });
    scene.wait(1000);
    assert.deepEqual((await scene.results("c")).system, { targetedCount: 1, appliedCount: 1 });
  });
});
