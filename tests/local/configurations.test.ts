import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type Client,
  createClient,
  createOrUpdateConfiguration,
  deleteConfiguration,
  getConfiguration,
  getConfigurations,
  testConfigurationQueries,
} from "../../gen/index.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { ConfigurationScene } from "../support/configuration_scene.ts";
import { type Json, RestCaller } from "../support/rest_caller.ts";
import { signSas } from "../support/sas.ts";

const query = { "api-version": "2021-04-12" } as const;
const CONTENT = { deviceContent: { "properties.desired.mode": "eco" } };
const MODULES = "from devices.modules where ";

/** The generated operations, called with every right. */
async function generatedClient(hub: LocalHub): Promise<Client> {
  const { token } = (await hub.tokenCredential().getToken("https://iothubs.azure.net/.default"))!;
  return createClient({
    baseUrl: `https://${hub.hostName}`,
    fetch: hub.clientOptions.fetch,
    headers: { Authorization: `Bearer ${token}` },
  });
}

/** A deployment that says everything, with this for `$edgeAgent`. */
function deployment(agent: Json = {}, others: Json = {}): Json {
  return { modulesContent: { $edgeAgent: { "properties.desired": agent }, ...others } };
}

describe("configurations", () => {
  for (const kind of ["deviceContent", "moduleContent"] as const) {
    test(`with ${kind} are created, found, updated and deleted through the generated operations`, async () => {
      await using hub = new LocalHub();
      const client = await generatedClient(hub);
      const id = `e2e-${kind.toLowerCase()}`;
      const path = { id };
      const content = { [kind]: { "properties.desired": { prop1: "foo" } } };
      const body = { id, content, targetCondition: "", priority: 20 };
      await createOrUpdateConfiguration({ client, query, path, body });

      const { data: found } = await getConfiguration({ client, query, path });
      assert.equal(found.id, id);
      assert.deepEqual(found.content, content);
      const { data: all } = await getConfigurations({ client, query });
      assert.deepEqual(all, [found]);

      const headers = { "If-Match": `"${found.etag}"` };
      await createOrUpdateConfiguration({ client, query, path, body: { ...found, priority: 99 }, headers });
      assert.equal((await getConfiguration({ client, query, path })).data.priority, 99);
      const forced = { "If-Match": '"*"' };
      await createOrUpdateConfiguration({ client, query, path, body: { ...body, priority: 1 }, headers: forced });
      assert.equal((await getConfiguration({ client, query, path })).data.priority, 1);

      await deleteConfiguration({ client, query, path });
      await assert.rejects(getConfiguration({ client, query, path }));
      assert.deepEqual((await getConfigurations({ client, query })).data, []);
    });
  }

  test("are answered as a whole, with defaults for what was left out", async () => {
    await using scene = new ConfigurationScene();
    const { status, headers, body } = await scene.rest.call("PUT", "/configurations/plain", { content: CONTENT });
    assert.equal(status, 200);
    assert.equal(headers.get("etag"), '"MQ=="');
    assert.deepEqual(body, {
      id: "plain",
      schemaVersion: "1.0",
      labels: {},
      content: CONTENT,
      targetCondition: "",
      createdTimeUtc: "2026-01-01T00:00:00Z",
      lastUpdatedTimeUtc: "2026-01-01T00:00:00Z",
      priority: 0,
      systemMetrics: {
        results: {},
        queries: {
          targetedCount: "select deviceId from devices where false",
          appliedCount: "select deviceId from devices where configurations.[[plain]].status = 'Applied'",
        },
      },
      metrics: { results: {}, queries: {} },
      etag: "MQ==",
    });

    scene.wait(1500);
    const queries = { eco: "SELECT deviceId FROM devices WHERE properties.reported.mode = 'eco'" };
    const next = {
      id: "plain",
      schemaVersion: "2.0",
      labels: { owner: "us" },
      content: CONTENT,
      targetCondition: "tags.site = 'oslo' OR deviceId = 'd'",
      priority: "7",
      metrics: { queries, results: { eco: 12 } },
      systemMetrics: { queries: { targetedCount: "mine" } },
      contentType: "assignment",
    };
    const updated = await scene.rest.call("PUT", "/Configurations/plain", next, { headers: { "if-match": "*" } });
    assert.equal(updated.headers.get("etag"), '"Mg=="');
    const { createdTimeUtc, lastUpdatedTimeUtc, systemMetrics, metrics, ...rest } = updated.body;
    assert.equal(createdTimeUtc, "2026-01-01T00:00:00Z");
    assert.equal(lastUpdatedTimeUtc, "2026-01-01T00:00:01.5Z");
    assert.equal(systemMetrics.queries.targetedCount, `select deviceId from devices where ${next.targetCondition}`);
    assert.deepEqual(metrics.queries, queries);
    assert.deepEqual(rest, {
      id: "plain",
      schemaVersion: "2.0",
      labels: { owner: "us" },
      content: CONTENT,
      targetCondition: next.targetCondition,
      priority: 7,
      etag: "Mg==",
    });
    const read = await scene.rest.call("GET", "/configurations/plain");
    assert.equal(read.headers.get("etag"), '"Mg=="');
  });

  test("are listed in the order of their creation, all of them whatever `top` says", async () => {
    await using scene = new ConfigurationScene();
    for (const id of ["c", "a", "b"]) await scene.put(id, { content: CONTENT });
    const all = await scene.rest.do("GET", "/configurations?top=1");
    assert.deepEqual(all.map(({ id }: Json) => id), ["c", "a", "b"]);
  });

  test("keep the content that they were created with, which each update must have all the same", async () => {
    await using scene = new ConfigurationScene();
    await scene.put("c", { content: CONTENT });
    const other = { moduleContent: { "properties.desired.mode": "boost" } };
    assert.deepEqual((await scene.update("c", { content: other, priority: 1 })).content, CONTENT);
    assert.equal((await scene.rest.do("GET", "/configurations/c")).priority, 1);
    const headers = { "if-match": "*" };
    await scene.rest.fails([400, "InvalidConfigurationContent"], "PUT", "/configurations/c", {}, { headers });
  });

  test("are at most 100", async () => {
    await using scene = new ConfigurationScene();
    for (let n = 0; n < 100; n++) await scene.rest.do("PUT", `/configurations/c${n}`, { content: CONTENT });
    const one = { content: CONTENT };
    await scene.rest.fails([413, "ConfigurationCountLimitExceeded"], "PUT", "/configurations/more", one);
    await scene.rest.do("PUT", "/configurations/c5", one, { "if-match": "*" });
    await scene.rest.do("DELETE", "/configurations/c5");
    await scene.rest.do("PUT", "/configurations/more", one);
  });

  test("need the rights of the registry", async () => {
    await using hub = new LocalHub();
    const as = (policy: Parameters<LocalHub["connectionStringFor"]>[0]): RestCaller =>
      new RestCaller(hub, signSas({ connectionString: hub.connectionStringFor(policy) }));
    const unauthorized = [401, "IotHubUnauthorizedAccess"] as [number, string];
    await as("registryReadWrite").do("PUT", "/configurations/c", { content: CONTENT });
    await as("registryRead").do("GET", "/configurations/c");
    await as("registryRead").do("GET", "/configurations");
    await as("registryRead").fails(unauthorized, "PUT", "/configurations/d", { content: CONTENT });
    await as("registryRead").fails(unauthorized, "DELETE", "/configurations/c");
    await as("registryRead").fails(unauthorized, "POST", "/configurations/testQueries", {});
    await as("registryRead").fails(unauthorized, "POST", "/devices/d/applyConfigurationContent", deployment());
    await as("service").fails(unauthorized, "GET", "/configurations");
  });
});

