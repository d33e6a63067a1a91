import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { type Answer, type Json, RestCaller } from "../support/rest_caller.ts";

/** Four devices and their modules, in which every one of the queries finds something and leaves something out. */
async function setup(): Promise<{ hub: LocalHub; rest: RestCaller }> {
  const hub = new LocalHub();
  const rest = new RestCaller(hub);
  await rest.do("PUT", "/devices/d1", { deviceId: "d1" });
  await rest.do("PUT", "/devices/d2", { deviceId: "d2", status: "disabled" });
  await rest.do("PUT", "/devices/gw-1", { deviceId: "gw-1", capabilities: { iotEdge: true } });
  const { deviceScope } = await rest.do("GET", "/devices/gw-1");
  const x509Thumbprint = { primaryThumbprint: "a".repeat(40) };
  await rest.do("PUT", "/devices/x", {
    deviceId: "x",
    deviceScope,
    authentication: { x509Thumbprint, type: "selfSigned" },
  });
  const twins: Record<string, Json> = {
    "d1": { tags: { site: "s1", location: { region: "US" }, env: "prod", a: 1, group: "A" }, desired: { fw: "2" } },
    "d2": { tags: { site: "s2", location: { region: "EU" }, env: "stage", b: 2 } },
    "gw-1": { tags: { env: "test" }, desired: { fw: "1" } },
    "x": { tags: { "a]b": 1, list: ["y", 1, { z: 2 }] } },
  };
  for (const [id, { tags, desired }] of Object.entries(twins)) {
    await rest.do("PATCH", `/twins/${id}`, { tags, ...(desired && { properties: { desired } }) });
  }
  const telemetryConfig = { sendFrequencyInSecs: 60, status: "Success" };
  await hub.device("d1").updateReportedProperties({
    connectivity: "wifi",
    telemetryConfig,
    fw: "1",
    batteryLevel: 10,
    count: 60,
    n: 4,
    flags: 31,
    temp: 20,
  });
  await hub.device("gw-1").updateReportedProperties({
    telemetryConfig: { status: "Success" },
    fw: "1",
    batteryLevel: 90,
    count: 5,
    n: 3,
    temp: 30,
  });
  hub.device("x").connect();
  hub.device("d1").disconnect();
  hub.device("gw-1").disconnect();
  await rest.do("PUT", "/devices/d1/modules/m1", { moduleId: "m1" });
  await hub.device("d1").module("m1").updateReportedProperties({ status: "scanning" });
  await hub.device("gw-1").module("$edgeHub").updateReportedProperties({ lastDesiredStatus: { code: 200 } });
  return { hub, rest };
}

const shared = setup();

async function query(text: string, headers: Record<string, string> = {}): Promise<Answer> {
  return await (await shared).rest.call("POST", "/devices/query", { query: text }, { headers });
}

/** The ids of twins or of whatever else names its device. */
function ids(items: Json[]): string[] {
  return items.map((item) => item.moduleId === undefined ? item.deviceId : `${item.deviceId}/${item.moduleId}`);
}

const ALL = ["d1", "d2", "gw-1", "x"];

