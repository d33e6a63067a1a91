import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LocalHub } from "../../lib/local/mod.ts";
import { type Json, RestCaller } from "../support/rest_caller.ts";

const MODEL = "dtmi:com:example:TemperatureController;1";
const START = Date.UTC(2026, 0, 1);

interface Scene extends AsyncDisposable {
  readonly clock: { now: number };
  readonly hub: LocalHub;
  readonly rest: RestCaller;
  /** The digital twin. */
  read(): Promise<Json>;
  /** Changes the digital twin. @returns the desired properties, without what the hub adds */
  patch(...steps: Json[]): Promise<Json>;
  /** A patch that has to fail with this code. */
  refuse(code: string, ...steps: Json[]): Promise<void>;
}

/** A hub whose clock goes when it is told to, with a device that has announced its model. */
async function setup(): Promise<Scene> {
  const clock = { now: START };
  const hub = new LocalHub({ now: () => clock.now, clockSkewInSeconds: 1e9 });
  const rest = new RestCaller(hub);
  await rest.createDevices("d");
  hub.device("d", { modelId: MODEL });
  const desired = async (): Promise<Json> => {
    const { $metadata: _, $version: __, ...values } = (await rest.do("GET", "/twins/d")).properties.desired;
    return values;
  };
  return {
    clock,
    hub,
    rest,
    read: () => rest.do("GET", "/digitaltwins/d"),
    async patch(...steps) {
      const { status, body } = await rest.call("PATCH", "/digitaltwins/d", steps);
      assert.deepEqual([status, body], [202, undefined]);
      return await desired();
    },
    async refuse(code, ...steps) {
      const before = await desired();
      await rest.fails([400, code], "PATCH", "/digitaltwins/d", steps);
      assert.deepEqual(await desired(), before);
    },
    [Symbol.asyncDispose]: () => hub.close(),
  };
}

describe("a digital twin", () => {
  test("shows what the device reports, what is wanted of it, and how it took that", async () => {
    await using scene = await setup();
    const { clock, hub, rest, read } = scene;
    const device = hub.device("d");
    await device.updateReportedProperties({
      serialNumber: "A1",
      thermostat1: { __t: "c", maxTemp: 25.3, target: { value: 20, ac: 200, av: 1, ad: "done" } },
    });
    clock.now += 1000;
    await rest.do("PATCH", "/twins/d", {
      properties: { desired: { thermostat1: { __t: "c", target: 21 }, interval: { s: 5 } } },
    });
    const answer = await rest.call("GET", "/digitaltwins/d");
    assert.equal(answer.headers.get("etag"), '"AAAAAAAAAAI="');
    assert.deepEqual(answer.body, {
      $dtId: "d",
      serialNumber: "A1",
      thermostat1: {
        maxTemp: 25.3,
        target: 20,
        $metadata: {
          maxTemp: { lastUpdateTime: "2026-01-01T00:00:00Z" },
          target: {
            desiredValue: 21,
            desiredVersion: 2,
            ackVersion: 1,
            ackCode: 200,
            ackDescription: "done",
            lastUpdateTime: "2026-01-01T00:00:00Z",
          },
        },
      },
      $metadata: {
        $model: MODEL,
        serialNumber: { lastUpdateTime: "2026-01-01T00:00:00Z" },
        interval: { desiredValue: { s: 5 }, desiredVersion: 2, lastUpdateTime: "2026-01-01T00:00:01Z" },
      },
    });
    await device.updateReportedProperties({ serialNumber: null, interval: { s: 5 } });
    const { serialNumber, interval } = await read();
    assert.deepEqual([serialNumber, interval], [undefined, { s: 5 }]);
  });

  test("has the model that the device announces with its connection, and keeps it", async () => {
    await using scene = await setup();
    const { hub, rest, read } = scene;
    const modelOf = async (id: string): Promise<string> =>
      (await rest.do("GET", `/digitaltwins/${id}`)).$metadata.$model;
    await rest.createDevices("plain");
    hub.device("plain").connect();
    assert.deepEqual(await rest.do("GET", "/digitaltwins/plain"), { $dtId: "plain", $metadata: { $model: "" } });

    hub.device("d").disconnect();
    assert.equal((await read()).$metadata.$model, MODEL);
    assert.equal((await rest.do("GET", "/twins/d")).modelId, MODEL);
    const query = `SELECT deviceId FROM devices WHERE modelId = '${MODEL}'`;
    assert.deepEqual(await rest.do("POST", "/devices/query", { query }), [{ deviceId: "d" }]);

    assert.equal(hub.device("plain", { modelId: "dtmi:a;1" }), hub.device("plain"));
    assert.equal(await modelOf("plain"), "dtmi:a;1");
    hub.device("plain", { modelId: "dtmi:a;2" });
    assert.equal(await modelOf("plain"), "dtmi:a;2");
    // It may be announced before there is an identity, as it may connect before.
    hub.device("early", { modelId: "dtmi:a;3" });
    await rest.createDevices("early");
    assert.equal(await modelOf("early"), "dtmi:a;3");
    for (const modelId of ["", "thermostat", "dtmi:a", "dtmi:a;0", "dtmi:1a;1", "dtmi:a b;1"]) {
      assert.throws(() => hub.device("d", { modelId }), /^RangeError: Cannot use modelId/);
    }
  });

  test("is not there for a device that is not there, and for no other right than to twins", async () => {
    await using scene = await setup();
    const { rest } = scene;
    await rest.fails([404, "DeviceNotFound"], "GET", "/digitaltwins/none");
    await rest.fails([404, "DeviceNotFound"], "PATCH", "/digitaltwins/none", []);
    await rest.fails([404, "DeviceNotFound"], "POST", "/digitaltwins/none/commands/c", "null");
  });
});