describe("If-Match of a configuration", () => {
  const PRIORITY = { content: CONTENT, priority: 1 };
  const cases: [what: string, ifMatch: string | undefined, put: number, remove: number][] = [
    ["absent", undefined, 409, 204],
    ["empty", "", 409, 204],
    ["empty in quotes", '""', 409, 204],
    ["the etag without quotes", "MQ==", 409, 204],
    ["another etag without quotes", "Mg==", 409, 204],
    ["the etag", '"MQ=="', 200, 204],
    ["another etag", '"Mg=="', 412, 412],
    ["a star", "*", 200, 204],
    ["a star in quotes", '"*"', 200, 204],
  ];
  for (const [what, ifMatch, put, remove] of cases) {
    test(`that is ${what} lets an update answer ${put} and a delete ${remove}`, async () => {
      await using scene = new ConfigurationScene();
      const headers: Record<string, string> = ifMatch === undefined ? {} : { "if-match": ifMatch };
      const codes: Record<number, string | null> = {
        409: "ConfigurationAlreadyExists",
        412: "PreconditionFailed",
      };
      for (const [method, status] of [["PUT", put], ["DELETE", remove]] as const) {
        const path = `/configurations/${method.toLowerCase()}`;
        await scene.rest.do("PUT", path, { content: CONTENT });
        const body = method === "PUT" ? PRIORITY : undefined;
        const answer = await scene.rest.call(method, path, body, { headers });
        assert.deepEqual([answer.status, answer.code], [status, codes[status] ?? null]);
      }
    });
  }

  test("for a configuration that does not exist gives 404, as reads and deletes do", async () => {
    await using scene = new ConfigurationScene();
    const missing = [404, "ConfigurationNotFound"] as [number, string];
    for (const ifMatch of ["*", '"MQ=="']) {
      const headers = { "if-match": ifMatch };
      await scene.rest.fails(missing, "PUT", "/configurations/c", { content: CONTENT }, { headers });
      await scene.rest.fails(missing, "DELETE", "/configurations/c", undefined, { headers });
    }
    await scene.rest.fails(missing, "GET", "/configurations/c");
    await scene.rest.fails(missing, "DELETE", "/configurations/c");
  });
});

