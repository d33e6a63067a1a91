import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LocalHub } from "../../lib/local/mod.ts";
import { holds } from "../support/properties.ts";
import { type Json, RestCaller } from "../support/rest_caller.ts";

/** Names that mean something to every object of the language. */
const INHERITED = Object.getOwnPropertyNames(Object.prototype);
const MAX_DEPTH = 128;

/** The operations that read a body: with a body that is good, into which odd values are put. */
const OPERATIONS: readonly (readonly [method: string, path: string, body: Json])[] = [
  ["PUT", "/devices/d", {
    deviceId: "d",
    status: "enabled",
    statusReason: "why",
    capabilities: { iotEdge: true },
    deviceScope: "",
    parentScopes: [],
    authentication: { type: "sas", symmetricKey: { primaryKey: null }, x509Thumbprint: { primaryThumbprint: null } },
  }],
  ["PUT", "/devices/d/modules/m", { deviceId: "d", moduleId: "m", managedBy: "me", authentication: { type: "sas" } }],
  ["PATCH", "/twins/d", { tags: { a: 1 }, properties: { desired: { b: { c: [1] } } } }],
  ["PUT", "/twins/d", { tags: { a: 1 }, properties: { desired: { b: { c: [1] } } } }],
  ["POST", "/devices", [{ id: "x", moduleId: "m", importMode: "update", eTag: "e", status: "enabled", tags: {} }]],
  ["POST", "/devices/query", { query: "SELECT * FROM devices" }],
  ["POST", "/twins/d/methods", {
    methodName: "m",
    payload: {},
    responseTimeoutInSeconds: 5,
    connectTimeoutInSeconds: 0,
  }],
];

async function setup(): Promise<{ hub: LocalHub; rest: RestCaller }> {
  const hub = new LocalHub();
  const rest = new RestCaller(hub);
  await rest.createDevices("d");
  hub.device("d").onMethod((payload) => ({ status: 200, payload }));
  return { hub, rest };
}

/** Nested texts of JSON; what is in the middle does not count as a level. */
function nested(depth: number, kinds: readonly ("array" | "object")[]): string {
  const kindAt = (i: number) => kinds[i % kinds.length];
  const open = Array.from({ length: depth }, (_, i) => kindAt(i) === "array" ? "[" : '{"a":').join("");
  const close = Array.from({ length: depth }, (_, i) => kindAt(depth - 1 - i) === "array" ? "]" : "}").join("");
  return `${open}1${close}`;
}