describe("a JSON Patch of a digital twin", () => {
  test("changes desired properties, tells the device, and says where the result is", async () => {
    await using scene = await setup();
    const { hub, rest } = scene;
    const told: unknown[] = [];
    hub.device("d").onDesiredProperties((patch) => void told.push(patch));
    await rest.do("PATCH", "/twins/d", { properties: { desired: { old: 1, keep: { a: 1, b: 2 } } } });
    const answer = await rest.call("PATCH", "/digitaltwins/d", [
      { op: "add", path: "/target", value: 21 },
      { op: "replace", path: "/keep/a", value: [1, { x: 1 }] },
      { op: "remove", path: "/old" },
    ], { headers: { "if-match": '"AAAAAAAAAAI="' } });
    assert.equal(answer.status, 202);
    assert.equal(answer.headers.get("etag"), '"AAAAAAAAAAM="');
    assert.equal(answer.headers.get("location"), "/digitaltwins/d?api-version=2021-04-12");
    const { desired } = (await rest.do("GET", "/twins/d")).properties;
    assert.deepEqual([desired.target, desired.keep, desired.old], [21, { a: [1, { x: 1 }], b: 2 }, undefined]);
    assert.deepEqual(told.at(-1), { target: 21, keep: { a: [1, { x: 1 }] }, old: null, $version: 3 });
    const path = answer.headers.get("location")!.split("?")[0]!;
    assert.equal((await rest.do("GET", path)).$metadata.target.desiredValue, 21);
  });

  test("is refused with a stale etag, and taken with any", async () => {
    await using scene = await setup();
    const { rest, patch } = scene;
    const steps = [{ op: "add", path: "/n", value: 1 }];
    await patch(...steps);
    await rest.fails([412, "PreconditionFailed"], "PATCH", "/digitaltwins/d", steps, {
      headers: { "if-match": '"AAAAAAAAAAE="' },
    });
    // What is there may have changed: the etag says so, whatever else is wrong.
    await rest.fails([412, "PreconditionFailed"], "PATCH", "/digitaltwins/d", [{ op: "remove", path: "/gone" }], {
      headers: { "if-match": '"AAAAAAAAAAE="' },
    });
    for (const etag of ["AAAAAAAAAAI=", '"*"', "*"]) {
      await rest.do("PATCH", "/digitaltwins/d", steps, { "if-match": etag });
    }
    // A patch of no step writes nothing.
    const { headers } = await rest.call("PATCH", "/digitaltwins/d", []);
    assert.equal(headers.get("etag"), (await rest.call("GET", "/digitaltwins/d")).headers.get("etag"));
  });

  test("marks components as such", async () => {
    await using scene = await setup();
    const { hub, read, patch, refuse } = scene;
    assert.deepEqual(await patch({ op: "add", path: "/thermostat1", value: { target: 21, $metadata: {} } }), {
      thermostat1: { __t: "c", target: 21 },
    });
    assert.deepEqual(await patch({ op: "replace", path: "/thermostat1/target", value: 22 }), {
      thermostat1: { __t: "c", target: 22 },
    });
    const { desiredValue, desiredVersion } = (await read()).thermostat1.$metadata.target;
    assert.deepEqual([desiredValue, desiredVersion], [22, 3]);

    // The device has a component of which nothing was wanted so far.
    await hub.device("d").updateReportedProperties({ fan: { __t: "c", speed: { value: 1, ac: 200, av: 1 } } });
    const { fan } = await patch({ op: "replace", path: "/fan/speed", value: 3 });
    assert.deepEqual(fan, { __t: "c", speed: 3 });
    const added = await patch({ op: "add", path: "/fan/mode", value: "auto" });
    assert.deepEqual(added.fan, { __t: "c", speed: 3, mode: "auto" });
    await refuse("InvalidDigitalTwinPatch", { op: "replace", path: "/fan", value: { speed: 4 } });
    const replaced = await patch({ op: "replace", path: "/fan", value: { mode: "off", $metadata: {} } });
    assert.deepEqual(replaced.fan, { __t: "c", mode: "off" });
    assert.equal((await patch({ op: "remove", path: "/fan" })).fan, undefined);
  });

  test("moves, copies and tests", async () => {
    await using scene = await setup();
    const { rest, hub, patch, refuse } = scene;
    await hub.device("d").updateReportedProperties({ told: 5, wanted: { value: 1, ac: 200, av: 1 } });
    await rest.do("PATCH", "/twins/d", { properties: { desired: { a: { b: [1, 2, 3] }, wanted: 2, "x/~y": 1 } } });
    assert.deepEqual(
      await patch(
        { op: "test", path: "/a", value: { b: [1, 2, 3] } },
        { op: "test", path: "/told", value: 5 },
        { op: "test", path: "/wanted", value: 2 },
        { op: "copy", from: "/told", path: "/copy" },
        { op: "move", from: "/a/b/0", path: "/a/c" },
        { op: "add", path: "/a/b/-", value: 4 },
        { op: "add", path: "/a/b/1", value: 9 },
        { op: "remove", path: "/x~1~0y" },
      ),
      { a: { b: [2, 9, 3, 4], c: 1 }, wanted: 2, copy: 5 },
    );
    await refuse(
      "InvalidDigitalTwinPatch",
      { op: "add", path: "/z", value: 1 },
      { op: "test", path: "/copy", value: "5" },
    );
  });

  const wrong: [what: string, code: string, step: Json][] = [
    ["no step", "InvalidDigitalTwinJsonPatch", 1],
    ["no op", "InvalidDigitalTwinJsonPatch", { path: "/a" }],
    ["an unknown op", "InvalidDigitalTwinJsonPatch", { op: "merge", path: "/a", value: 1 }],
    ["no path", "InvalidDigitalTwinJsonPatch", { op: "remove" }],
    ["the path of the whole", "InvalidDigitalTwinJsonPatch", { op: "add", path: "", value: {} }],
    ["a path that is no pointer", "InvalidDigitalTwinJsonPatch", { op: "add", path: "a", value: 1 }],
    ["a bad escape", "InvalidDigitalTwinJsonPatch", { op: "add", path: "/~2", value: 1 }],
    ["no value", "InvalidDigitalTwinJsonPatch", { op: "add", path: "/a" }],
    ["no from", "InvalidDigitalTwinJsonPatch", { op: "move", path: "/a" }],
    ["the id", "InvalidDigitalTwinPatchPath", { op: "replace", path: "/$dtId", value: "x" }],
    ["the metadata", "InvalidDigitalTwinPatchPath", { op: "add", path: "/$metadata/$model", value: "x" }],
    ["a parent that is not there", "InvalidDigitalTwinPatchPath", { op: "add", path: "/none/a", value: 1 }],
    ["a parent that is a number", "InvalidDigitalTwinPatchPath", { op: "add", path: "/n/a", value: 1 }],
    ["what is not there to replace", "InvalidDigitalTwinPatchPath", { op: "replace", path: "/none", value: 1 }],
    ["what is not there to remove", "InvalidDigitalTwinPatchPath", { op: "remove", path: "/none" }],
    ["an element that is not there", "InvalidDigitalTwinPatchPath", { op: "add", path: "/list/2", value: 1 }],
    ["an index with a zero in front", "InvalidDigitalTwinPatchPath", { op: "remove", path: "/list/00" }],
    ["a move into itself", "InvalidDigitalTwinPatchPath", { op: "move", from: "/o", path: "/o/p" }],
    ["a name that no property can have", "ArgumentInvalid", { op: "add", path: "/a.b", value: 1 }],
    ["a value that is too long", "ArgumentInvalid", { op: "add", path: "/a", value: "x".repeat(5000) }],
  ];
  for (const [what, code, step] of wrong) {
    test(`is refused with ${what}`, async () => {
      await using scene = await setup();
      await scene.rest.do("PATCH", "/twins/d", { properties: { desired: { n: 1, list: [1], o: {} } } });
      await scene.refuse(code, { op: "add", path: "/first", value: 1 }, step);
    });
  }

  test("is refused when it is no array", async () => {
    await using scene = await setup();
    await scene.rest.fails([400, "InvalidDigitalTwinJsonPatch"], "PATCH", "/digitaltwins/d", { op: "remove" });
  });

  test("leads from any desired properties to any others", async () => {
    await using scene = await setup();
    const { rest, patch } = scene;
    const name = fc.constantFrom("a", "b", "c", "__proto__", "constructor");
    const leaf = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.boolean(), fc.constantFrom("", "x"));
    const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
      tree: fc.oneof({ maxDepth: 3 }, leaf, fc.array(leaf, { maxLength: 2 }), fc.dictionary(name, tie("tree"))),
    }));
    const root = fc.dictionary(name, tree);
    const plain = (value: Json): Json => JSON.parse(JSON.stringify(value));
    await fc.assert(
      fc.asyncProperty(root, root, async (before, after) => {
        await rest.do("PUT", "/twins/d", { properties: { desired: plain(before) } });
        const steps: Json[] = [
          ...Object.keys(before).filter((key) => !Object.hasOwn(after, key)).map((key) => ({
            op: "remove",
            path: `/${key}`,
          })),
          ...Object.entries(after).map(([key, value]) => ({ op: "add", path: `/${key}`, value })),
        ];
        assert.deepEqual(await patch(...steps), plain(after));
      }),
      { numRuns: 50 },
    );
  });
});

