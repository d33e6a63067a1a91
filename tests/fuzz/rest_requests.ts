import fc from "fast-check";
import { REST_DEVICES } from "./hub_facts.ts";
import { HTTP_MUTATIONS, type HttpMutation } from "./http_message.ts";
import { JSON_MUTATIONS, type JsonMutation } from "./json_mutation.ts";

/** A request to a hub, whose path begins with one of its operations. */
export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly token: "service" | "expired" | "garbage" | "none";
  readonly headers: readonly (readonly [string, string])[];
  /** As it goes to JSON; absent when there is none. */
  readonly body?: unknown;
  readonly framing: "length" | "chunked";
  /** How the body comes where there is no socket; at once if absent. */
  readonly streaming?: "whole" | "broken" | undefined;
  readonly mutation?: RestMutation | undefined;
}

export type RestMutation =
  | { readonly of: "body"; readonly how: JsonMutation }
  | { readonly of: "message"; readonly how: HttpMutation }
  | { readonly of: "path"; readonly part: number; readonly text: string }
  | { readonly of: "method"; readonly text: string }
  | { readonly of: "header"; readonly name: string; readonly value: string };

const DEVICE = fc.constantFrom(...REST_DEVICES);
const NEW_DEVICE = fc.nat(30).map((number) => `n${number}`);
const ANY_DEVICE = fc.oneof(DEVICE, NEW_DEVICE);
const QUERY = fc.constantFrom(
  "SELECT * FROM devices",
  "SELECT deviceId, tags.a AS b FROM devices WHERE status = 'enabled' AND (properties.desired.x > 1 OR NOT IS_DEFINED(tags.b))",
  "SELECT COUNT() AS n, AVG(tags.n) FROM devices GROUP BY tags.place",
  "SELECT TOP 3 * FROM devices.modules WHERE moduleId IN ['m', 'n'] ORDER BY deviceId",
  "SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'j1' AND status != 'failed'",
  "SELECT d.tags.a.b.c FROM devices d WHERE STARTS_WITH(d.deviceId, 'r') AND tags.list[0] = null",
);
const DESIRED = fc.constantFrom<Record<string, unknown>>({ a: 1 }, { a: { b: { c: [1, "x", null] } }, on: true }, {
  a: null,
});

function device(deviceId: string): Record<string, unknown> {
  const symmetricKey = { primaryKey: btoa("0123456789abcdef"), secondaryKey: btoa("fedcba9876543210") };
  const authentication = { type: "sas", symmetricKey };
  return { deviceId, status: "enabled", statusReason: "new", authentication, capabilities: { iotEdge: false } };
}

interface Operation {
  method: string;
  path: string;
  body?: unknown;
  headers?: readonly (readonly [string, string])[];
}

const CONFIGURATION = fc.nat(9).map((number) => `c${number}`);
const CONFIGURATION_CONTENT = fc.constantFrom<Record<string, unknown>>(
  { deviceContent: { "properties.desired.a": { b: 1, c: null }, "properties.desired": { d: [1] } } },
  { moduleContent: { "properties.desired.a.b.c": 1 } },
  {
    modulesContent: {
      $edgeAgent: { "properties.desired": { modules: { m: {} } } },
      m: { "properties.desired.a": 1 },
    },
  },
  { modulesContent: { $edgeHub: { "properties.desired.routes.r": "FROM /* INTO $upstream" } } },
);
const TARGET_CONDITION = fc.constantFrom(
  ...["*", "", "tags.a = 1 OR NOT IS_DEFINED(properties.reported.x)", "deviceId IN ['r1', 'n1']"],
  ...["from devices.modules where moduleId = 'm'", "status = 'enabled'"],
);

const JOB = fc.nat(9).map((number) => `j${number}`);
const JOB_WORK = fc.constantFrom<Record<string, unknown>>(
  { type: "scheduleUpdateTwin", updateTwin: { etag: "*", tags: { a: 1 }, properties: { desired: { a: null } } } },
  { type: "scheduleDeviceMethod", cloudToDeviceMethod: { methodName: "m", payload: [1], responseTimeoutInSeconds: 5 } },
);
const JOB_CONDITION = fc.constantFrom("*", "", "tags.a = 1", "deviceId IN ['r1']", "deviceId LIKE 'a%'");
const START_TIME = fc.constantFrom(null, "2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z");
const JSON_PATCH_STEP = fc.constantFrom<Record<string, unknown>>(
  { op: "add", path: "/a", value: { b: [1, { c: 2 }] } },
  { op: "add", path: "/fan", value: { speed: 1, $metadata: {} } },
  { op: "replace", path: "/a/b/1", value: 3 },
  { op: "move", from: "/a/b", path: "/a/d" },
  { op: "copy", from: "/a", path: "/e~1~0" },
  { op: "test", path: "/fan/speed", value: 1 },
  { op: "remove", path: "/a" },
);

