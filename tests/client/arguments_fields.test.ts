import assert from "node:assert/strict";
import { test } from "node:test";
import { HTTP_METHODS, type HttpMethod, invoke } from "../support/http_methods.ts";
import { Recorder } from "../support/recorder.ts";
import { assertRefused } from "../support/rejections.ts";

/** Values of one option, by how they are refused. */
interface BadOption {
  methods: RegExp;
  option: string;
  wrongTypes?: readonly unknown[];
  wrongValues?: readonly unknown[];
}

const STATUSES_THAT_ARE_NONE = ["active", "Enabled", "", null, true];

const BAD_OPTIONS: readonly BadOption[] = [
  { methods: /createDeviceWith/, option: "status", wrongValues: STATUSES_THAT_ARE_NONE },
  // Without it, an update would enable a disabled device.
  { methods: /updateDeviceWith/, option: "status", wrongTypes: [undefined], wrongValues: STATUSES_THAT_ARE_NONE },
  { methods: /DeviceWith/, option: "iotEdge", wrongTypes: ["true", 1, null] },
  { methods: /DeviceWith/, option: "statusReason", wrongTypes: [5, {}], wrongValues: ["x".repeat(129)] },
  { methods: /DeviceWith/, option: "deviceScope", wrongTypes: [5, null] },
  { methods: /DeviceWith/, option: "parentScopes", wrongTypes: [5, null, {}, [5], ["a", null]] },
  { methods: /ModuleWith/, option: "managedBy", wrongTypes: [5, {}] },
  { methods: /WithX509/, option: "primaryThumbprint", wrongTypes: [undefined, null, 5] },
  { methods: /WithX509/, option: "secondaryThumbprint", wrongTypes: [5, {}] },
  { methods: /create.*WithSas/, option: "primaryKey", wrongTypes: [null, 5] },
  { methods: /create.*WithSas/, option: "secondaryKey", wrongTypes: [null, 5] },
  // The hub would take a key left out of an update for the wish for a new one, and the device would be locked out.
  { methods: /update.*WithSas/, option: "primaryKey", wrongTypes: [undefined, null, 5] },
  { methods: /update.*WithSas/, option: "secondaryKey", wrongTypes: [undefined, null, 5] },
  {
    methods: /^getDevices$/,
    option: "maxNumberOfDevices",
    wrongTypes: ["3", null],
    wrongValues: [0, -1, 1.5, NaN, 1001],
  },
  {
    methods: /^queryIotHub$/,
    option: "maxItemCount",
    wrongTypes: ["3", null],
    wrongValues: [0, -1, 1.5, NaN, Infinity],
  },
  {
    methods: /^queryIotHub$/,
    option: "continuationToken",
    wrongTypes: [5, null, {}],
    wrongValues: ["", " ", "a ", "a\r\nX-Injected: 1", "a\nb", "a\0", "tökén"],
  },
];

for (const { methods, option, wrongTypes = [], wrongValues = [] } of BAD_OPTIONS) {
  for (const method of methodsLike(methods)) {
    test(`${method.name} refuses every ${option} that is none`, async () => {
      for (const value of wrongTypes) {
        await assertRefused(
          (registry) => invoke(registry, method, { options: { [option]: value } }),
          TypeError,
          option,
        );
      }
      for (const value of wrongValues) {
        await assertRefused(
          (registry) => invoke(registry, method, { options: { [option]: value } }),
          RangeError,
          option,
        );
      }
    });
  }
}

/** A whole argument between the ids and the options, and what the message calls the part that is wrong. */
type BadArgument = readonly [argument: unknown, kind: typeof TypeError | typeof RangeError, named: string];

const WITHIN_ITSELF: Record<string, unknown> = { ring: {} };
WITHIN_ITSELF["ring"] = [WITHIN_ITSELF];