describe("a configuration is refused", () => {
  const refused = async (code: string, body: unknown, id: string = "c"): Promise<string> => {
    await using scene = new ConfigurationScene();
    const { body: { Message } } = await scene.rest.fails([400, code], "PUT", `/configurations/${id}`, body);
    assert.deepEqual(await scene.rest.do("GET", "/configurations"), []);
    return Message;
  };

  for (const id of ["Upper", "a.b", "a:b", "a b", "é", "x".repeat(129)]) {
    test(`with the id ${id.slice(0, 10)}`, async () => {
      assert.match(await refused("ArgumentInvalid", { content: CONTENT }, encodeURIComponent(id)), /a-z0-9-\+%_\*!'/);
    });
  }

  test("with another id in its body, and not with all characters of an id", async () => {
    assert.match(await refused("ArgumentInvalid", { id: "d", content: CONTENT }), /as in the path/);
    await using scene = new ConfigurationScene();
    const id = "a0-+%_*!'".padEnd(128, "z");
    assert.equal((await scene.put(id, { id, content: CONTENT })).id, id);
    assert.deepEqual(await scene.results(id), { system: { targetedCount: 0, appliedCount: 0 }, own: {} });
  });

  const many = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`m${n}`, {}]));
  const deep = JSON.parse('{"a":'.repeat(11) + "1" + "}".repeat(11));
  const contents: [what: string, content: unknown][] = [
    ["no content", undefined],
    ["content that is null", null],
    ["content that is a text", "eco"],
    ["content of no kind", {}],
    ["content of an unknown kind", { edgeContent: { "properties.desired": {} } }],
    ["content of two kinds", { ...CONTENT, moduleContent: { "properties.desired": {} } }],
    ["content that is an array", { deviceContent: [] }],
    ["a key outside of desired properties", { deviceContent: { "properties.reported.a": 1 } }],
    ["a key that only starts alike", { deviceContent: { "properties.desiredMode": 1 } }],
    ["a key with a gap", { deviceContent: { "properties.desired.a..b": 1 } }],
    ["a key that ends in a dot", { deviceContent: { "properties.desired.": 1 } }],
    ["a key of very many names", { deviceContent: { [`properties.desired${".a".repeat(500_000)}`]: 1 } }],
    ["tags", { deviceContent: { "tags.site": "oslo" } }],
    ["all properties that are no object", { deviceContent: { "properties.desired": 5 } }],
    ["a name that twins cannot have", { deviceContent: { "properties.desired.$version": 5 } }],
    ["a name below that twins cannot have", { moduleContent: { "properties.desired": { "a b": 1 } } }],
    ["a value that twins cannot have", { deviceContent: { "properties.desired.a": "x".repeat(4097) } }],
    ["null in an array", { deviceContent: { "properties.desired.a": [null] } }],
    ["too many levels", { deviceContent: { "properties.desired.a": deep } }],
    ["too many bytes", { deviceContent: { "properties.desired.a": Array(9).fill("x".repeat(4000)) } }],
    ["a deployment without modules", { modulesContent: {} }],
    ["a module that is no object", deployment({}, { m: 5 })],
    ["an illegal id of a module", deployment({}, { "a/b": {} })],
    ["a system module that there is not", deployment({}, { $edgeOther: {} })],
    ["too many modules", deployment({ modules: many })],
    ["a layer that sets other properties of $edgeAgent", {
      modulesContent: { $edgeAgent: { "properties.desired.runtime.type": "docker" } },
    }],
    ["a layer that sets all modules", { modulesContent: { $edgeAgent: { "properties.desired.modules": {} } } }],
    ["a layer that sets all of $edgeHub", { modulesContent: { $edgeHub: { "properties.desired": {} } } }],
  ];
  for (const [what, content] of contents) {
    test(`with ${what}`, async () => void await refused("InvalidConfigurationContent", { content }));
  }

  const conditions: [condition: string, content?: Json][] = [
    ["status = 'enabled'"],
    ["connectionState = 'Connected'"],
    ["properties.desired.mode = 'eco'"],
    ["capabilities.iotEdge = true"],
    ["tags.a = 1 AND status = 'enabled'"],
    ["moduleId = 'm'"],
    ["configurations.c.status = 'Applied'"],
    ["tags.a = "],
    ["tags.a LIKE 'x%'"],
    ["SELECT * FROM devices"],
    ["FROM devices WHERE tags.a = 1"],
    ["from devices.modules where tags.a = 1"],
    [`tags.a = '${"x".repeat(8192)}'`],
    ["tags.a = 1", { moduleContent: { "properties.desired.a": 1 } }],
    ["from devices.modules", { moduleContent: { "properties.desired.a": 1 } }],
    [`${MODULES}status = 'enabled'`, { moduleContent: { "properties.desired.a": 1 } }],
    [`${MODULES}tags.a = 1`, deployment()],
  ];
  for (const [condition, content = CONTENT] of conditions) {
    test(`with the condition ${condition.slice(0, 60)} for ${Object.keys(content)}`, async () => {
      const message = await refused("InvalidConfigurationTargetCondition", { content, targetCondition: condition });
      const start =
        "ErrorCode:InvalidConfigurationTargetCondition;Invalid targetCondition. It must be a filter condition ";
      assert.ok(message.startsWith(`${start}based on 'deviceId', 'tags', or 'properties.reported'. `), message);
    });
  }

  test("with a condition that is too long for the query of its metric", async () => {
    const targetCondition = `tags.a = '${"x".repeat(8170)}'`;
    await refused("InvalidConfigurationTargetCondition", { content: CONTENT, targetCondition });
  });

  for (
    const [what, query] of [
      ["no query", "targeted"],
      ["a condition alone", "tags.a = 1"],
      ["a query of jobs", "SELECT * FROM devices.jobs"],
      ["a query that cannot be grouped", "SELECT deviceId, COUNT() AS n FROM devices"],
    ] as const
  ) {
    test(`with a metric that is ${what}`, async () => {
      const message = await refused("InvalidConfigurationCustomMetricsQuery", {
        content: CONTENT,
        metrics: { queries: { good: "SELECT deviceId FROM devices", bad: query } },
      });
      assert.match(message, /"bad"/);
    });
  }

  test("with six metrics", async () => {
    const queries = Object.fromEntries("abcdef".split("").map((name) => [name, "SELECT deviceId FROM devices"]));
    await refused("InvalidConfigurationCustomMetricsQuery", { content: CONTENT, metrics: { queries } });
  });

  for (
    const member of [
      { priority: -1 },
      { priority: 1.5 },
      { priority: 2 ** 31 },
      { priority: true },
      { labels: "red" },
      { labels: { a: 1 } },
      { targetCondition: 5 },
      { schemaVersion: 1 },
      { metrics: [] },
      { metrics: { queries: { a: 5 } } },
    ]
  ) {
    test(`with ${JSON.stringify(member)}`, async () => {
      await refused("ArgumentInvalid", { content: CONTENT, ...member });
    });
  }

  test("without a body that is an object", async () => {
    await refused("ArgumentNull", "[]");
    await refused("GenericBadRequest", "{");
  });
});

