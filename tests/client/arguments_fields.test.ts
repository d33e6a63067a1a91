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
  { methods: /^getConfigurations$/, option: "maxCount", wrongTypes: ["3", null], wrongValues: [0, 1.5, NaN, 2 ** 31] },
  {
    methods: /^queryScheduledJobs$/,
    option: "jobType",
    wrongValues: ["export", "ScheduleUpdateTwin", "", null, 5],
  },
  { methods: /^queryScheduledJobs$/, option: "jobStatus", wrongValues: ["canceled", "Running", "", null, 5] },
  {
    methods: /^invoke(Component)?Command$/,
    option: "responseTimeoutInSeconds",
    wrongTypes: ["30", null],
    wrongValues: [4, 301, 5.5, NaN],
  },
  {
    methods: /^invoke(Component)?Command$/,
    option: "connectTimeoutInSeconds",
    wrongTypes: ["5", null],
    wrongValues: [-1, 301, 0.5, NaN],
  },
  {
    methods: /^(queryIotHub|queryScheduledJobs|jobDevices)$/,
    option: "maxItemCount",
    wrongTypes: ["3", null],
    wrongValues: [0, -1, 1.5, NaN, Infinity],
  },
  {
    methods: /^(queryIotHub|queryScheduledJobs)$/,
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

const CONTENT = { deviceContent: {} };
const URI = "https://store.example/c?sig=c2VjcmV0IHNlY3JldA%3D%3D";

const BAD_CONFIGURATIONS: readonly BadArgument[] = [
  [undefined, TypeError, "configuration"],
  [null, TypeError, "configuration"],
  ["c1", TypeError, "configuration"],
  [[], TypeError, "configuration"],
  [{ content: CONTENT }, TypeError, "configuration.id"],
  [{ id: "", content: CONTENT }, RangeError, "configuration.id"],
  [{ id: "C1", content: CONTENT }, RangeError, 'configuration.id "C1"'],
  [{ id: "a.b", content: CONTENT }, RangeError, 'configuration.id "a.b"'],
  [{ id: "c".repeat(129), content: CONTENT }, RangeError, "configuration.id"],
  [{ id: "c1" }, TypeError, "configuration.content"],
  [{ id: "c1", content: [] }, TypeError, "configuration.content"],
  [{ id: "c1", content: { deviceContent: [] } }, TypeError, "configuration.content.deviceContent"],
  [{ id: "c1", content: { modulesContent: "m" } }, TypeError, "configuration.content.modulesContent"],
  [{ id: "c1", content: { deviceContent: { limit: NaN } } }, RangeError, "configuration.content.deviceContent.limit"],
  [{ id: "c1", content: CONTENT, targetCondition: 5 }, TypeError, "configuration.targetCondition"],
  [{ id: "c1", content: CONTENT, priority: "5" }, TypeError, "configuration.priority"],
  [{ id: "c1", content: CONTENT, priority: 1.5 }, RangeError, "configuration.priority"],
  [{ id: "c1", content: CONTENT, priority: 2 ** 31 }, RangeError, "configuration.priority"],
  [{ id: "c1", content: CONTENT, labels: ["a"] }, TypeError, "configuration.labels"],
  [{ id: "c1", content: CONTENT, labels: { floor: 1 } }, TypeError, "configuration.labels.floor"],
  [{ id: "c1", content: CONTENT, labels: { floor: null } }, TypeError, "configuration.labels.floor"],
  [{ id: "c1", content: CONTENT, schemaVersion: 2 }, TypeError, "configuration.schemaVersion"],
  [{ id: "c1", content: CONTENT, metrics: [] }, TypeError, "configuration.metrics"],
  [{ id: "c1", content: CONTENT, metrics: { queries: [] } }, TypeError, "configuration.metrics.queries"],
  [{ id: "c1", content: CONTENT, metrics: { queries: { hot: 5 } } }, TypeError, "configuration.metrics.queries.hot"],
  [{ id: "c1", content: CONTENT, labels: { big: 1n } }, TypeError, "configuration.labels.big"],
];

const BAD_CONTENTS: readonly BadArgument[] = [
  [undefined, TypeError, "content"],
  [null, TypeError, "content"],
  [{ modulesContent: [] }, TypeError, "content.modulesContent"],
  [{ modulesContent: { $edgeAgent: { big: 1n } } }, TypeError, "content.modulesContent.$edgeAgent.big"],
];

const BAD_TEST_INPUTS: readonly BadArgument[] = [
  [undefined, TypeError, "input"],
  [{ targetCondition: 5 }, TypeError, "input.targetCondition"],
  [[], TypeError, "input"],
  [{ customMetricQueries: { hot: 5 } }, TypeError, "input.customMetricQueries.hot"],
  [{ customMetricQueries: "SELECT" }, TypeError, "input.customMetricQueries"],
];

/** `NAME` stands for what the method calls what it is for. */
const BAD_SCHEDULES: readonly BadArgument[] = [
  [undefined, TypeError, "NAME"],
  [null, TypeError, "NAME"],
  ["now", TypeError, "NAME"],
];

/** What is wrong with when a job runs, and on which devices. */
const BAD_TIMES: readonly BadArgument[] = [
  [{ queryCondition: "" }, RangeError, "queryCondition"],
  [{ queryCondition: " " }, RangeError, "queryCondition"],
  [{ queryCondition: null }, TypeError, "queryCondition"],
  [{ startTime: "tomorrow" }, RangeError, "startTime"],
  [{ startTime: "2030-13-31T12:00:00Z" }, RangeError, "startTime"],
  [{ startTime: new Date(NaN) }, RangeError, "startTime"],
  [{ startTime: new Date(8.64e15) }, RangeError, "startTime"],
  [{ startTime: "2030-01-31T12:00:00Z " }, RangeError, "startTime"],
  [{ startTime: 5 }, TypeError, "startTime"],
  [{ startTime: null }, TypeError, "startTime"],
  [{ maxExecutionTimeInSeconds: 0 }, RangeError, "maxExecutionTimeInSeconds"],
  [{ maxExecutionTimeInSeconds: "60" }, TypeError, "maxExecutionTimeInSeconds"],
];

const BAD_JOBS: readonly BadArgument[] = [
  ...BAD_SCHEDULES.map(([value, kind]): BadArgument => [value, kind, "jobRequest"]),
  [{}, RangeError, "jobRequest.type"],
  [[], TypeError, "jobRequest"],
  [{ type: "export" }, RangeError, 'jobRequest.type "export"'],
  [{ type: "scheduleUpdateTwin" }, TypeError, "jobRequest.updateTwin"],
  [{ type: "scheduleDeviceMethod" }, TypeError, "jobRequest.cloudToDeviceMethod"],
  [{ type: "scheduleDeviceMethod", updateTwin: {} }, TypeError, "jobRequest.cloudToDeviceMethod"],
  [
    { type: "scheduleUpdateTwin", updateTwin: {}, cloudToDeviceMethod: { methodName: "m" } },
    RangeError,
    "jobRequest.cloudToDeviceMethod in a job scheduleUpdateTwin",
  ],
  [
    { type: "scheduleDeviceMethod", cloudToDeviceMethod: { methodName: "m" }, updateTwin: {} },
    RangeError,
    "jobRequest.updateTwin in a job scheduleDeviceMethod",
  ],
  [{ type: "scheduleUpdateTwin", updateTwin: {}, jobId: "j2" }, RangeError, 'jobRequest.jobId "j2"'],
  [
    { type: "scheduleUpdateTwin", updateTwin: { tags: { limit: NaN } } },
    RangeError,
    "jobRequest.updateTwin.tags.limit",
  ],
  ...BAD_TIMES.map(([time, kind, named]): BadArgument => [
    { type: "scheduleUpdateTwin", updateTwin: {}, ...time as object },
    kind,
    named,
  ]),
];

const BAD_TWIN_SCHEDULES: readonly BadArgument[] = [
  ...BAD_SCHEDULES.map(([value, kind]): BadArgument => [value, kind, "schedule"]),
  ...namedPatches("schedule.twin").map(([twin, kind, named]): BadArgument => [{ twin }, kind, named]),
  ...BAD_TIMES.map(([time, kind, named]): BadArgument => [{ twin: {}, ...time as object }, kind, named]),
];

const BAD_METHOD_SCHEDULES: readonly BadArgument[] = [
  ...BAD_SCHEDULES.map(([value, kind]): BadArgument => [value, kind, "schedule"]),
  ...BAD_REQUESTS.map(([method, kind, named]): BadArgument => [
    { method },
    kind,
    named.replace("request", "schedule.method"),
  ]),
  ...BAD_TIMES.map(([time, kind, named]): BadArgument => [
    { method: { methodName: "reboot" }, ...time as object },
    kind,
    named,
  ]),
];

const BAD_IMPORTS: readonly BadArgument[] = [
  [undefined, TypeError, "jobProperties"],
  [null, TypeError, "jobProperties"],
  [{}, RangeError, "jobProperties.type"],
  [[], TypeError, "jobProperties"],
  [{ type: "import", outputBlobContainerUri: URI, inputBlobContainerUri: "" }, RangeError, "jobProperties.inputBlob"],
  [{ type: "backup", outputBlobContainerUri: URI }, RangeError, 'jobProperties.type "backup"'],
  [{ type: "export" }, TypeError, "jobProperties.outputBlobContainerUri"],
  [{ type: "export", outputBlobContainerUri: "container" }, RangeError, "jobProperties.outputBlobContainerUri:"],
  [{ type: "export", outputBlobContainerUri: new URL(URI) }, TypeError, "jobProperties.outputBlobContainerUri"],
  [{ type: "import", outputBlobContainerUri: URI }, TypeError, "jobProperties.inputBlobContainerUri"],
  [
    { type: "import", outputBlobContainerUri: URI, inputBlobContainerUri: `${URI} ` },
    RangeError,
    "jobProperties.inputBlobContainerUri:",
  ],
  [{ type: "export", outputBlobContainerUri: URI, outputBlobName: "" }, RangeError, "jobProperties.outputBlobName"],
  [{ type: "export", outputBlobContainerUri: URI, excludeKeysInExport: 1 }, TypeError, "jobProperties.excludeKeysInE"],
  [
    { type: "export", outputBlobContainerUri: URI, storageAuthenticationType: "IdentityBased" },
    RangeError,
    "jobProperties.storageAuthenticationType",
  ],
  [{ type: "export", outputBlobContainerUri: URI, identity: {} }, TypeError, "jobProperties.identity.userAssigned"],
];

const BAD_JSON_PATCHES: readonly BadArgument[] = [
  [undefined, TypeError, "patch"],
  [{ op: "remove", path: "/a" }, TypeError, "patch"],
  [[], RangeError, "patch"],
  [[null], TypeError, "patch[0]"],
  [[{ path: "/a" }], RangeError, "patch[0].op"],
  [[[]], TypeError, "patch[0]"],
  [[{ op: "Add", path: "/a", value: 1 }], RangeError, 'patch[0].op "Add"'],
  [[{ op: "toString", path: "/a", value: 1 }], RangeError, 'patch[0].op "toString"'],
  [[{ op: "remove" }], TypeError, "patch[0].path"],
  [[{ op: "remove", path: "a" }], RangeError, "patch[0].path"],
  [[{ op: "remove", path: "/a~2" }], RangeError, "patch[0].path"],
  [[{ op: "remove", path: "/a~" }], RangeError, "patch[0].path"],
  ...["add", "replace", "test"].map((op): BadArgument => [[{ op, path: "/a" }], TypeError, "patch[0].value"]),
  ...["move", "copy"].map((op): BadArgument => [[{ op, path: "/a" }], TypeError, "patch[0].from"]),
  [[{ op: "remove", path: "/a" }, { op: "copy", path: "/a", from: "b" }], RangeError, "patch[1].from"],
  [[{ op: "move", path: "/a/b", from: "/a" }], RangeError, "patch[0].path"],
  [[{ op: "add", path: "/a", value: NaN }], RangeError, "patch[0].value"],
  [[{ op: "add", path: "/a", value: { big: 1n } }], TypeError, "patch[0].value.big"],
];

const BAD_NAMES: readonly BadArgument[] = [
  [undefined, TypeError, "NAME"],
  [5, TypeError, "NAME"],
  ["", RangeError, "NAME"],
  [".", RangeError, "NAME"],
  ["..", RangeError, "NAME"],
  ["a\n", RangeError, "NAME"],
  ["a".repeat(513), RangeError, "NAME"],
];

const BAD_ARGUMENTS: readonly [methods: RegExp, what: string, bad: readonly BadArgument[]][] = [
  [/^queryIotHub$/, "query", BAD_QUERIES],
  [/^invokeDevice/, "request", BAD_REQUESTS],
  [/^(replace|update)Twin$/, "patch", namedPatches("deviceTwin")],
  [/^(replace|update)ModuleTwin$/, "patch", namedPatches("moduleTwin")],
  [/^bulkCreateOrUpdateDevices$/, "list", BAD_BULKS],
  [/^(create|update)Configuration$/, "configuration", BAD_CONFIGURATIONS],
  [/^applyConfiguration/, "content", BAD_CONTENTS],
  [/^testConfigurationQueries$/, "input", BAD_TEST_INPUTS],
  [/^createScheduledJob$/, "job", BAD_JOBS],
  [/^scheduleTwinUpdate$/, "schedule", BAD_TWIN_SCHEDULES],
  [/^scheduleDeviceMethod$/, "schedule", BAD_METHOD_SCHEDULES],
  [/^createImportExportJob$/, "job", BAD_IMPORTS],
  [/^updateDigitalTwin$/, "patch", BAD_JSON_PATCHES],
  [/^invokeCommand$/, "name", BAD_NAMES.map(([name, kind]) => [name, kind, "commandName"])],
  [/^invokeComponentCommand$/, "name", BAD_NAMES.map(([name, kind]) => [name, kind, "componentPath"])],
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