const BAD_QUERIES: readonly BadArgument[] = [
  ["", RangeError, "query"],
  [" \n", RangeError, "query"],
  [{ query: "" }, RangeError, "query"],
  [{}, TypeError, "query"],
  [{ query: 5 }, TypeError, "query"],
  [5, TypeError, "query"],
  [null, TypeError, "query"],
  [undefined, TypeError, "query"],
];

const BAD_REQUESTS: readonly BadArgument[] = [
  [undefined, TypeError, "request"],
  [null, TypeError, "request"],
  ["reboot", TypeError, "request"],
  [{}, TypeError, "methodName"],
  [{ methodName: 5 }, TypeError, "methodName"],
  [{ methodName: "" }, RangeError, "methodName"],
  ...[4, 0, -1, 301, 5.5, NaN, Infinity].map((seconds): BadArgument => [
    { methodName: "reboot", responseTimeoutInSeconds: seconds },
    RangeError,
    "responseTimeoutInSeconds",
  ]),
  [{ methodName: "reboot", responseTimeoutInSeconds: "30" }, TypeError, "responseTimeoutInSeconds"],
  ...[-1, 301, 0.5, NaN].map((seconds): BadArgument => [
    { methodName: "reboot", connectTimeoutInSeconds: seconds },
    RangeError,
    "connectTimeoutInSeconds",
  ]),
  [{ methodName: "reboot", connectTimeoutInSeconds: "5" }, TypeError, "connectTimeoutInSeconds"],
  [{ methodName: "reboot", payload: NaN }, RangeError, "payload"],
  [{ methodName: "reboot", payload: 10n }, TypeError, "payload"],
  [{ methodName: "reboot", payload: () => {} }, TypeError, "payload"],
  [{ methodName: "reboot", payload: Symbol("s") }, TypeError, "payload"],
  [{ methodName: "reboot", payload: { list: [1, undefined] } }, TypeError, "payload.list[1]"],
  [{ methodName: "reboot", payload: WITHIN_ITSELF }, TypeError, "payload.ring[0]"],
];

/** `NAME` stands for what the method calls its patch. */
const BAD_PATCHES: readonly BadArgument[] = [
  [undefined, TypeError, "NAME"],
  [null, TypeError, "NAME"],
  [[], TypeError, "NAME"],
  ['{"tags":{}}', TypeError, "NAME"],
  [{ tags: [] }, TypeError, "NAME.tags"],
  [{ tags: "berlin" }, TypeError, "NAME.tags"],
  [{ properties: [] }, TypeError, "NAME.properties"],
  [{ properties: { desired: 5 } }, TypeError, "NAME.properties.desired"],
  // JSON.stringify would make null of these, which deletes the property.
  [{ properties: { desired: { limit: NaN } } }, RangeError, "NAME.properties.desired.limit"],
  [{ properties: { desired: { limit: -Infinity } } }, RangeError, "NAME.properties.desired.limit"],
  [{ tags: { since: new Date(NaN) } }, TypeError, "NAME.tags.since"],
  [{ tags: { list: [0, undefined] } }, TypeError, "NAME.tags.list[1]"],
  [{ tags: { big: 1n } }, TypeError, "NAME.tags.big"],
  [{ tags: { call: () => {} } }, TypeError, "NAME.tags.call"],
  [{ tags: WITHIN_ITSELF }, TypeError, "NAME.tags.ring[0]"],
];

