import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { type Json, RestCaller } from "../support/rest_caller.ts";

const START = Date.UTC(2026, 0, 1, 12);
const NEVER = "0001-01-01T00:00:00Z";

interface Setup {
  hub: LocalHub;
  rest: RestCaller;
  /** Lets a second pass on the hub's clock and tells the time that the hub writes then. */
  tick(): string;
}

/** A hub with the device `d` and its module `m`, and a clock that stands still. */
async function setup(): Promise<Setup> {
  let now = START;
  const hub = new LocalHub({ now: () => now, clockSkewInSeconds: 1e9 });
  const rest = new RestCaller(hub);
  await rest.createDevices("d");
  await rest.do("PUT", "/devices/d/modules/m", { moduleId: "m" });
  return {
    hub,
    rest,
    tick: () => new Date(now += 1000).toISOString().replace(".000Z", "Z"),
  };
}

function versions(twin: Json): unknown[] {
  return [twin.etag, twin.version, twin.properties.desired.$version, twin.properties.reported.$version];
}

/** The values of a section. */
function values(section: Json): Json {
  const { $metadata: _, $version: __, ...rest } = section;
  return rest;
}

describe("a new twin", () => {
  test("has etag 1, version 2, both sections at version 1, and no tags", async () => {
    const { rest } = await setup();
    const { status, headers, body } = await rest.call("GET", "/twins/d");
    assert.deepEqual([status, headers.get("etag")], [200, null]);
    const $lastUpdated = "2026-01-01T12:00:00Z";
    assert.deepEqual(body, {
      deviceId: "d",
      etag: "AAAAAAAAAAE=",
      deviceEtag: (await rest.do("GET", "/devices/d")).etag,
      status: "enabled",
      statusUpdateTime: NEVER,
      connectionState: "Disconnected",
      lastActivityTime: NEVER,
      cloudToDeviceMessageCount: 0,
      authenticationType: "sas",
      x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
      modelId: "",
      version: 2,
      properties: {
        desired: { $metadata: { $lastUpdated }, $version: 1 },
        reported: { $metadata: { $lastUpdated }, $version: 1 },
      },
      capabilities: { iotEdge: false },
    });
  });

  test("of a module has its id and the etag of the module, and no capabilities", async () => {
    const { rest } = await setup();
    const twin = await rest.do("GET", "/twins/d/modules/m");
    assert.equal(twin.moduleId, "m");
    assert.equal(twin.deviceEtag, (await rest.do("GET", "/devices/d/modules/m")).etag);
    assert.equal("capabilities" in twin, false);
  });

  for (const path of ["/twins/d", "/twins/d/modules/m"]) {
    test(`at ${path} can be read and written while the device is disabled`, async () => {
      const { rest } = await setup();
      await rest.do("PUT", "/devices/d", { status: "disabled" }, { "if-match": "*" });
      assert.equal((await rest.do("GET", path)).status, "disabled");
      const patched = await rest.do("PATCH", path, { tags: { a: 1 }, properties: { desired: { b: 2 } } });
      assert.deepEqual([patched.tags, values(patched.properties.desired)], [{ a: 1 }, { b: 2 }]);
      const replaced = await rest.do("PUT", path, { tags: { c: 3 } });
      assert.deepEqual([replaced.tags, values(replaced.properties.desired)], [{ c: 3 }, {}]);
    });
  }

  test("is not there where the device or the module is not", async () => {
    const { rest } = await setup();
    await rest.fails([404, "DeviceNotFound"], "GET", "/twins/none");
    await rest.fails([404, "DeviceNotFound"], "GET", "/twins/d/modules/none");
    await rest.fails([404, "DeviceNotFound"], "PATCH", "/twins/none", { tags: { a: 1 } });
  });
});