const IF_MATCH = fc.constantFrom<readonly (readonly [string, string])[]>(
  [["If-Match", "*"]],
  [["If-Match", '"AAAA"']],
  [],
);

/** The operations, as a client asks for them. */
const OPERATION: fc.Arbitrary<Operation> = fc.oneof(
  fc.constantFrom<Operation>(
    { method: "GET", path: "/devices?top=5" },
    { method: "GET", path: "/statistics/devices" },
    { method: "GET", path: "/statistics/service" },
    { method: "GET", path: "/messages/servicebound/feedback" },
    { method: "DELETE", path: `/messages/servicebound/feedback/${"0".repeat(36)}` },
    { method: "POST", path: `/messages/servicebound/feedback/${"0".repeat(36)}/abandon` },
    { method: "GET", path: "/configurations" },
    { method: "GET", path: "/jobs" },
    { method: "GET", path: "/jobs/v2/query?jobType=scheduleUpdateTwin&jobStatus=completed" },
    {
      method: "POST",
      path: "/jobs/create",
      body: { type: "export", outputBlobContainerUri: "https://h/blob/c?sig=x" },
    },
  ),
  ANY_DEVICE.map((id) => ({ method: "GET", path: `/devices/${id}` })),
  fc.tuple(ANY_DEVICE, IF_MATCH).map(([id, headers]) => ({
    method: "PUT",
    path: `/devices/${id}`,
    body: device(id),
    headers,
  })),
  fc.tuple(NEW_DEVICE, IF_MATCH).map(([id, headers]) => ({ method: "DELETE", path: `/devices/${id}`, headers })),
  DEVICE.map((id) => ({ method: "DELETE", path: `/devices/${id}/commands` })),
  fc.array(fc.tuple(NEW_DEVICE, fc.constantFrom("create", "createOrUpdate", "update", "delete", "deleteIfMatchETag")), {
    minLength: 1,
    maxLength: 5,
  }).map((entries) => ({
    method: "POST",
    path: "/devices",
    body: entries.map(([id, importMode]) => ({
      id,
      importMode,
      eTag: "AAAA",
      status: "enabled",
      tags: { a: 1 },
      properties: { desired: { a: 1 } },
    })),
  })),
  fc.tuple(QUERY, fc.constantFrom<readonly (readonly [string, string])[]>([], [["x-ms-max-item-count", "2"]])).map(
    ([query, headers]) => ({ method: "POST", path: "/devices/query", body: { query }, headers }),
  ),
  DEVICE.map((id) => ({ method: "GET", path: `/devices/${id}/modules` })),
  fc.tuple(DEVICE, IF_MATCH).map(([deviceId, headers]) => ({
    method: "PUT",
    path: `/devices/${deviceId}/modules/m`,
    body: { deviceId, moduleId: "m", managedBy: "x" },
    headers,
  })),
  fc.tuple(DEVICE, fc.constantFrom("", "/modules/m")).map(([id, module]) => ({
    method: "GET",
    path: `/twins/${id}${module}`,
  })),
  fc.tuple(DEVICE, fc.constantFrom("", "/modules/m"), fc.constantFrom("PATCH", "PUT"), DESIRED, IF_MATCH).map((
    [id, module, method, desired, headers],
  ) => ({ method, path: `/twins/${id}${module}`, body: { tags: desired, properties: { desired } }, headers })),
  fc.tuple(CONFIGURATION, CONFIGURATION_CONTENT, TARGET_CONDITION, fc.nat(5), QUERY, IF_MATCH).map((
    [id, content, targetCondition, priority, query, headers],
  ) => ({
    method: "PUT",
    path: `/configurations/${id}`,
    body: { id, content, targetCondition, priority, labels: { a: "b" }, metrics: { queries: { m: query } } },
    headers,
  })),
  fc.tuple(CONFIGURATION, fc.constantFrom("GET", "DELETE"), IF_MATCH).map(([id, method, headers]) => ({
    method,
    path: `/configurations/${id}`,
    headers,
  })),
  fc.tuple(TARGET_CONDITION, QUERY).map(([targetCondition, query]) => ({
    method: "POST",
    path: "/configurations/testQueries",
    body: { targetCondition, customMetricQueries: { m: query } },
  })),
  fc.tuple(DEVICE, CONFIGURATION_CONTENT).map(([id, body]) => ({
    method: "POST",
    path: `/devices/${id}/applyConfigurationContent`,
    body,
  })),
  fc.tuple(JOB, JOB_WORK, JOB_CONDITION, START_TIME).map(([jobId, work, queryCondition, startTime]) => ({
    method: "PUT",
    path: `/jobs/v2/${jobId}`,
    body: { jobId, ...work, queryCondition, startTime, maxExecutionTimeInSeconds: 60 },
  })),
  JOB.map((id) => ({ method: "GET", path: `/jobs/v2/${id}` })),
  JOB.map((id) => ({ method: "POST", path: `/jobs/v2/${id}/cancel` })),
  fc.array(ANY_DEVICE, { maxLength: 3 }).map((ids) => ({
    method: "POST",
    path: "/devices/keys/regenerate",
    body: { policyKey: "secondaryKey", devices: ids.map((id) => ({ id, moduleId: null })) },
  })),
  DEVICE.map((id) => ({ method: "GET", path: `/digitaltwins/${id}` })),
  fc.tuple(DEVICE, fc.array(JSON_PATCH_STEP, { maxLength: 4 }), IF_MATCH).map(([id, body, headers]) => ({
    method: "PATCH",
    path: `/digitaltwins/${id}`,
    body,
    headers,
  })),
  fc.tuple(DEVICE, fc.constantFrom("", "/components/fan")).map(([id, component]) => ({
    method: "POST",
    path: `/digitaltwins/${id}${component}/commands/m?responseTimeoutInSeconds=5`,
    body: { a: [1] },
  })),
  DEVICE.map((id) => ({
    method: "POST",
    path: `/twins/${id}/methods`,
    body: { methodName: "m", payload: { a: [1] }, responseTimeoutInSeconds: 5, connectTimeoutInSeconds: 0 },
  })),
);

