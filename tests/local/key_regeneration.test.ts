import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LocalHub } from "../../lib/local/mod.ts";
import { holds } from "../support/properties.ts";
import { type Answer, type Json, RestCaller } from "../support/rest_caller.ts";

interface Setup {
  rest: RestCaller;
  regenerate(policyKey: Json, ...devices: Json[]): Promise<Answer>;
}

/** A hub with the device `d`, its module `m`, and the device `x` without keys. */
async function setup(): Promise<Setup> {
  const rest = new RestCaller(new LocalHub());
  await rest.createDevices("d");
  await rest.do("PUT", "/devices/d/modules/m", { moduleId: "m" });
  await rest.do("PUT", "/devices/x", { deviceId: "x", authentication: { type: "certificateAuthority" } });
  return {
    rest,
    regenerate: (policyKey, ...devices) => rest.call("POST", "/devices/keys/regenerate", { policyKey, devices }),
  };
}

describe("a regeneration of keys", () => {
  for (const policyKey of ["primaryKey", "secondaryKey"] as const) {
    const other = policyKey === "primaryKey" ? "secondaryKey" : "primaryKey";

    test(`renews the ${policyKey} of devices and modules, and nothing else`, async () => {
      const { rest, regenerate } = await setup();
      const paths = ["/devices/d", "/devices/d/modules/m"];
      const before = await Promise.all(paths.map((path) => rest.do("GET", path)));
      const { status, body } = await regenerate(policyKey, { id: "d" }, { id: "d", moduleId: "m" });
      assert.equal(status, 200);
      assert.deepEqual([body.policyKey, body.errors], [policyKey, []]);
      assert.deepEqual(body.rotatedKeys.map(({ id, moduleId }: Json) => [id, moduleId]), [["d", undefined], [
        "d",
        "m",
      ]]);
      for (const [i, path] of paths.entries()) {
        const { authentication: { symmetricKey, ...rest1 }, etag, ...identity } = await rest.do("GET", path);
        const { authentication: { symmetricKey: old, ...rest0 }, etag: oldEtag, ...same } = before[i];
        assert.deepEqual([identity, rest1], [same, rest0]);
        assert.notEqual(etag, oldEtag);
        assert.equal(symmetricKey[other], old[other]);
        assert.notEqual(symmetricKey[policyKey], old[policyKey]);
        assert.equal(atob(symmetricKey[policyKey]).length, 32);
        const { primaryKey, secondaryKey } = body.rotatedKeys[i];
        assert.deepEqual(symmetricKey, { primaryKey, secondaryKey });
      }
    });
  }

  test("of which a part fails is answered with 207", async () => {
    const { regenerate } = await setup();
    const { status, code, body } = await regenerate(
      "PrimaryKey",
      { id: "x" },
      { id: "d", moduleId: null },
      { id: "none" },
      { id: "d", moduleId: "none" },
    );
    assert.deepEqual([status, code, body.policyKey], [207, null, "primaryKey"]);
    assert.deepEqual(body.rotatedKeys.map(({ id }: Json) => id), ["d"]);
    assert.deepEqual(
      body.errors.map(({ errorStatus, ...error }: Json) => (assert.equal(typeof errorStatus, "string"), error)),
      [
        { id: "x", errorCode: "ArgumentInvalid" },
        { id: "none", errorCode: "DeviceNotFound" },
        { id: "d", moduleId: "none", errorCode: "ModuleNotFound" },
      ],
    );
  });

  test("of which all fails is answered with 400 and the same body", async () => {
    const { rest, regenerate } = await setup();
    await rest.do("PUT", "/devices/edge", { deviceId: "edge", capabilities: { iotEdge: true } });
    const { status, code, body } = await regenerate("primaryKey", { id: "x" }, { id: "edge", moduleId: "$edgeAgent" });
    assert.deepEqual([status, code], [400, "BulkRegenerateDeviceKeyOperationFailure"]);
    assert.deepEqual([body.policyKey, body.rotatedKeys, body.errors.length], ["primaryKey", [], 2]);
  });

  test("of nobody has nothing to complain about", async () => {
    const { regenerate } = await setup();
    const { status, body } = await regenerate("secondaryKey");
    assert.deepEqual([status, body], [200, { policyKey: "secondaryKey", rotatedKeys: [], errors: [] }]);
  });

  test("takes 100 identities, disabled ones too", async () => {
    const { rest, regenerate } = await setup();
    const many = Array.from({ length: 100 }, (_, i) => ({ id: `n${i}`, importMode: "create", status: "disabled" }));
    await rest.do("POST", "/devices", many);
    const { status, body } = await regenerate("primaryKey", ...many.map(({ id }) => ({ id })));
    assert.deepEqual([status, body.rotatedKeys.length], [200, 100]);
  });

  const REFUSED: [what: string, body: Json, code: string][] = [
    ["no object", [], "ArgumentNull"],
    ["no key", { devices: [{ id: "d" }] }, "InvalidPolicyKey"],
    ["another key", { policyKey: "both", devices: [{ id: "d" }] }, "InvalidPolicyKey"],
    ["no devices", { policyKey: "primaryKey" }, "ArgumentInvalid"],
    ["a device that is a string", { policyKey: "primaryKey", devices: ["d"] }, "ArgumentInvalid"],
    ["a device without an id", { policyKey: "primaryKey", devices: [{ id: "d" }, {}] }, "ArgumentInvalid"],
    [
      "a module id that is a number",
      { policyKey: "primaryKey", devices: [{ id: "d", moduleId: 1 }] },
      "ArgumentInvalid",
    ],
    ["a device twice", { policyKey: "primaryKey", devices: [{ id: "d" }, { id: "d" }] }, "DeviceDefinedMultipleTimes"],
    [
      "101 devices",
      { policyKey: "primaryKey", devices: Array.from({ length: 101 }, (_, i) => ({ id: `n${i}` })) },
      "ArgumentInvalid",
    ],
  ];
  for (const [what, body, code] of REFUSED) {
    test(`with ${what} is refused as a whole`, async () => {
      const { rest } = await setup();
      const { etag } = await rest.do("GET", "/devices/d");
      await rest.fails([400, code], "POST", "/devices/keys/regenerate", body);
      assert.equal((await rest.do("GET", "/devices/d")).etag, etag);
    });
  }

  test("of any identities names each once, with its keys or with an error", async () => {
    const { rest, regenerate } = await setup();
    const target = fc.record({
      id: fc.constantFrom("d", "x", "none", "", "a b"),
      moduleId: fc.constantFrom(undefined, null, "", "m", "none"),
    });
    const keyOf = ({ id, moduleId }: Json): string => moduleId ? `${id}/${moduleId}` : id;
    const targets = fc.uniqueArray(target, { maxLength: 12, selector: keyOf });
    const property = fc.asyncProperty(fc.constantFrom("primaryKey", "secondaryKey"), targets, async (key, targets) => {
      const { status, body } = await regenerate(key, ...targets);
      const [good, bad] = [body.rotatedKeys.map(keyOf), body.errors.map(keyOf)];
      assert.deepEqual([...good, ...bad].sort(), targets.map(keyOf).sort());
      assert.deepEqual(good.sort(), targets.map(keyOf).filter((name) => name === "d" || name === "d/m").sort());
      assert.equal(status, bad.length === 0 ? 200 : good.length > 0 ? 207 : 400);
      for (const { id, moduleId, primaryKey, secondaryKey } of body.rotatedKeys) {
        const { authentication } = await rest.do("GET", `/devices/${id}${moduleId ? `/modules/${moduleId}` : ""}`);
        assert.deepEqual(authentication.symmetricKey, { primaryKey, secondaryKey });
      }
    });
    await holds(property, 50);
  });

  test("needs the right to write the registry", async () => {
    const hub = new LocalHub();
    const reader = new RestCaller({
      hostName: hub.hostName,
      connectionString: hub.connectionStringFor("registryRead"),
      fetch: (request) => hub.fetch(request),
    });
    const body = { policyKey: "primaryKey", devices: [] };
    await reader.fails([401, "IotHubUnauthorizedAccess"], "POST", "/devices/keys/regenerate", body);
  });
});