describe("versions", () => {
  test("move by one in the section written, in the twin, and in the etag for the service's writes only", async () => {
    const { hub, rest } = await setup();
    const steps: [Json, unknown[]][] = [
      [{ tags: { a: 1 } }, ["AAAAAAAAAAI=", 3, 1, 1]],
      [{ properties: { desired: { a: 1 } } }, ["AAAAAAAAAAM=", 4, 2, 1]],
      [{ tags: { b: 1 }, properties: { desired: { b: 1 } } }, ["AAAAAAAAAAQ=", 5, 3, 1]],
      [{ properties: { desired: { b: 1 } } }, ["AAAAAAAAAAU=", 6, 4, 1]],
      [{}, ["AAAAAAAAAAU=", 6, 4, 1]],
      [{ tags: {}, properties: { desired: {} } }, ["AAAAAAAAAAU=", 6, 4, 1]],
      [{ properties: { reported: { a: 1 } } }, ["AAAAAAAAAAU=", 6, 4, 1]],
    ];
    for (const [patch, expected] of steps) {
      assert.deepEqual(versions(await rest.do("PATCH", "/twins/d", patch)), expected, JSON.stringify(patch));
    }
    assert.equal(await hub.device("d").updateReportedProperties({ a: 1 }), 2);
    assert.deepEqual(versions(await rest.do("GET", "/twins/d")), ["AAAAAAAAAAU=", 7, 4, 2]);
    assert.deepEqual(versions(await rest.do("PUT", "/twins/d", {})), ["AAAAAAAAAAY=", 8, 5, 2]);
  });

  test("of two twins are their own", async () => {
    const { rest } = await setup();
    await rest.do("PATCH", "/twins/d/modules/m", { tags: { a: 1 } });
    assert.equal((await rest.do("GET", "/twins/d")).version, 2);
    assert.equal((await rest.do("GET", "/twins/d/modules/m")).version, 3);
  });
});

describe("metadata", () => {
  test("is stamped at the root, on the path and at the leaves that a desired write touches", async () => {
    const { rest, tick } = await setup();
    const first = tick();
    await rest.do("PATCH", "/twins/d", { properties: { desired: { a: { b: 1, list: [{ x: 1 }] }, c: 1 } } });
    const second = tick();
    const twin = await rest.do("PATCH", "/twins/d", { properties: { desired: { a: { b: 2 } } } });
    const old = { $lastUpdated: first, $lastUpdatedVersion: 2 };
    const fresh = { $lastUpdated: second, $lastUpdatedVersion: 3 };
    assert.deepEqual(twin.properties.desired.$metadata, {
      ...fresh,
      a: { ...fresh, b: fresh, list: old },
      c: old,
    });
  });

  test("goes with a deleted key, whose ancestors are stamped", async () => {
    const { rest, tick } = await setup();
    await rest.do("PATCH", "/twins/d", { properties: { desired: { a: { b: 1 } } } });
    const $lastUpdated = tick();
    const twin = await rest.do("PATCH", "/twins/d", { properties: { desired: { a: { b: null } } } });
    const fresh = { $lastUpdated, $lastUpdatedVersion: 3 };
    assert.deepEqual(twin.properties.desired, { a: {}, $metadata: { ...fresh, a: fresh }, $version: 3 });
  });

  test("of what a device reports has no version", async () => {
    const { hub, rest, tick } = await setup();
    const $lastUpdated = tick();
    await hub.device("d").updateReportedProperties({ a: { b: 1 } });
    const { reported } = (await rest.do("GET", "/twins/d")).properties;
    assert.deepEqual(reported.$metadata, { $lastUpdated, a: { $lastUpdated, b: { $lastUpdated } } });
  });
});