const MUTATION: fc.Arbitrary<RestMutation> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ of: fc.constant("body" as const), how: JSON_MUTATIONS }) },
  { weight: 6, arbitrary: fc.record({ of: fc.constant("message" as const), how: HTTP_MUTATIONS }) },
  {
    weight: 3,
    arbitrary: fc.record({
      of: fc.constant("path" as const),
      part: fc.nat(99),
      text: fc.constantFrom(
        ...["/", "//", "/../", "%2f", "%00", "%", "%zz", "%ff", "%25", "?", "&", "#", "=", " ", "\u00e9", "*"],
        ...["&top=-1", "&top=1e9", "&api-version=", "?api-version=2021-04-12", "x".repeat(300), "x".repeat(20_000)],
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      of: fc.constant("method" as const),
      text: fc.constantFrom(
        "HEAD",
        "OPTIONS",
        "TRACE",
        "CONNECT",
        "PURGE",
        "PROPFIND",
        "get",
        "PATCH",
        "POST",
        "DELETE",
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      of: fc.constant("header" as const),
      name: fc.constantFrom(
        ...["Authorization", "If-Match", "x-ms-max-item-count", "x-ms-continuation", "Content-Type", "Accept", "Host"],
      ),
      value: fc.constantFrom(
        ...["", "*", '"', '""', "W/*", "-1", "0", "1e9", "NaN", "Bearer ", "Bearer a.b.c", "SharedAccessSignature "],
        ...["SharedAccessSignature sr=&sig=&se=&skn=", `Bearer ${btoa('{"alg":"none"}')}.${btoa("{}")}.`],
        ...[btoa('{"a":1}'), "x".repeat(7_000), "\u00ff", "__proto__", "application/json; charset=utf-7"],
      ),
    }),
  },
);

/** Requests of which something is wrong, mostly. */
export const REST_REQUESTS: fc.Arbitrary<RestRequest> = fc.record({
  operation: OPERATION,
  token: fc.oneof(
    { weight: 19, arbitrary: fc.constant("service" as const) },
    { weight: 1, arbitrary: fc.constantFrom("expired", "garbage", "none") },
  ),
  framing: fc.constantFrom("length", "length", "chunked"),
  streaming: fc.constantFrom(undefined, undefined, undefined, "whole", "broken"),
  mutation: fc.option(MUTATION, { freq: 9, nil: undefined }),
}).map(({ operation, ...rest }) => {
  const { path } = operation;
  const versioned = `${path}${path.includes("?") ? "&" : "?"}api-version=2021-04-12`;
  return { headers: [], ...operation, ...rest, path: versioned };
});