describe("a command of a digital twin", () => {
  test("is a direct method, whose status is in a header", async () => {
    await using scene = await setup();
    const { hub, rest } = scene;
    const calls: unknown[] = [];
    hub.device("d").onMethod((payload, methodName) => {
      calls.push([methodName, payload]);
      return { status: 418, payload: { at: 5 } };
    });
    const root = await rest.call("POST", "/digitaltwins/d/commands/reboot", { in: 5 });
    assert.deepEqual([root.status, root.headers.get("x-ms-command-statuscode"), root.body], [200, "418", { at: 5 }]);
    assert.match(root.headers.get("x-ms-request-id")!, /^[0-9a-f-]{36}$/);
    await rest.do("POST", "/digitaltwins/d/components/thermostat1/commands/getReport", '"2026-01-01"');
    await rest.do("POST", "/digitaltwins/d/commands/none");
    assert.deepEqual(calls, [["reboot", { in: 5 }], ["thermostat1*getReport", "2026-01-01"], ["none", null]]);
    hub.device("d").onMethod(() => ({ status: 204 }));
    assert.equal((await rest.call("POST", "/digitaltwins/d/commands/quiet", "1")).body, null);
  });

  test("waits for the device as long as it is told to, and fails as a direct method does", async () => {
    await using scene = await setup();
    const { hub, rest } = scene;
    const path = "/digitaltwins/d/commands/c";
    const { body } = await rest.fails([404, "DeviceNotOnline"], "POST", path, "1");
    assert.equal(JSON.parse(body.Message).errorCode, 404103);
    for (const query of ["responseTimeoutInSeconds=4", "connectTimeoutInSeconds=x", "connectTimeoutInSeconds=31"]) {
      await rest.fails([400, "ArgumentInvalid"], "POST", `${path}?${query}`, "1");
    }
    const waiting = rest.call("POST", `${path}?connectTimeoutInSeconds=20&responseTimeoutInSeconds=30`, "1");
    // The hub has read the request when it has answered the next one.
    await rest.do("GET", "/digitaltwins/d");
    hub.device("d").onMethod(() => ({ status: 200, payload: "here" }));
    assert.equal((await waiting).body, "here");
  });

  test("takes no bearer token, as the real hub", async () => {
    await using scene = await setup();
    const { hub } = scene;
    hub.device("d").onMethod(() => ({ status: 200 }));
    const { token } = (await hub.tokenCredential().getToken("https://iothubs.azure.net/.default"))!;
    const bearer = new RestCaller(hub, `Bearer ${token}`);
    await bearer.fails([401, "IotHubUnauthorizedAccess"], "POST", "/digitaltwins/d/commands/c", "1");
    assert.equal((await bearer.do("GET", "/digitaltwins/d")).$dtId, "d");
  });
});