describe("queries for twins", () => {
  const TWINS: [query: string, expected: string[]][] = [
    ["SELECT * FROM devices", ALL],
    ["SELECT * FROM devices WHERE deviceId = 'd1'", ["d1"]],
    ["SELECT * FROM devices WHERE deviceId IN ['d1','d2']", ["d1", "d2"]],
    ["SELECT * FROM devices WHERE deviceId NIN ['d1']", ["d2", "gw-1", "x"]],
    ["SELECT * FROM devices WHERE STARTSWITH(deviceId, 'gw-')", ["gw-1"]],
    ["SELECT TOP 2 * FROM devices", ["d1", "d2"]],
    ["SELECT * FROM devices WHERE tags.location.region = 'US'", ["d1"]],
    ["SELECT * FROM devices WHERE tags.location.region != 'US'", ["d2"]],
    ["SELECT * FROM devices WHERE NOT IS_DEFINED(tags.location)", ["gw-1", "x"]],
    ["SELECT * FROM devices WHERE IS_DEFINED(properties.reported.connectivity)", ["d1"]],
    ["SELECT * FROM devices WHERE properties.reported.connectivity IN ['wired','wifi']", ["d1"]],
    [
      "SELECT * FROM devices WHERE tags.location.region = 'US' AND " +
      "properties.reported.telemetryConfig.sendFrequencyInSecs >= 60",
      ["d1"],
    ],
    ["SELECT * FROM devices WHERE tags.env = 'prod' OR tags.env = 'stage'", ["d1", "d2"]],
    ["SELECT * FROM devices WHERE (tags.a = 1 OR tags.b = 2) AND status = 'enabled'", ["d1"]],
    ["SELECT * FROM devices WHERE properties.desired.fw = properties.reported.fw", ["gw-1"]],
    ["SELECT * FROM devices WHERE properties.desired.fw != properties.reported.fw", ["d1"]],
    ["SELECT * FROM devices WHERE properties.reported.batteryLevel < 20", ["d1"]],
    ["SELECT * FROM devices WHERE properties.reported.count * 2 > 100", ["d1"]],
    ["SELECT * FROM devices WHERE properties.reported.n % 2 = 0", ["d1"]],
    ["SELECT * FROM devices WHERE properties.reported.flags = 0x1F", ["d1"]],
    ["SELECT * FROM devices WHERE capabilities.iotEdge = true", ["gw-1"]],
    ["SELECT * FROM devices WHERE capabilities.iotEdge != true", ["d1", "d2", "x"]],
    ["SELECT * FROM devices WHERE status = 'disabled'", ["d2"]],
    ["SELECT * FROM devices WHERE authenticationType = 'selfSigned'", ["x"]],
    ["SELECT * FROM devices WHERE lastActivityTime < '2024-01-01T00:00:00Z'", ["d2"]],
    ["SELECT * FROM devices WHERE properties.reported.$version > 1", ["d1", "gw-1"]],
    ["SELECT * FROM devices WHERE tags.[[group]] = 'A'", ["d1"]],
    ["SELECT * FROM devices.modules", ["gw-1/$edgeAgent", "gw-1/$edgeHub", "d1/m1"]],
    [
      "SELECT * FROM devices.modules WHERE properties.reported.status = 'scanning' AND deviceId IN ['d1','d2']",
      ["d1/m1"],
    ],
    // The finer points of the grammar.
    ["select * from DEVICES where DeviceId = 'd1'", ["d1"]],
    ["SELECT * FROM devices WHERE TAGS.env = 'prod'", ["d1"]],
    ["SELECT * FROM devices WHERE tags.Env = 'prod'", []],
    ["SELECT * FROM devices WHERE devices.deviceId = 'd1'", ["d1"]],
    ["SELECT * FROM devices.modules WHERE devices.modules.moduleId = 'm1' AND devices.deviceId = 'd1'", ["d1/m1"]],
    ['SELECT * FROM devices WHERE deviceId = "d1"', ["d1"]],
    ["SELECT * FROM devices WHERE deviceId = '\\u0064\\'1' OR deviceId = '\\u0064\\u0031'", ["d1"]],
    ["SELECT * /* all of it */ FROM devices WHERE /* none */ 'd1' = deviceId", ["d1"]],
    ["SELECT * FROM devices WHERE tags.a <> 2", ["d1"]],
    ["SELECT * FROM devices WHERE properties.reported.n - -1 = 5", ["d1"]],
    ["SELECT * FROM devices WHERE properties.reported.n IN [-4, 4]", ["d1"]],
    ["SELECT * FROM devices WHERE 2 + properties.reported.n * 2 = 10", ["d1"]],
    ["SELECT * FROM devices WHERE (2 + properties.reported.n) * 2 = 12", ["d1"]],
    ["SELECT * FROM devices WHERE properties.reported.n / 0 > 1", []],
    ["SELECT * FROM devices WHERE ENDSWITH(deviceId, '1')", ["d1", "gw-1"]],
    ["SELECT * FROM devices WHERE IS_STRING(tags.env) AND IS_NUMBER(tags.a)", ["d1"]],
    ["SELECT * FROM devices WHERE IS_OBJECT(tags.location) AND NOT IS_PRIMITIVE(tags.location)", ["d1", "d2"]],
    ["SELECT * FROM devices WHERE IS_NULL(x509Thumbprint.primaryThumbprint)", ["d1", "d2", "gw-1"]],
    ["SELECT * FROM devices WHERE IS_BOOL(capabilities.iotEdge) AND NOT IS_ARRAY(tags)", ALL],
    ["SELECT * FROM devices WHERE ARRAY_CONTAINS(tags.list, 'y') AND array_contains(tags.list, 1)", ["x"]],
    ["SELECT * FROM devices WHERE NOT ARRAY_CONTAINS(tags.list, 'z')", ["x"]],
    ["SELECT * FROM devices WHERE ARRAY_CONTAINS(tags.env, 'prod') OR ARRAY_CONTAINS(tags.list, tags.list)", []],
    ["SELECT * FROM devices WHERE tags.[[a]b]] = 1 AND [[tags]].[[list]] != 2 OR tags.[[a]b]] = 1", ["x"]],
    ["SELECT * FROM devices WHERE (tags.env = 'prod') = true AND 'prod' = tags.env", ["d1"]],
    ["SELECT * FROM devices WHERE deviceId = 'd1' OR deviceId = 'd2' AND deviceId = 'd1' OR deviceId = 'x'", [
      "d1",
      "x",
    ]],
    [`SELECT * FROM devices WHERE ${Array(300).fill("deviceId = 'd1'").join(" OR ")}`, ["d1"]],
    [`SELECT * FROM devices WHERE tags.a = ${Array(4000).fill("0").join("+")}+1`, ["d1"]],
    ["SELECT * FROM devices WHERE tags.a < 1e999 AND 1e999 <= 1e999", ["d1"]],
    // NOT binds looser than a comparison and tighter than AND, AND tighter than OR.
    ["SELECT * FROM devices WHERE NOT deviceId = 'd1' AND status = 'enabled'", ["gw-1", "x"]],
    ["SELECT * FROM devices WHERE deviceId = 'x' OR status = 'enabled' AND deviceId = 'd1'", ["d1", "x"]],
    // What is not there is neither equal nor different, and no negation makes it so.
    ["SELECT * FROM devices WHERE tags.none = 1 OR tags.none != 1", []],
    ["SELECT * FROM devices WHERE NOT tags.none = 1", []],
    ["SELECT * FROM devices WHERE tags.none = 1 OR deviceId = 'd1'", ["d1"]],
    ["SELECT * FROM devices WHERE NOT (tags.none = 1 AND deviceId = 'd1')", ["d2", "gw-1", "x"]],
    ["SELECT * FROM devices WHERE tags.none NIN [1]", []],
    ["SELECT * FROM devices WHERE tags.none = undefined", []],
    // Types do not mix, objects do not compare, and only true is true.
    ["SELECT * FROM devices WHERE tags.a = '1'", []],
    ["SELECT * FROM devices WHERE tags.a != '1'", ["d1"]],
    ["SELECT * FROM devices WHERE tags.a < '2'", []],
    ["SELECT * FROM devices WHERE tags.location = tags.location", []],
    ["SELECT * FROM devices WHERE tags.a", []],
    ["SELECT * FROM devices WHERE tags.a AND deviceId = 'd1'", []],
    ["SELECT * FROM devices WHERE capabilities.iotEdge", ["gw-1"]],
    ["SELECT * FROM devices WHERE x509Thumbprint.primaryThumbprint = null", ["d1", "d2", "gw-1"]],
    ["SELECT * FROM devices WHERE tags.env != null", ["d1", "d2", "gw-1"]],
    ["SELECT * FROM devices WHERE deviceId IN []", []],
    ["SELECT TOP 0 * FROM devices", []],
  ];
  for (const [text, expected] of TWINS) {
    test(text, async () => {
      const { status, body, headers } = await query(text);
      assert.equal(status, 200, JSON.stringify(body));
      assert.deepEqual(ids(body), expected);
      assert.equal(headers.get("x-ms-item-type"), "Twin");
      assert.equal(headers.has("x-ms-continuation"), false);
    });
  }

  test("find the children of an edge device by its scope, as the az command line asks for them", async () => {
    await using hub = new LocalHub();
    const rest = new RestCaller(hub);
    const { deviceScope } = await rest.do("PUT", "/devices/gw", { capabilities: { iotEdge: true } });
    await rest.do("PUT", "/devices/edge", { capabilities: { iotEdge: true }, parentScopes: [deviceScope] });
    await rest.do("PUT", "/devices/leaf", { deviceScope });
    await rest.createDevices("other");
    const ask = (where: string): Promise<Json> =>
      rest.do("POST", "/devices/query", { query: `select deviceId from devices where ${where}` });
    const children = [{ deviceId: "edge" }, { deviceId: "leaf" }];
    assert.deepEqual(await ask(`array_contains(parentScopes, '${deviceScope}')`), children);
    assert.deepEqual(
      await ask(`ARRAY_CONTAINS(devices.parentScopes, "${deviceScope}") AND NOT IS_NULL(etag)`),
      children,
    );
    assert.deepEqual(await ask(`NOT ARRAY_CONTAINS(parentScopes, '${deviceScope}')`), [{ deviceId: "gw" }]);
    const { status } = await rest.call("POST", "/devices/query", {
      query: "SELECT * FROM devices WHERE ARRAY_CONTAINS(parentScopes)",
    });
    assert.equal(status, 400);
  });

  test("show a module with capabilities, and otherwise the twin as it is read", async () => {
    const { rest } = await shared;
    const { body } = await query("SELECT * FROM devices.modules WHERE moduleId = 'm1'");
    const read = await rest.do("GET", "/twins/d1/modules/m1");
    assert.deepEqual(body, [{ ...read, capabilities: { iotEdge: false } }]);
  });
});