describe("a configuration is taken", () => {
  const conditions: [condition: string, content?: Json][] = [
    ["*"],
    [""],
    [" * "],
    ["deviceId = 'd'"],
    ["DeviceId IN ['a', 'b'] AND NOT IS_DEFINED(tags.site)"],
    ["devices.tags.site = 'oslo' OR properties.reported.[[a b]] > 1"],
    ["tags.a = 1 /* a comment */"],
    ["*", { moduleContent: { "properties.desired.a": 1 } }],
    ["", { moduleContent: { "properties.desired.a": 1 } }],
    ["FROM devices.modules WHERE moduleId = 'm' AND deviceId = 'd'", { moduleContent: { "properties.desired.a": 1 } }],
    ["tags.environment = 'test'", deployment()],
    ["*", deployment({ modules: { m: {} } }, { $edgeHub: { "properties.desired": { routes: {} } } })],
    ["*", {
      modulesContent: {
        $edgeAgent: { "properties.desired.modules.m": { type: "docker" } },
        $edgeHub: { "properties.desired.routes.r.route": "FROM /* INTO $upstream" },
        m: { "properties.desired": { a: 1 } },
      },
    }],
    ["*", { modulesContent: { m: { "properties.desired.a": 1 } } }],
    ["*", { deviceContent: { [`properties.desired${".a".repeat(11)}`]: 1 } }],
    ["*", { deviceContent: { "properties.desired": { a: { b: null } }, "properties.desired.c.d": [1] } }],
  ];
  for (const [targetCondition, content = CONTENT] of conditions) {
    test(`with the condition ${targetCondition} and ${JSON.stringify(content).slice(0, 80)}`, async () => {
      await using scene = new ConfigurationScene();
      const metrics = { queries: { all: "SELECT * FROM devices", byModule: "SELECT moduleId FROM devices.modules" } };
      await scene.put("c", { content, targetCondition, metrics });
      const found = await scene.rest.do("GET", "/configurations/c");
      assert.equal(found.targetCondition, targetCondition);
      assert.deepEqual(found.content, content);
      for (const { queries, results } of [found.systemMetrics, found.metrics]) {
        assert.deepEqual(Object.keys(results), Object.keys(queries));
        for (const query of Object.values(queries)) await scene.rest.do("POST", "/devices/query", { query });
      }
    });
  }
});