const BAD_BULKS: readonly BadArgument[] = [
  [undefined, TypeError, "devices"],
  [null, TypeError, "devices"],
  [{ 0: { id: "d1" }, length: 1 }, TypeError, "devices"],
  ["d1", TypeError, "devices"],
  [[], RangeError, "devices"],
  [Array.from({ length: 101 }, (_, index) => ({ id: `d${index}` })), RangeError, "devices"],
  [[null], TypeError, "devices[0]"],
  [["d1"], TypeError, "devices[0]"],
  [new Array(1), TypeError, "devices[0]"],
  [[{}], TypeError, "devices[0].id"],
  [[{ deviceId: 5 }], TypeError, "devices[0].id"],
  [[{ deviceId: "a/b" }], RangeError, "devices[0].id"],
  [[{ id: "d1", deviceId: "d2" }], RangeError, 'devices[0].deviceId "d2"'],
  [[{ id: "d1", eTag: "AAAA=", etag: "BBBB=" }], RangeError, 'devices[0].etag "BBBB="'],
  [[{ id: "d1", authentication: "sas" }], TypeError, "devices[0].authentication"],
  [[{ id: "d1", authentication: { symmetric_key: {} } }], TypeError, '"symmetric_key" in devices[0].authentication'],
  [[{ id: "d1" }, { id: "a/b" }], RangeError, "devices[1].id"],
  [[{ id: "" }], RangeError, "devices[0].id"],
  [[{ id: "d1", moduleId: "a b" }], RangeError, "devices[0].moduleId"],
  [[{ id: "d1", moduleId: null }], TypeError, "devices[0].moduleId"],
  [[{ id: "d1" }, { id: "d2", tags: { limit: NaN } }], RangeError, "devices[1].tags.limit"],
  [[{ id: "d1", properties: { desired: { big: 1n } } }], TypeError, "devices[0].properties.desired.big"],
];

const BAD_ARGUMENTS: readonly [methods: RegExp, what: string, bad: readonly BadArgument[]][] = [
  [/^queryIotHub$/, "query", BAD_QUERIES],
  [/^invoke/, "request", BAD_REQUESTS],
  [/^(replace|update)Twin$/, "patch", namedPatches("deviceTwin")],
  [/^(replace|update)ModuleTwin$/, "patch", namedPatches("moduleTwin")],
  [/^bulkCreateOrUpdateDevices$/, "list", BAD_BULKS],
];

for (const [methods, what, bad] of BAD_ARGUMENTS) {
  for (const method of methodsLike(methods)) {
    test(`${method.name} refuses every ${what} that is none`, async () => {
      for (const [argument, kind, named] of bad) {
        await assertRefused((registry) => invoke(registry, method, { argument }), kind, named);
      }
    });
  }
}

test("query reports a bad argument with the first row or page, and sends nothing", async () => {
  const recorder = new Recorder({ body: [] });
  await using registry = recorder.connect();
  const calls: readonly [query: unknown, options: unknown, named: RegExp][] = [
    ["", {}, /query/],
    [null, {}, /query/],
    ["SELECT * FROM devices", null, /options/],
    ["SELECT * FROM devices", { maxItemCount: 0 }, /maxItemCount/],
    ["SELECT * FROM devices", { timeoutInMs: 0 }, /timeoutInMs/],
  ];
  for (const [query, options, named] of calls) {
    await assert.rejects(registry.query(query as string, options as object).next(), named);
    await assert.rejects(registry.query(query as string, options as object).byPage().next(), named);
  }
  const pages = registry.query("SELECT * FROM devices");
  await assert.rejects(pages.byPage({ continuationToken: "" }).next(), /continuationToken/);
  await assert.rejects(pages.byPage({ maxPageSize: 0 }).next(), /maxItemCount/);
  assert.equal(recorder.requests.length, 0);
});

test("an object that is there twice, but not within itself, is sent twice", async () => {
  const recorder = new Recorder({ body: {} });
  await using registry = recorder.connect();
  const place = { city: "berlin" };
  await registry.updateTwin("d1", { tags: { from: place, to: place, all: [place, place] } });
  assert.deepEqual(recorder.requests[0]!.body, { tags: { from: place, to: place, all: [place, place] } });
});

function methodsLike(names: RegExp): HttpMethod[] {
  const methods = HTTP_METHODS.filter(({ name }) => names.test(name));
  assert.ok(methods.length > 0, `${names} matches no method`);
  return methods;
}

function namedPatches(name: string): BadArgument[] {
  return BAD_PATCHES.map(([patch, kind, named]) => [patch, kind, named.replace("NAME", name)]);
}
