import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { RestCaller } from "../support/rest_caller.ts";

const ANY = { headers: { "if-match": '"*"' } };
const STALE = { headers: { "if-match": '"c3RhbGU="' } };

interface Setup {
  hub: LocalHub;
  rest: RestCaller;
  bearer: RestCaller;
}

async function setup(): Promise<Setup> {
  const hub = new LocalHub();
  const token = await hub.tokenCredential().getToken("https://iothubs.azure.net/.default");
  return { hub, rest: new RestCaller(hub), bearer: new RestCaller(hub, `Bearer ${token!.token}`) };
}

describe("module identities", () => {
  test("a module is created, read, listed, replaced and deleted without an ETag header", async () => {
    const { rest } = await setup();
    await rest.createDevices("d");
    const body = { deviceId: "d", moduleId: "m", managedBy: "me" };
    const created = await rest.call("PUT", "/devices/d/modules/m", body);
    assert.deepEqual([created.status, created.headers.get("etag")], [200, null]);
    assert.equal(created.body.managedBy, "me");
    assert.equal("status" in created.body || "capabilities" in created.body, false);
    const read = await rest.do("GET", "/devices/d/modules/m");
    assert.equal(read.lastActivityTime, "0001-01-01T00:00:00Z");
    assert.deepEqual(await rest.do("GET", "/devices/d/modules"), [read]);
    const replaced = await rest.do("PUT", "/devices/d/modules/m", { moduleId: "m", deviceId: "d" }, ANY.headers);
    assert.equal(replaced.managedBy, null);
    await rest.do("DELETE", "/devices/d/modules/m", undefined, { "if-match": `"${replaced.etag}"` });
    assert.deepEqual(await rest.do("GET", "/devices/d/modules"), []);
  });

  test("the type none becomes sas", async () => {
    const { rest } = await setup();
    await rest.createDevices("d");
    const module = await rest.do("PUT", "/devices/d/modules/m", { moduleId: "m", authentication: { type: "none" } });
    assert.equal(module.authentication.type, "sas");
  });

  test("conditions of modules are those of devices, and a conflict has the bare envelope", async () => {
    const { rest } = await setup();
    await rest.createDevices("d");
    const [path, body] = ["/devices/d/modules/m", { deviceId: "d", moduleId: "m" }];
    await rest.fails([404, "ModuleNotFound"], "GET", path);
    await rest.fails([404, "ModuleNotFound"], "PUT", path, body, ANY);
    await rest.fails([404, "ModuleNotFound"], "DELETE", path, undefined, ANY);
    await rest.do("PUT", path, body);
    const conflict = await rest.fails([409, "ModuleAlreadyExistsOnDevice"], "PUT", path, body);
    assert.equal(conflict.body.errorCode, 409301);
    await rest.fails([412, "PreconditionFailed"], "PUT", path, body, STALE);
    await rest.fails([412, "PreconditionFailed"], "DELETE", path, undefined, STALE);
    await rest.fails([412, "PreconditionFailed"], "DELETE", path);
  });

  test("on a missing or disabled device, a signature is unauthorized where a bearer token is not", async () => {
    const { rest, bearer } = await setup();
    await rest.do("PUT", "/devices/off", { deviceId: "off", status: "disabled" });
    await bearer.do("PUT", "/devices/off/modules/m", { deviceId: "off", moduleId: "m" });
    for (const device of ["none", "off"]) {
      for (
        const [method, path, body, options] of [
          ["GET", `/devices/${device}/modules`],
          ["GET", `/devices/${device}/modules/m`],
          ["PUT", `/devices/${device}/modules/n`, { moduleId: "n" }],
          ["DELETE", `/devices/${device}/modules/m`, undefined, ANY],
        ] as const
      ) {
        await rest.fails([401, "IotHubUnauthorizedAccess"], method, path, body, options);
      }
    }
    await bearer.fails([404, "DeviceNotFound"], "PUT", "/devices/none/modules/m", { moduleId: "m" });
    assert.equal((await bearer.do("GET", "/devices/off/modules/m")).moduleId, "m");
    assert.equal((await rest.do("GET", "/twins/off/modules/m")).moduleId, "m");
  });

  test("a device has 50 modules at most, system modules not counted", async () => {
    const { rest } = await setup();
    await rest.do("PUT", "/devices/d", { deviceId: "d", capabilities: { iotEdge: true } });
    for (let i = 0; i < 50; i++) await rest.do("PUT", `/devices/d/modules/m${i}`, { moduleId: `m${i}` });
    await rest.fails([413, "TooManyModulesOnDevice"], "PUT", "/devices/d/modules/m50", { moduleId: "m50" });
    assert.equal((await rest.do("GET", "/devices/d/modules")).length, 52);
  });

  test("deleting a device deletes its modules and twins", async () => {
    const { rest } = await setup();
    await rest.createDevices("d");
    await rest.do("PUT", "/devices/d/modules/m", { moduleId: "m" });
    await rest.do("PATCH", "/twins/d", { tags: { a: 1 } });
    await rest.do("DELETE", "/devices/d", undefined, ANY.headers);
    await rest.fails([404, "DeviceNotFound"], "GET", "/twins/d/modules/m");
    await rest.createDevices("d");
    assert.deepEqual(await rest.do("GET", "/devices/d/modules"), []);
    assert.equal("tags" in await rest.do("GET", "/twins/d"), false);
  });
});