/** An answer of the hub itself: below 500, and in its own envelope when it is an error. */
function assertDefined(answer: { status: number; code: string | null; body: Json }, what: string): void {
  assert.ok(answer.status < 500, `${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
  if (answer.status < 300) return;
  assert.match(answer.code ?? "", /^[A-Za-z]+$/, what);
  if (answer.code === "BulkRegistryOperationFailure") return void assert.ok(Array.isArray(answer.body.errors));
  assert.equal(typeof (answer.body.Message ?? answer.body.message), "string", what);
}

/** Values that a member does not expect, among them objects that cannot become a text. */
const ODD: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("null", "true", "-1", "1e400", '""', "[]", "{}", "[[]]", '"\\u0000"', '{"toString":1}'),
  fc.constantFrom('{"toString":null,"valueOf":{}}', '{"__proto__":{"a":1}}', '{"constructor":{"prototype":1}}'),
  fc.json({ maxDepth: 4 }),
);

describe("a body at the local hub", () => {
  test("that is nested too deep gets the hub's own 400, and the deepest legal one an answer", async () => {
    const { hub, rest } = await setup();
    await holds(
      fc.asyncProperty(
        fc.constantFrom(...OPERATIONS),
        fc.oneof(fc.integer({ min: 100, max: 140 }), fc.constantFrom(MAX_DEPTH, MAX_DEPTH + 1, 2_000, 10_000)),
        fc.array(fc.constantFrom("array" as const, "object" as const), { minLength: 1, maxLength: 3 }),
        fc.constantFrom("", '"[[[{{{"', '"\\"["'),
        async ([method, path], depth, kinds, text) => {
          const body = text === "" ? nested(depth, kinds) : `[${text},${nested(depth - 1, kinds)}]`;
          const answer = await rest.call(method, path, body);
          assertDefined(answer, `${method} ${path} with ${depth} levels`);
          if (depth > MAX_DEPTH) {
            assert.deepEqual([answer.status, answer.code], [400, "GenericBadRequest"]);
            assert.match(answer.body.Message, /128 levels/);
          } else assert.doesNotMatch(String(answer.body.Message), /128 levels/);
        },
      ),
      120,
    );
    await hub.close();
  });

  test("with any member of any type gets an answer of the hub's own", async () => {
    const { hub, rest } = await setup();
    await holds(
      fc.asyncProperty(fc.constantFrom(...OPERATIONS), fc.nat(), ODD, fc.constantFrom(...INHERITED), async (
        [method, path, body],
        place,
        odd,
        inherited,
      ) => {
        // The text of one value within the body is exchanged, or a member with an inherited name is put beside it.
        const places = placesIn(body);
        const at = places[place % places.length]!;
        const text = JSON.stringify(body, (key, value) => {
          return key === at ? "\u0001" : value;
        });
        const changed = text.replace('"\\u0001"', place % 3 === 0 ? `1,${JSON.stringify(inherited)}:${odd}` : odd);
        const answer = await rest.call(method, path, changed);
        assertDefined(answer, `${method} ${path} ${changed}`);
      }),
      400,
    );
    await hub.close();
  });

  test("may nest what a device reports and answers as deep, and no deeper", async () => {
    const { hub, rest } = await setup();
    const device = hub.device("d");
    const deep = JSON.parse(nested(MAX_DEPTH - 1, ["array"]));
    await device.updateReportedProperties({ deep });
    await assert.rejects(device.updateReportedProperties({ deep: [deep] }), { code: "ArgumentInvalid" });
    assert.equal(JSON.stringify((await rest.do("GET", "/twins/d")).properties.reported.deep), JSON.stringify(deep));
    device.onMethod("wide", () => ({ status: 200, payload: [[deep]] }));
    assert.equal((await rest.do("POST", "/twins/d/methods", { methodName: "wide" })).status, 500);
  });
});

describe("a name that every object inherits", () => {
  const NAME = fc.constantFrom(...INHERITED, "then", "length", "prototype");

  test("is a column of a query like any other", async () => {
    const { hub, rest } = await setup();
    await rest.do("PATCH", "/twins/d", '{"tags":{"a":{"b":7}}}');
    await holds(
      fc.asyncProperty(NAME, NAME, async (name, second) => {
        const ask = (query: string) => rest.call("POST", "/devices/query", { query }).then(({ body }) => body[0]);
        const row = await ask(`SELECT tags AS [[${name}]], deviceId FROM devices`);
        assert.deepEqual(Object.keys(row).sort(), [name, "deviceId"].sort());
        assert.deepEqual(Object.getOwnPropertyDescriptor(row, name)!.value, { a: { b: 7 } });
        const group = await ask(`SELECT tags AS [[${name}]], COUNT() AS [[${second}]] FROM devices GROUP BY tags`);
        assert.deepEqual(Object.getOwnPropertyDescriptor(group, second)!.value, 1);
        const missing = await ask(`SELECT [[${name}]], tags.a.[[${name}]] AS x, deviceId FROM devices`);
        assert.deepEqual(Object.keys(missing), ["deviceId"], "nothing is inherited");
      }),
      60,
    );
    await hub.close();
  });

  test("is a tag, a property, a device, a module and a method like any other", async () => {
    await holds(
      fc.asyncProperty(NAME, async (name) => {
        await using hub = new LocalHub();
        const rest = new RestCaller(hub);
        const content = `{${JSON.stringify(name)}:{"deep":{${JSON.stringify(name)}:1}}}`;
        await rest.do("PUT", `/devices/${name}`, { deviceId: name });
        await rest.do("PUT", `/devices/${name}/modules/${name}`, { deviceId: name, moduleId: name });
        await rest.do("PATCH", `/twins/${name}`, `{"tags":${content},"properties":{"desired":${content}}}`);
        const twin = await rest.do("GET", `/twins/${name}`);
        assert.equal(JSON.stringify(twin.tags), content);
        const { $metadata, $version, ...desired } = twin.properties.desired;
        assert.equal(JSON.stringify(desired), content);
        assert.ok(Object.hasOwn($metadata, name), "each property has its metadata");
        assert.equal($version, 2);
        await hub.device(name).updateReportedProperties(JSON.parse(content));
        assert.equal(JSON.stringify(hub.device(name).twin.reported), content.replace(/}$/, ',"$version":2}'));
        const { body } = await rest.call("POST", "/devices/query", {
          query:
            `SELECT * FROM devices WHERE IS_DEFINED(tags.[[${name}]].deep) AND tags.[[${name}]].deep.[[${name}]] = 1`,
        });
        assert.equal(body.length, 1);
        const call = () => rest.do("POST", `/twins/${name}/methods`, { methodName: name });
        hub.device(name).onMethod("other", () => ({ status: 200 }));
        assert.deepEqual(await call(), { status: 501, payload: null }, "no handler is inherited");
        hub.device(name).onMethod(name, () => ({ status: 200, payload: JSON.parse(content) }));
        assert.equal(JSON.stringify((await call()).payload), content);
      }),
      15,
    );
  });

  test("is answered with the errors of a good token when it is forged into a continuation token", async () => {
    const { hub, rest } = await setup();
    await rest.createDevices("e");
    for (const query of ["SELECT * FROM devices", "SELECT COUNT() AS n, deviceId FROM devices GROUP BY deviceId"]) {
      const headers = { "x-ms-max-item-count": "1" };
      const first = await rest.call("POST", "/devices/query", { query }, { headers });
      const [fingerprint] = JSON.parse(atob(first.headers.get("x-ms-continuation")!));
      await holds(
        fc.asyncProperty(ODD, ODD, async (after, taken) => {
          const token = btoa(String.fromCharCode(...new TextEncoder().encode(`["${fingerprint}",${after},${taken}]`)));
          const answer = await rest.call("POST", "/devices/query", { query }, {
            headers: { ...headers, "x-ms-continuation": token },
          });
          assertDefined(answer, `${after} ${taken}`);
        }),
        100,
      );
    }
    await hub.close();
  });
});

/** The names of all members in a value. */
function placesIn(value: Json): string[] {
  if (typeof value !== "object" || value === null) return [];
  const names = Array.isArray(value) ? [] : Object.keys(value);
  return [...names, ...Object.values(value).flatMap(placesIn)];
}
