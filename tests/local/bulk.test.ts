import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { type Answer, type Json, RestCaller } from "../support/rest_caller.ts";

interface Setup {
  rest: RestCaller;
  bulk(...elements: Json[]): Promise<Answer>;
}

/** A hub with the device `d` and its module `m`. */
async function setup(): Promise<Setup> {
  const rest = new RestCaller(new LocalHub());
  await rest.createDevices("d");
  await rest.do("PUT", "/devices/d/modules/m", { moduleId: "m" });
  return { rest, bulk: (...elements) => rest.call("POST", "/devices", elements) };
}

describe("a bulk call", () => {
  test("that succeeds answers 200 with nothing to complain about", async () => {
    const { rest, bulk } = await setup();
    const { status, body } = await bulk(
      { id: "a", importMode: "create", status: "disabled", statusReason: "new" },
      { id: "e", importMode: "create", capabilities: { iotEdge: true } },
      { id: "d", moduleId: "n", importMode: "Create" },
    );
    assert.deepEqual([status, body], [200, { isSuccessful: true, errors: [], warnings: [] }]);
    const device = await rest.do("GET", "/devices/a");
    assert.deepEqual([device.status, device.statusReason], ["disabled", "new"]);
    assert.equal((await rest.do("GET", "/devices/e/modules")).length, 2);
    assert.equal((await rest.do("GET", "/devices/d/modules/n")).moduleId, "n");
    assert.equal((await bulk()).status, 200);
  });

  test("does what it can, and answers 400 with what it could not", async () => {
    const { rest, bulk } = await setup();
    const { status, code, headers, body } = await bulk(
      { id: "a", importMode: "create" },
      { id: "d", importMode: "create" },
      { id: "none", importMode: "update" },
      { id: "d", moduleId: "none", importMode: "delete" },
      { id: "b c", importMode: "create" },
    );
    assert.deepEqual([status, code], [400, "BulkRegistryOperationFailure"]);
    assert.equal(headers.get("IotHubErrorCode"), "BulkRegistryOperationFailure");
    assert.deepEqual([body.isSuccessful, body.warnings], [false, []]);
    assert.deepEqual(
      body.errors.map(({ errorStatus, ...error }: Json) => {
        if (error.errorCode === "DeviceNotFound") assert.equal(errorStatus, "none");
        else assert.ok(errorStatus.length > 10);
        return error;
      }),
      [
        { deviceId: "d", errorCode: "DeviceAlreadyExists", operation: "create" },
        { deviceId: "none", errorCode: "DeviceNotFound", operation: "update" },
        { deviceId: "d", moduleId: "none", errorCode: "ModuleNotFound", operation: "delete" },
        { deviceId: "b c", errorCode: "ArgumentInvalid", operation: "create" },
      ],
    );
    assert.equal((await rest.do("GET", "/devices/a")).deviceId, "a");
  });

  test("fills the twin of what it creates without moving a version", async () => {
    const { rest, bulk } = await setup();
    await bulk({ id: "a", importMode: "create", tags: { t: 1 }, properties: { desired: { p: { q: 1 } } } });
    const twin = await rest.do("GET", "/twins/a");
    const stamp = { $lastUpdated: "0001-01-01T00:00:00Z", $lastUpdatedVersion: 1 };
    assert.deepEqual([twin.etag, twin.version, twin.tags], ["AAAAAAAAAAE=", 2, { t: 1 }]);
    assert.deepEqual(twin.properties.desired, {
      p: { q: 1 },
      $metadata: { ...stamp, p: { ...stamp, q: stamp } },
      $version: 1,
    });
  });

  test("creates nothing where the twin breaks a rule", async () => {
    const { rest, bulk } = await setup();
    const { body } = await bulk({ id: "a", importMode: "create", tags: { "a.b": 1 } });
    assert.equal(body.errors[0].errorCode, "ArgumentInvalid");
    await rest.fails([404, "DeviceNotFound"], "GET", "/devices/a");
  });

  for (const target of [{ id: "d" }, { id: "d", moduleId: "m" }]) {
    const path = "moduleId" in target ? "/devices/d/modules/m" : "/devices/d";
    const twinPath = "moduleId" in target ? "/twins/d/modules/m" : "/twins/d";

    test(`updates ${path} whatever its etag, unless it is asked to compare`, async () => {
      const { rest, bulk } = await setup();
      const { etag, authentication } = await rest.do("GET", path);
      assert.equal((await bulk({ ...target, importMode: "update", eTag: "c3RhbGU=" })).status, 200);
      const updated = await rest.do("GET", path);
      assert.notEqual(updated.etag, etag);
      assert.notDeepEqual(updated.authentication, authentication);
      const stale = await bulk({ ...target, importMode: "updateIfMatchETag", eTag: etag });
      assert.equal(stale.body.errors[0].errorCode, "PreconditionFailed");
      for (const eTag of [updated.etag, "*"]) {
        assert.equal((await bulk({ ...target, importMode: "updateIfMatchETag", eTag })).status, 200);
      }
    });

    test(`deletes ${path} if its etag is the one given, or none is`, async () => {
      const { rest, bulk } = await setup();
      const { etag } = await rest.do("GET", path);
      const stale = await bulk({ ...target, importMode: "deleteIfMatchETag", eTag: "c3RhbGU=" });
      assert.equal(stale.body.errors[0].errorCode, "PreconditionFailed");
      assert.equal((await bulk({ ...target, importMode: "deleteIfMatchETag", eTag: etag })).status, 200);
      assert.equal((await rest.call("GET", path)).status, 404);
      await bulk({ ...target, importMode: "create" });
      assert.equal((await bulk({ ...target, importMode: "deleteIfMatchETag" })).status, 200);
      await bulk({ ...target, importMode: "create" });
      assert.equal((await bulk({ ...target, importMode: "Delete", eTag: "c3RhbGU=" })).status, 200);
    });

    test(`merges into the twin at ${twinPath} and leaves the identity alone`, async () => {
      const { rest, bulk } = await setup();
      const { etag } = await rest.do("GET", path);
      await rest.do("PATCH", twinPath, { tags: { a: 1 } });
      const patch = { ...target, status: "disabled", tags: { b: 1 }, properties: { desired: { c: 1 } } };
      assert.equal((await bulk({ ...patch, importMode: "updateTwin", twinETag: "c3RhbGU=" })).status, 200);
      const twin = await rest.do("GET", twinPath);
      assert.deepEqual([twin.tags, twin.properties.desired.c, twin.version], [{ a: 1, b: 1 }, 1, 4]);
      assert.equal((await rest.do("GET", path)).etag, etag);
      const stale = await bulk({ ...patch, importMode: "updateTwinIfMatchETag", twinETag: "AAAAAAAAAAE=" });
      assert.equal(stale.body.errors[0].errorCode, "PreconditionFailed");
      assert.equal((await bulk({ ...patch, importMode: "updateTwinIfMatchETag", twinETag: twin.etag })).status, 200);
    });
  }

  test("refuses an element without a mode, or with one of import jobs, and carries out the others", async () => {
    const { rest, bulk } = await setup();
    const { status, body } = await bulk(
      { id: "x" },
      { id: "y", importMode: null },
      { id: "d", importMode: "createOrUpdate" },
      { id: "d", moduleId: "m", importMode: "CreateOrUpdateIfMatchETag" },
      { id: "z", importMode: "create" },
    );
    assert.equal(status, 400);
    const RULE = 'it must be "create" or "update" or "updateIfMatchETag" or "delete" or "deleteIfMatchETag" or ' +
      '"updateTwin" or "updateTwinIfMatchETag"';
    const errorCode = "ArgumentInvalid";
    assert.deepEqual(body.errors, [
      {
        deviceId: "x",
        errorCode,
        errorStatus: `Cannot use importMode: ${RULE}, got undefined`,
        operation: "createOrUpdate",
      },
      {
        deviceId: "y",
        errorCode,
        errorStatus: `Cannot use importMode: ${RULE}, got null`,
        operation: "createOrUpdate",
      },
      {
        deviceId: "d",
        errorCode,
        errorStatus: `Cannot use importMode "createOrUpdate": ${RULE}`,
        operation: "createOrUpdate",
      },
      {
        deviceId: "d",
        moduleId: "m",
        errorCode,
        errorStatus: `Cannot use importMode "CreateOrUpdateIfMatchETag": ${RULE}`,
        operation: "createOrUpdateIfMatchETag",
      },
    ]);
    const devices = await rest.do("GET", "/devices");
    assert.deepEqual(devices.map(({ deviceId }: Json) => deviceId), ["d", "z"]);
  });

  const REFUSED: [what: string, body: unknown, expected: [number, string]][] = [
    ["no array", { devices: [] }, [400, "ArgumentInvalid"]],
    ["101 elements", Array.from({ length: 101 }, (_, i) => ({ id: `x${i}`, importMode: "create" })), [
      413,
      "TooManyDevices",
    ]],
    ["an id twice", [{ id: "x", importMode: "create" }, { id: "x", importMode: "update" }], [
      400,
      "DeviceDefinedMultipleTimes",
    ]],
    ["an element without an id", [{ importMode: "create" }], [400, "ArgumentInvalid"]],
    ["an unknown mode", [{ id: "x", importMode: "upsert" }], [400, "ArgumentInvalid"]],
    ["a mode that is no text", [{ id: "x", importMode: 1 }], [400, "ArgumentInvalid"]],
    ["an element that is no object", ["x"], [400, "ArgumentInvalid"]],
  ];
  for (const [what, body, expected] of REFUSED) {
    test(`with ${what} is refused as a whole`, async () => {
      const { rest } = await setup();
      await rest.fails(expected, "POST", "/devices", body);
      assert.equal((await rest.do("GET", "/devices")).length, 1);
    });
  }

  test("takes 100 elements, a device and its module among them", async () => {
    const { bulk } = await setup();
    const devices = Array.from({ length: 98 }, (_, i) => ({ id: `x${i}`, importMode: "create" }));
    const pair = [{ id: "y", importMode: "create" }, { id: "y", moduleId: "m", importMode: "create" }];
    assert.equal((await bulk(...devices, ...pair)).status, 200);
  });
});