describe("edge devices and their scopes", () => {
  const EDGE = { capabilities: { iotEdge: true } };

  test("an edge device has its two system modules, which nobody else writes", async () => {
    const { rest } = await setup();
    await rest.do("PUT", "/devices/e", { deviceId: "e", ...EDGE });
    const modules = await rest.do("GET", "/devices/e/modules");
    assert.deepEqual(
      modules.map((module: { moduleId: string; managedBy: string; authentication: { type: string } }) => [
        module.moduleId,
        module.managedBy,
        module.authentication.type,
      ]),
      [["$edgeAgent", "iotEdge", "none"], ["$edgeHub", "iotEdge", "none"]],
    );
    const path = "/devices/e/modules/$edgeAgent";
    const code = "SystemModuleModifyUnauthorizedAccess";
    await rest.fails([401, code], "PUT", path, { moduleId: "$edgeAgent" }, ANY);
    await rest.fails([401, code], "DELETE", path, undefined, ANY);
    await rest.fails([400, "ArgumentInvalid"], "PUT", "/devices/e/modules/$mine", { moduleId: "$mine" });
    await rest.do("PATCH", "/twins/e/modules/$edgeAgent", { properties: { desired: { a: 1 } } });
  });

  test("the scope of an edge device is generated, whatever the body says", async () => {
    const { rest } = await setup();
    const edge = await rest.do("PUT", "/devices/e", { deviceId: "e", deviceScope: "mine", ...EDGE });
    assert.equal(edge.deviceScope, `ms-azure-iot-edge://e-${edge.generationId}`);
    assert.deepEqual(edge.parentScopes, []);
  });

  test("an edge child is placed by parentScopes, a leaf by deviceScope alone", async () => {
    const { rest } = await setup();
    const { deviceScope } = await rest.do("PUT", "/devices/e", { deviceId: "e", ...EDGE });
    const child = await rest.do("PUT", "/devices/c", { deviceId: "c", parentScopes: [deviceScope], ...EDGE });
    assert.deepEqual(child.parentScopes, [deviceScope]);
    assert.notEqual(child.deviceScope, deviceScope);
    const leaf = await rest.do("PUT", "/devices/l", { deviceId: "l", deviceScope });
    assert.deepEqual([leaf.deviceScope, leaf.parentScopes], [deviceScope, [deviceScope]]);
    const orphan = await rest.do("PUT", "/devices/o", { deviceId: "o", parentScopes: [deviceScope] });
    assert.deepEqual(orphan.parentScopes, []);
    assert.equal("deviceScope" in orphan, false);
    await rest.fails([400, "InvalidDeviceScope"], "PUT", "/devices/x", { deviceId: "x", deviceScope: "nonsense" });
  });

  test("an update of an edge device must repeat its scope, and detaches it where parentScopes are left out", async () => {
    const { rest } = await setup();
    const { deviceScope: top } = await rest.do("PUT", "/devices/e", { deviceId: "e", ...EDGE });
    const { deviceScope } = await rest.do("PUT", "/devices/c", { deviceId: "c", parentScopes: [top], ...EDGE });
    for (const scope of [undefined, "", top]) {
      await rest.fails([400, "ArgumentInvalid"], "PUT", "/devices/c", { deviceScope: scope, ...EDGE }, ANY);
    }
    const updated = await rest.do("PUT", "/devices/c", { deviceScope, ...EDGE }, ANY.headers);
    assert.deepEqual([updated.deviceScope, updated.parentScopes], [deviceScope, []]);
  });

  test("a leaf moves to another gateway, and loses its parent when that goes", async () => {
    const { rest } = await setup();
    const { deviceScope: a } = await rest.do("PUT", "/devices/a", { deviceId: "a", ...EDGE });
    const { deviceScope: b } = await rest.do("PUT", "/devices/b", { deviceId: "b", ...EDGE });
    await rest.do("PUT", "/devices/l", { deviceScope: a });
    assert.equal((await rest.do("PUT", "/devices/l", { deviceScope: b }, ANY.headers)).deviceScope, b);
    await rest.fails([400, "InvalidDeviceScope"], "PUT", "/devices/l", { deviceScope: "nonsense" }, ANY);
    await rest.do("DELETE", "/devices/b", undefined, ANY.headers);
    assert.equal("deviceScope" in await rest.do("GET", "/devices/l"), false);
  });

  test("a leaf becomes an edge device with an empty suffix in its scope, and back", async () => {
    const { rest } = await setup();
    const { deviceScope: top } = await rest.do("PUT", "/devices/e", { deviceId: "e", ...EDGE });
    await rest.do("PUT", "/devices/l", { deviceScope: top });
    await rest.fails([503, "ServiceUnavailable"], "PUT", "/devices/l", { deviceScope: top, ...EDGE }, ANY);
    const body = { deviceScope: "", parentScopes: [top], ...EDGE };
    const edge = await rest.do("PUT", "/devices/l", body, ANY.headers);
    assert.deepEqual([edge.deviceScope, edge.parentScopes], ["ms-azure-iot-edge://l-", [top]]);
    assert.equal((await rest.do("GET", "/devices/l/modules")).length, 2);
    const leaf = await rest.do("PUT", "/devices/l", { deviceScope: top }, ANY.headers);
    assert.equal("deviceScope" in leaf, false);
    assert.deepEqual(await rest.do("GET", "/devices/l/modules"), []);
  });

  test("a hierarchy has five levels at most, and a gateway 100 children", async () => {
    const { rest } = await setup();
    const scopes: string[] = [];
    for (let level = 1; level <= 5; level++) {
      const parentScopes = scopes.slice(-1);
      scopes.push((await rest.do("PUT", `/devices/e${level}`, { parentScopes, ...EDGE })).deviceScope);
    }
    const tooDeep = { parentScopes: scopes.slice(-1), ...EDGE };
    await rest.fails([400, "InvalidDeviceScope"], "PUT", "/devices/e6", tooDeep);
    await rest.do("PUT", "/devices/leaf", { deviceScope: scopes.at(-1) });
    for (let i = 0; i < 99; i++) await rest.do("PUT", `/devices/l${i}`, { deviceScope: scopes[0] });
    await rest.fails([400, "InvalidDeviceScope"], "PUT", "/devices/l99", { deviceScope: scopes[0] });
  });

  test("a gateway is below neither itself nor one of its children", async () => {
    const { rest } = await setup();
    const { deviceScope: a } = await rest.do("PUT", "/devices/a", EDGE);
    const { deviceScope: b } = await rest.do("PUT", "/devices/b", { parentScopes: [a], ...EDGE });
    for (const parent of [a, b]) {
      const circle = { deviceScope: a, parentScopes: [parent], ...EDGE };
      await rest.fails([400, "InvalidDeviceScope"], "PUT", "/devices/a", circle, ANY);
    }
  });

  test("a gateway that was none for a while has none of its children back", async () => {
    const { rest } = await setup();
    const { deviceScope } = await rest.do("PUT", "/devices/e", EDGE);
    await rest.do("PUT", "/devices/l", { deviceScope });
    await rest.do("PUT", "/devices/e", {}, ANY.headers);
    await rest.do("PUT", "/devices/e", { deviceScope: "", ...EDGE }, ANY.headers);
    assert.equal("deviceScope" in await rest.do("GET", "/devices/l"), false);
  });
});