describe("queries for columns", () => {
  const COLUMNS: [query: string, expected: Json[]][] = [
    ["SELECT deviceId FROM devices", ALL.map((deviceId) => ({ deviceId }))],
    ["SELECT DeviceId FROM devices WHERE deviceId = 'x'", [{ DeviceId: "x" }]],
    ["SELECT deviceId AS id, tags.site AS site FROM devices", [
      { id: "d1", site: "s1" },
      { id: "d2", site: "s2" },
      { id: "gw-1" },
      { id: "x" },
    ]],
    ["SELECT deviceId, status FROM devices WHERE status = 'enabled' AND connectionState = 'Disconnected'", [
      { deviceId: "d1", status: "enabled" },
      { deviceId: "gw-1", status: "enabled" },
    ]],
    ["SELECT tags.location, properties.reported.fw FROM devices WHERE deviceId = 'd1'", [
      { location: { region: "US" }, fw: "1" },
    ]],
    ["SELECT deviceId FROM devices WHERE configurations.[[my-cfg]].status = 'Applied'", []],
    [
      "SELECT deviceId FROM devices.modules WHERE moduleId = '$edgeHub' AND " +
      "properties.reported.lastDesiredStatus.code = 200",
      [{ deviceId: "gw-1" }],
    ],
    ["SELECT COUNT() AS total FROM devices", [{ total: 4 }]],
    ["SELECT COUNT() AS total FROM devices WHERE deviceId = 'none'", [{ total: 0 }]],
    ["SELECT AVG(properties.reported.temp) AS avgTemp, MAX(properties.reported.temp) AS maxTemp FROM devices", [
      { avgTemp: 25, maxTemp: 30 },
    ]],
    ["SELECT SUM(properties.reported.n), MIN(properties.reported.n) FROM devices", [{ $1: 7, $2: 3 }]],
    ["SELECT AVG(tags.env) AS none, SUM(tags.env) AS sum FROM devices", [{ sum: 0 }]],
    [
      "SELECT properties.reported.telemetryConfig.status AS status, COUNT() AS numberOfDevices FROM devices " +
      "GROUP BY properties.reported.telemetryConfig.status",
      [{ status: "Success", numberOfDevices: 2 }, { numberOfDevices: 2 }],
    ],
    ["SELECT connectionState AS state, COUNT() AS n FROM devices GROUP BY connectionState", [
      { state: "Connected", n: 1 },
      { state: "Disconnected", n: 3 },
    ]],
    ["SELECT status, connectionState, COUNT() AS n FROM devices GROUP BY status, connectionState", [
      { status: "disabled", connectionState: "Disconnected", n: 1 },
      { status: "enabled", connectionState: "Connected", n: 1 },
      { status: "enabled", connectionState: "Disconnected", n: 2 },
    ]],
    ["SELECT status FROM devices GROUP BY status", [{ status: "disabled" }, { status: "enabled" }]],
    ["SELECT TOP 1 status FROM devices GROUP BY status", [{ status: "disabled" }]],
    ["SELECT Status AS s, COUNT() FROM devices GROUP BY devices.status", [{ s: "disabled", $1: 1 }, {
      s: "enabled",
      $1: 3,
    }]],
    ["SELECT tags.list AS list FROM devices GROUP BY tags.list", [{}, { list: ["y", 1, { z: 2 }] }]],
    ["SELECT deviceId FROM devices.modules WHERE modules.moduleId = 'm1'", []],
    ["SELECT properties.desired.$metadata.fw FROM devices WHERE properties.desired.$version.x = 1", []],
    ["SELECT properties.reported.$version AS v FROM devices WHERE deviceId = 'd2'", [{ v: 1 }]],
  ];
  for (const [text, expected] of COLUMNS) {
    test(text, async () => {
      const { status, body, headers } = await query(text);
      assert.equal(status, 200, JSON.stringify(body));
      const order = (a: Json, b: Json) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
      assert.deepEqual(body.toSorted(order), expected.toSorted(order));
      assert.equal(headers.get("x-ms-item-type"), "Raw");
    });
  }
});