describe("a patch", () => {
  const MERGES: [what: string, before: Json, patch: Json, after: Json][] = [
    ["adds and replaces keys", { a: 1 }, { a: 2, b: 3 }, { a: 2, b: 3 }],
    ["deletes with null at any depth", { a: { b: 1, c: 2 } }, { a: { b: null } }, { a: { c: 2 } }],
    ["leaves an empty object behind", { a: { b: 1 } }, { a: { b: null } }, { a: {} }],
    ["keeps an explicit empty object", {}, { a: {} }, { a: {} }],
    ["keeps what an empty object merges into", { a: { b: 1 } }, { a: {} }, { a: { b: 1 } }],
    ["replaces a scalar by an object", { a: 1 }, { a: { b: 1 } }, { a: { b: 1 } }],
    ["replaces an object by a scalar", { a: { b: 1 } }, { a: 1 }, { a: 1 }],
    ["replaces an array as a whole", { a: [1, 2, 3] }, { a: [4] }, { a: [4] }],
    ["drops nulls of a new object", {}, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
    ["takes keys of every letter case apart", { a: 1 }, { A: 2 }, { a: 1, A: 2 }],
    ["takes __proto__ as a key", {}, JSON.parse('{"__proto__":{"x":1}}'), JSON.parse('{"__proto__":{"x":1}}')],
    ["takes constructor as a key", {}, { constructor: { a: 1 } }, { constructor: { a: 1 } }],
  ];
  for (const [what, before, patch, after] of MERGES) {
    test(`${what}, in tags as in desired properties`, async () => {
      const { rest } = await setup();
      await rest.do("PATCH", "/twins/d", { tags: before, properties: { desired: before } });
      const twin = await rest.do("PATCH", "/twins/d", { tags: patch, properties: { desired: patch } });
      assert.deepEqual(twin.tags ?? {}, after);
      assert.deepEqual(values(twin.properties.desired), after);
    });
  }

  test("ignores what the hub owns, so that a twin just read can be sent back", async () => {
    const { rest } = await setup();
    await rest.do("PATCH", "/twins/d", { tags: { a: 1 }, properties: { desired: { b: 1 } } });
    const before = await rest.do("GET", "/twins/d");
    const after = await rest.do("PATCH", "/twins/d", before);
    assert.deepEqual(values(after.properties.desired), { b: 1 });
    assert.deepEqual(versions(after), ["AAAAAAAAAAM=", 4, 3, 1]);
  });

  test("leaves tags out of the twin once they are empty", async () => {
    const { rest } = await setup();
    await rest.do("PATCH", "/twins/d", { tags: { a: 1 } });
    assert.equal("tags" in await rest.do("PATCH", "/twins/d", { tags: { a: null } }), false);
  });
});

describe("a replace", () => {
  test("wipes the sections left out, keeps what is reported, and drops nulls", async () => {
    const { hub, rest } = await setup();
    await hub.device("d").updateReportedProperties({ r: 1 });
    await rest.do("PATCH", "/twins/d", { tags: { a: 1 }, properties: { desired: { b: 1 } } });
    const twin = await rest.do("PUT", "/twins/d", { properties: { desired: { c: 1, n: null } } });
    assert.equal("tags" in twin, false);
    assert.deepEqual(values(twin.properties.desired), { c: 1 });
    assert.deepEqual(values(twin.properties.reported), { r: 1 });
    assert.deepEqual(Object.keys(twin.properties.desired.$metadata), ["$lastUpdated", "$lastUpdatedVersion", "c"]);
  });
});

describe("If-Match on a twin", () => {
  for (const method of ["PATCH", "PUT"]) {
    test(`of a ${method} compares with the etag of the twin`, async () => {
      const { rest } = await setup();
      const body = { tags: { a: 1 }, etag: "ignored" };
      for (const etag of ["*", '"*"', '"AAAAAAAAAAM="', "AAAAAAAAAAQ=", '""', ""]) {
        await rest.do(method, "/twins/d", body, { "if-match": etag });
      }
      const stale = { headers: { "if-match": '"AAAAAAAAAAE="' } };
      await rest.fails([412, "PreconditionFailed"], method, "/twins/d", body, stale);
      await rest.fails([404, "DeviceNotFound"], method, "/twins/none", body, stale);
    });
  }
});

describe("the rules for twins", () => {
  const deep = (levels: number): Json => levels === 0 ? { scalar: 1 } : { o: deep(levels - 1) };
  const BAD: [what: string, content: Json][] = [
    ["a key with a dot", { "a.b": 1 }],
    ["a key with a dollar", { $a: 1 }],
    ["a key with a number sign", { "a#": 1 }],
    ["a key with a space", { "a b": 1 }],
    ["a key with a control character", { "a\u0085": 1 }],
    ["a nested key with a dollar", { a: { $b: 1 } }],
    ["a key of 1025 bytes", { ["ä".repeat(512) + "x"]: 1 }],
    ["a string of 4097 bytes", { a: "ä".repeat(2048) + "x" }],
    ["a number above the range", { a: 4503599627370496 }],
    ["a number below the range", { a: -4503599627370497 }],
    ["null in an array", { a: [1, null] }],
    ["null in an object in an array", { a: [{ b: null }] }],
    ["null in an object in an object in an array of an array", { a: { b: [[{ c: { d: null } }]] } }],
    ["an object in an array with a bad key", { a: [{ "b.c": 1 }] }],
    ["eleven levels of objects", deep(11)],
  ];
  for (const [what, content] of BAD) {
    test(`refuse ${what} and write nothing`, async () => {
      const { hub, rest } = await setup();
      const body = { tags: { good: 1 }, properties: { desired: content } };
      await rest.fails([400, "ArgumentInvalid"], "PATCH", "/twins/d", body);
      await rest.fails([400, "ArgumentInvalid"], "PUT", "/twins/d", { tags: content });
      await assert.rejects(hub.device("d").updateReportedProperties(content), { code: "ArgumentInvalid" });
      assert.deepEqual(versions(await rest.do("GET", "/twins/d")), ["AAAAAAAAAAE=", 2, 1, 1]);
    });
  }

  test("refuse null in and below an array wherever a twin is written, and name its key", async () => {
    const { hub, rest } = await setup();
    const bulk = async (element: Json): Promise<string> => {
      return (await rest.call("POST", "/devices", [{ id: "d", ...element }])).body.errors[0].errorStatus;
    };
    const write = async (method: string, path: string, body: Json): Promise<string> => {
      const { body: error } = await rest.fails([400, "ArgumentInvalid"], method, path, body);
      return error.Message.replace("ErrorCode:ArgumentInvalid;", "");
    };
    const bad = { list: [{ ok: 1 }, { deep: [{ gone: null }] }] };
    const PLACES: (() => Promise<string>)[] = [
      ...["PATCH", "PUT"].flatMap((method) =>
        ["/twins/d", "/twins/d/modules/m"].flatMap((path) => [
          () => write(method, path, { tags: bad }),
          () => write(method, path, { properties: { desired: { o: bad } } }),
        ])
      ),
      () => bulk({ importMode: "updateTwin", tags: bad }),
      () => bulk({ importMode: "updateTwinIfMatchETag", properties: { desired: bad } }),
      () => bulk({ id: "e", importMode: "create", tags: bad }),
      () => bulk({ moduleId: "n", importMode: "create", properties: { desired: bad } }),
      () => hub.device("d").updateReportedProperties(bad).then(String, ({ message }) => message),
      () => hub.device("d").module("m").updateReportedProperties({ o: bad }).then(String, ({ message }) => message),
    ];
    for (const place of PLACES) {
      assert.equal(await place(), "Value of Property or Tag cannot be null. Error in Property/Tag gone");
    }
    await rest.fails([404, "DeviceNotFound"], "GET", "/devices/e");
  });

  const GOOD: [what: string, content: Json][] = [
    ["the empty key", { "": 1 }],
    ["a key that is not ASCII", { "größe": 1 }],
    ["a key of 1024 bytes", { ["ä".repeat(512)]: 1 }],
    ["a string of 4096 bytes", { a: "ä".repeat(2048) }],
    ["the ends of the range of integers", { a: [4503599627370495, -4503599627370496] }],
    ["fractions and booleans", { a: 1.5, b: true, c: 1e300 / 1e290 }],
    ["doubles that are whole and larger than any exact integer", { a: 1.5e300, b: [-(2 ** 53)], c: 1e17 }],
    ["ten levels of objects with a scalar in the tenth", deep(10)],
    ["arrays of arrays and objects", { a: [[1], { b: 2 }] }],
  ];
  for (const [what, content] of GOOD) {
    test(`allow ${what}`, async () => {
      const { rest } = await setup();
      const twin = await rest.do("PATCH", "/twins/d", { properties: { desired: content } });
      assert.deepEqual(values(twin.properties.desired), content);
    });
  }

  test("limit tags to 8 KB, and desired and reported properties to 32 KB each", async () => {
    const { hub, rest } = await setup();
    const kilobytes = (count: number, more = 0): Json =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [
        String(i).padStart(4, "0"),
        "x".repeat(1020 + (i === 0 ? more : 0)),
      ]));
    await rest.do("PATCH", "/twins/d", { tags: kilobytes(8), properties: { desired: kilobytes(32) } });
    await hub.device("d").updateReportedProperties(kilobytes(32));
    await rest.fails([400, "ArgumentInvalid"], "PATCH", "/twins/d", { tags: kilobytes(8, 1) });
    await rest.fails([400, "ArgumentInvalid"], "PATCH", "/twins/d", { properties: { desired: kilobytes(32, 1) } });
    await assert.rejects(hub.device("d").updateReportedProperties(kilobytes(32, 1)), { code: "ArgumentInvalid" });
    // What counts is the result: a patch that makes room may add.
    await rest.do("PATCH", "/twins/d", { tags: { "0000": null, other: "x" } });
  });

  const UNREADABLE: [what: string, body: unknown, code: string][] = [
    ["an unknown member at the root", { desiredProperties: {} }, "GenericBadRequest"],
    ["an unknown member of properties", { properties: { wanted: {} } }, "GenericBadRequest"],
    ["no JSON", "{", "GenericBadRequest"],
    ["an array", [], "GenericBadRequest"],
    ["tags that are no object", { tags: "a" }, "ArgumentInvalid"],
    ["desired properties that are no object", { properties: { desired: [] } }, "ArgumentInvalid"],
  ];
  for (const [what, body, code] of UNREADABLE) {
    test(`refuse ${what} with 400 ${code}`, async () => {
      const { rest } = await setup();
      await rest.fails([400, code], "PATCH", "/twins/d", body);
      await rest.fails([400, code], "PUT", "/twins/d", body);
    });
  }
});