describe("testQueries", () => {
  test("tells what is wrong with each query, and nothing of good ones", async () => {
    await using hub = new LocalHub();
    const client = await generatedClient(hub);
    const tested = async (body: Parameters<typeof testConfigurationQueries>[0]["body"]) =>
      (await testConfigurationQueries({ client, query, body })).data;
    assert.deepEqual(await tested({}), { customMetricQueryErrors: {} });
    const good = "SELECT deviceId FROM devices WHERE configurations.[[a]].status = 'Applied'";
    for (const targetCondition of ["tags.a = 1", `${MODULES}moduleId = 'm'`]) {
      const answer = await tested({ targetCondition, customMetricQueries: { good } });
      assert.deepEqual(answer, { customMetricQueryErrors: {} });
    }
    const { targetConditionError, customMetricQueryErrors } = await tested({
      targetCondition: "status = 'enabled'",
      customMetricQueries: { good, bad: "SELECT", jobs: "SELECT * FROM devices.jobs" },
    });
    assert.match(targetConditionError!, /^Invalid targetCondition\. .* names status$/);
    assert.deepEqual(Object.keys(customMetricQueryErrors!), ["bad", "jobs"]);
    for (const targetCondition of ["*", ""]) assert.ok((await tested({ targetCondition })).targetConditionError);
  });

  test("is refused when it is no object, or its members are no texts", async () => {
    await using scene = new ConfigurationScene();
    const path = "/configurations/testQueries";
    await scene.rest.fails([400, "ArgumentNull"], "POST", path, []);
    await scene.rest.fails([400, "ArgumentInvalid"], "POST", path, { targetCondition: 5 });
    await scene.rest.fails([400, "ArgumentInvalid"], "POST", path, { customMetricQueries: { a: 5 } });
  });
});