describe("queries that the hub does not take", () => {
  const INVALID = [
    "SELECT * FROM devices ORDER BY deviceId",
    "SELECT * FROM devices WHERE deviceId LIKE 'a%'",
    "SELECT deviceId FROM devices.jobs",
    "SELECT COUNT() AS n FROM devices.jobs",
    "SELECT * FROM devices WHERE tags.x IN ('a')",
    "SELECT * FROM devices d",
    "SELECT *",
    "SELECT FROM devices",
    "SELECT *, deviceId FROM devices",
    "SELECT * FROM twins",
    "SELECT * FROM configurations",
    "SELECT * FROM devices.things",
    "SELECT DISTINCT status FROM devices",
    "SELECT TOP x * FROM devices",
    "SELECT TOP 1.5 * FROM devices",
    "SELECT * FROM devices JOIN devices.modules",
    "SELECT * FROM devices OFFSET 5",
    "SELECT * FROM devices WHERE",
    "SELECT * FROM devices WHERE tags.a[0] = 1",
    "SELECT * FROM devices WHERE tags.group = 'A'",
    "SELECT * FROM devices WHERE deviceId BETWEEN 'a' AND 'b'",
    "SELECT * FROM devices WHERE CONTAINS(deviceId, 'a')",
    "SELECT * FROM devices WHERE STARTS_WITH(deviceId, 'a')",
    "SELECT * FROM devices WHERE UPPER(deviceId) = 'A'",
    "SELECT * FROM devices WHERE STARTSWITH(deviceId)",
    "SELECT * FROM devices WHERE ARRAY_CONTAINS(tags.list)",
    "SELECT * FROM devices WHERE ARRAY_CONTAINS(tags.list, 1, true)",
    "SELECT * FROM devices WHERE constructor(tags.list)",
    "SELECT * FROM devices WHERE IS_DEFINED('a')",
    "SELECT * FROM devices WHERE tags.a = 1 = 1",
    "SELECT * FROM devices WHERE (tags.a = 1",
    "SELECT * FROM devices WHERE tags.a = 'open",
    "SELECT * FROM devices WHERE tags.a = 'no \\n in it'",
    "SELECT * FROM devices WHERE tags.a = '\\u12'",
    "SELECT * FROM devices WHERE tags.a = 12abc",
    "SELECT * FROM devices WHERE tags. = 1",
    "SELECT * FROM devices WHERE tags.a IN [tags.b]",
    "SELECT * FROM devices WHERE tags.a && tags.b",
    "SELECT * FROM devices GROUP BY status",
    "SELECT deviceId FROM devices GROUP BY status",
    "SELECT deviceId, COUNT() AS n FROM devices",
    "SELECT COUNT(*) AS n FROM devices",
    "SELECT AVG() AS n FROM devices",
    "SELECT LENGTH(deviceId) FROM devices",
    "SELECT * FROM devices; SELECT * FROM devices",
    "SELECT * FROM devices HAVING status = 'enabled'",
    "UPDATE devices SET tags.a = 1",
    `SELECT * FROM devices WHERE deviceId = '${"x".repeat(8192)}'`,
    `SELECT * FROM devices WHERE ${"(".repeat(4000)}1${")".repeat(4000)} = 1`,
    `SELECT * FROM devices WHERE ${"NOT ".repeat(2000)} true`,
  ];
  for (const text of INVALID) {
    test(`are refused with 400: ${text.slice(0, 70)}`, async () => {
      const { status, code, body } = await query(text);
      assert.deepEqual([status, code], [400, "ArgumentInvalid"]);
      assert.match(body.Message, /^ErrorCode:ArgumentInvalid;BadRequest/);
    });
  }

  test("are refused with ArgumentNull where there is no query at all", async () => {
    const { rest } = await shared;
    for (const body of [{}, { query: "" }, { query: 1 }, [], "SELECT".length]) {
      await rest.fails([400, "ArgumentNull"], "POST", "/devices/query", body);
    }
  });
});
