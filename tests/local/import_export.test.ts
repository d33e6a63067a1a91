import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import { responseOf } from "../../lib/local/hub_answer.ts";
import { HubState } from "../../lib/local/hub_state.ts";
import { type LocalBlobContainer, LocalHub } from "../../lib/local/mod.ts";
import { answerRest } from "../../lib/local/device_rest/answer_rest.ts";
import { collectGarbage } from "../support/garbage.ts";
import { type Json, RestCaller } from "../support/rest_caller.ts";
import { signSas } from "../support/sas.ts";
import { sized } from "../support/test_size.ts";

const DAY_IN_MS = 24 * 3_600_000;
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface Setup {
  hub: LocalHub;
  rest: RestCaller;
  container: LocalBlobContainer;
  /** Runs a job to its end. @returns the job */
  run(job: Json): Promise<Json>;
  /** The lines of a blob. */
  lines(blob: string): Json[];
  /** Creates devices d0, d1 and so on. */
  createMany(count: number): Promise<void>;
  /** Imports these lines. @returns the log of errors */
  importLines(...lines: Json[]): Promise<Json[]>;
}

function setup(now: () => number = Date.now): Setup {
  const hub = new LocalHub({ now });
  const rest = new RestCaller(hub);
  const container = hub.blobContainer("backup");
  const run = async (job: Json): Promise<Json> => {
    const { jobId } = await rest.do("POST", "/jobs/create", { outputBlobContainerUri: container.url, ...job });
    await hub.settled();
    return await rest.do("GET", `/jobs/${jobId}`);
  };
  const lines = (blob: string): Json[] => {
    const text = new TextDecoder().decode(container.read(blob));
    assert.ok(text === "" || text.endsWith("\n"));
    return text.split("\n").slice(0, -1).map((line) => line.startsWith("{") ? JSON.parse(line) : line);
  };
  const importLines = async (...all: Json[]): Promise<Json[]> => {
    container.write("devices.txt", all.map((line) => JSON.stringify(line)).join("\n"));
    const job = await run({ type: "import", inputBlobContainerUri: container.url });
    assert.deepEqual([job.status, job.failureReason, job.progress], ["completed", null, 100]);
    return lines("importErrors.log");
  };
  const createMany = async (count: number): Promise<void> => {
    const devices = Array.from({ length: count }, (_, i) => ({ id: `d${i}`, importMode: "create" }));
    for (let at = 0; at < count; at += 100) await rest.do("POST", "/devices", devices.slice(at, at + 100));
  };
  return { hub, rest, container, run, lines, createMany, importLines };
}

/** The codes in a log, by the ids of the devices. */
function codesIn(log: readonly Json[]): Record<string, number> {
  return Object.fromEntries(log.map(({ deviceId, errorCode }) => [deviceId, errorCode]));
}

describe("an export or import", () => {
  test("is answered before it begins, and shows no address afterwards", async () => {
    const time = Date.now();
    const { hub, rest, container } = setup(() => time);
    const body = { type: "Export", outputBlobContainerUri: container.url, storageAuthenticationType: "KeyBased" };
    const created = await rest.do("POST", "/jobs/create", body);
    const { jobId, startTimeUtc, ...rest1 } = created;
    assert.match(jobId, GUID);
    assert.equal(Date.parse(startTimeUtc), time);
    assert.deepEqual(rest1, {
      type: "export",
      status: "enqueued",
      progress: 0,
      inputBlobContainerUri: "",
      outputBlobContainerUri: "",
      inputBlobName: "devices.txt",
      outputBlobName: "devices.txt",
      excludeKeysInExport: false,
      includeConfigurations: false,
      configurationsBlobName: "configurations.txt",
      storageAuthenticationType: "keyBased",
      failureReason: null,
    });
    assert.deepEqual(await rest.do("GET", "/jobs"), [created]);
    await hub.settled();
    const done = await rest.do("GET", `/jobs/${jobId}`);
    assert.deepEqual(done, { ...created, status: "completed", progress: 100, endTimeUtc: startTimeUtc });
  });

  test("runs alone", async () => {
    const { hub, rest, container, createMany } = setup();
    await createMany(1000);
    const job = {
      type: "export",
      outputBlobContainerUri: container.url.split("?")[0],
      storageAuthenticationType: "identityBased",
    };
    await rest.do("POST", "/jobs/create", job);
    await rest.fails([403, "JobQuotaExceeded"], "POST", "/jobs/create", job);
    await hub.settled();
    assert.equal((await rest.call("POST", "/jobs/create", job)).status, 200);
    await hub.settled();
    assert.equal((await rest.do("GET", "/jobs")).length, 2);
  });

  test("can be cancelled until it ends, and then another can begin", async () => {
    const { hub, rest, container, createMany } = setup();
    await createMany(1000);
    const job = { type: "export", outputBlobContainerUri: container.url };
    const { jobId } = await rest.do("POST", "/jobs/create", job);
    let running: Json;
    do {
      await new Promise((resolve) => setTimeout(resolve, 0));
      running = await rest.do("GET", `/jobs/${jobId}`);
    } while (running.status === "enqueued" || running.progress === 0);
    assert.equal(running.status, "running");
    assert.ok(running.progress > 0 && running.progress < 100);
    const { status, body } = await rest.call("DELETE", `/jobs/${jobId}`);
    assert.deepEqual([status, body], [204, undefined]);
    const cancelled = await rest.do("GET", `/jobs/${jobId}`);
    assert.equal(cancelled.status, "cancelled");
    assert.ok(cancelled.endTimeUtc);
    await rest.fails([405, "OperationNotAllowedInCurrentState"], "DELETE", `/jobs/${jobId}`);

    const next = await rest.do("POST", "/jobs/create", { ...job, outputBlobName: "all.txt" });
    await hub.settled();
    assert.deepEqual(container.list(), ["all.txt"], "the cancelled one wrote nothing");
    assert.equal((await rest.do("GET", `/jobs/${next.jobId}`)).status, "completed");
    assert.equal((await rest.do("GET", `/jobs/${jobId}`)).status, "cancelled");
    await rest.fails([405, "OperationNotAllowedInCurrentState"], "DELETE", `/jobs/${next.jobId}`);
    await rest.fails([404, "JobNotFound"], "DELETE", "/jobs/none");
    await rest.fails([404, "JobNotFound"], "GET", "/jobs/none");
  });

  test("ends with the hub", async () => {
    const { hub, rest, container } = setup();
    await rest.createDevices("d");
    await rest.do("POST", "/jobs/create", { type: "export", outputBlobContainerUri: container.url });
    await hub.close();
    assert.deepEqual(container.list(), []);
  });

  test("is forgotten 30 days after its end", async () => {
    let now = Date.now();
    const { hub, run } = setup(() => now);
    const first = await run({ type: "export" });
    const listed = async (): Promise<string[]> => {
      const se = Math.floor(now / 1000) + 3600;
      const rest = new RestCaller(hub, signSas({ connectionString: hub.connectionString, se }));
      const { jobId } = await rest.do("POST", "/jobs/create", {
        type: "export",
        outputBlobContainerUri: hub.blobContainer("backup").url,
      });
      await hub.settled();
      return (await rest.do("GET", "/jobs")).map((job: Json) => job.jobId).filter((id: string) => id !== jobId);
    };
    now += 30 * DAY_IN_MS;
    assert.deepEqual((await listed())[0], first.jobId);
    now += 1;
    assert.ok(!(await listed()).includes(first.jobId));
  });

  test("needs the right to write the registry", async () => {
    const { hub, container } = setup();
    for (const policy of ["registryRead", "service", "device"] as const) {
      const rest = new RestCaller({
        hostName: hub.hostName,
        connectionString: hub.connectionStringFor(policy),
        fetch: (request) => hub.fetch(request),
      });
      const job = { type: "export", outputBlobContainerUri: container.url };
      for (const [method, path, body] of [["POST", "/jobs/create", job], ["GET", "/jobs"], ["DELETE", "/jobs/x"]]) {
        await rest.fails([401, "IotHubUnauthorizedAccess"], method as string, path as string, body);
      }
    }
  });

  const BAD: [what: string, job: Json][] = [
    ["no type", { type: undefined }],
    ["another type", { type: "scheduleUpdateTwin" }],
    ["an unknown way to sign in", { storageAuthenticationType: "none" }],
    ["a name that is no text", { outputBlobName: 1 }],
    ["a name that no blob can have", { outputBlobName: "a/../b" }],
    ["a name that is not well-formed", { configurationsBlobName: "\ud800" }],
    ["a name that is too long", { inputBlobName: "a".repeat(1025) }],
    ["an identity that is no object", { identity: "me" }],
    ["a switch that is none", { excludeKeysInExport: "perhaps" }],
  ];
  for (const [what, job] of BAD) {
    test(`with ${what} is refused`, async () => {
      const { rest, container } = setup();
      const body = { type: "export", outputBlobContainerUri: container.url, ...job };
      await rest.fails([400, "ArgumentInvalid"], "POST", "/jobs/create", body);
      assert.deepEqual(await rest.do("GET", "/jobs"), []);
    });
  }
});

describe("the container of a job", () => {
  const REFUSED: [what: string, address: (container: LocalBlobContainer) => Json][] = [
    ["is missing", () => undefined],
    ["is no address", () => "backup"],
    ["is on another host", () => "https://account.blob.core.windows.net/backup?sv=2020-12-06&sr=c&sig=YQ=="],
    ["has no signature", ({ url }) => url.split("?")[0]],
    ["has a signature for another", ({ url }) => url.replace("/backup?", "/other-one?")],
    ["has a changed signature", ({ url }) => url.replace("sp=racwdl", "sp=racwdlx")],
    ["is a blob", ({ url }) => url.replace("?", "/devices.txt?")],
  ];
  for (const [what, address] of REFUSED) {
    test(`is refused at once when it ${what}`, async () => {
      const { hub, rest, container } = setup();
      hub.blobContainer("other-one");
      const refused = { outputBlobContainerUri: address(container) };
      const input = {
        type: "import",
        outputBlobContainerUri: container.url,
        inputBlobContainerUri: address(container),
      };
      for (const job of [{ type: "export", ...refused }, input]) {
        const { body } = await rest.fails([400, "BlobContainerValidationError"], "POST", "/jobs/create", job);
        assert.doesNotMatch(JSON.stringify(body), /sig=/);
      }
      assert.deepEqual(await rest.do("GET", "/jobs"), []);
    });
  }

  test("is refused when its signature has expired or grants too little", async () => {
    let now = Date.now();
    const state = new HubState({ hostName: "h", now: () => now, clockSkew: 0 });
    const policy = state.policies.get("iothubowner")!;
    const rest = new RestCaller({
      hostName: "h",
      connectionString: `HostName=h;SharedAccessKeyName=iothubowner;SharedAccessKey=${policy.primaryKey}`,
      fetch: async (request) => responseOf(await answerRest(state, request)),
    });
    state.blobs.container("backup");
    const address = (rights: string): string =>
      `https://h/blob/backup?${state.blobs.sas.sign({ container: "backup" }, rights, 60_000)}`;
    for (const rights of ["", "w", "rw", "rd", "wd", "racl"]) {
      const job = { type: "export", outputBlobContainerUri: address(rights) };
      const { body } = await rest.fails([400, "BlobContainerValidationError"], "POST", "/jobs/create", job);
      assert.match(body.Message, /signed with the rights rwd/);
    }
    const job = { type: "import", inputBlobContainerUri: address("w"), outputBlobContainerUri: address("rwd") };
    await rest.fails([400, "BlobContainerValidationError"], "POST", "/jobs/create", job);
    const good = { ...job, inputBlobContainerUri: address("r") };
    now += 61_000;
    const expired = await rest.fails([400, "BlobContainerValidationError"], "POST", "/jobs/create", good);
    assert.match(expired.body.Message, /has expired/);
    now -= 61_000;
    assert.equal((await rest.call("POST", "/jobs/create", good)).status, 200);
    await state.background.settled();
    state.close();
  });

  test("needs no signature when the hub signs in with an identity of its own", async () => {
    const { run, container } = setup();
    const address = container.url.split("?")[0];
    const identity = { userAssignedIdentity: "/subscriptions/s/identities/i" };
    for (const extra of [{}, { identity }]) {
      const job = {
        type: "export",
        outputBlobContainerUri: address,
        storageAuthenticationType: "IdentityBased",
        ...extra,
      };
      const done = await run(job);
      assert.equal(done.status, "completed");
      assert.equal(done.storageAuthenticationType, "identityBased");
      assert.deepEqual(done.identity, "identity" in extra ? identity : undefined);
    }
    assert.deepEqual(container.list(), ["devices.txt"]);
  });
});

describe("an export", () => {
  test("has a line for each identity, a module's after its device's", async () => {
    const { rest, run, lines } = setup();
    await rest.do("PUT", "/devices/a", { deviceId: "a", status: "disabled", statusReason: "sold" });
    await rest.do("PUT", "/devices/b", { deviceId: "b", authentication: { type: "certificateAuthority" } });
    await rest.do("PUT", "/devices/b/modules/m", { moduleId: "m", managedBy: "me" });
    await rest.do("PATCH", "/twins/b/modules/m", { tags: { t: "ü" }, properties: { desired: { p: { q: 1 } } } });
    await rest.do("PUT", "/devices/edge", { deviceId: "edge", capabilities: { iotEdge: true } });
    const { deviceScope } = await rest.do("GET", "/devices/edge");
    await rest.do("PUT", "/devices/leaf", { deviceId: "leaf", deviceScope });
    assert.equal((await run({ type: "export" })).status, "completed");

    const exported = lines("devices.txt");
    assert.deepEqual(exported.map(({ id, moduleId }) => [id, moduleId].join("/")), [
      "a/",
      "b/",
      "b/m",
      "edge/",
      "edge/$edgeAgent",
      "edge/$edgeHub",
      "leaf/",
    ]);
    for (const line of exported) {
      const path = line.moduleId === undefined ? `${line.id}` : `${line.id}/modules/${line.moduleId}`;
      const twin = await rest.do("GET", `/twins/${path}`);
      assert.deepEqual([line.twinETag, line.tags, line.properties], [twin.etag, twin.tags, twin.properties]);
      assert.equal(line.eTag, twin.deviceEtag);
    }
    const { authentication } = await rest.do("GET", "/devices/a");
    const [a, b, m, edge, , , leaf] = exported;
    assert.deepEqual(Object.keys(a), [
      "id",
      "eTag",
      "status",
      "statusReason",
      "authentication",
      "twinETag",
      "properties",
      "capabilities",
    ]);
    assert.deepEqual([a.status, a.statusReason, a.authentication], ["disabled", "sold", authentication]);
    assert.equal(b.authentication.type, "certificateAuthority");
    assert.deepEqual([m.status, m.tags, m.properties.desired.p], ["enabled", { t: "ü" }, { q: 1 }]);
    assert.deepEqual([edge.capabilities, edge.deviceScope], [{ iotEdge: true }, deviceScope]);
    assert.deepEqual([leaf.deviceScope, leaf.parentScopes], [deviceScope, [deviceScope]]);
  });

  test("leaves the keys out when it is told to, and says so first", async () => {
    const { rest, run, lines } = setup();
    await rest.createDevices("a");
    const { excludeKeysInExport } = await run({ type: "export", excludeKeysInExport: true, outputBlobName: "keyless" });
    assert.equal(excludeKeysInExport, true);
    const [warning, { authentication }] = lines("keyless");
    assert.equal(typeof warning, "string");
    assert.equal(authentication.type, "sas");
    assert.deepEqual(authentication.symmetricKey, { primaryKey: null, secondaryKey: null });
  });

  test("has a file of configurations when it is told to, which is empty where there are none", async () => {
    const { run, container } = setup();
    await run({ type: "export", includeConfigurations: true });
    assert.deepEqual(container.list(), ["configurations.txt", "devices.txt"]);
    assert.equal(container.read("configurations.txt").length, 0);
    await run({ type: "export", includeConfigurations: true, configurationsBlobName: "c.txt" });
    assert.ok(container.list().includes("c.txt"));
  });

  test("has all that is there throughout, while devices come and go", async () => {
    const { hub, rest, container, lines, createMany } = setup();
    await createMany(1000);
    await rest.do("POST", "/jobs/create", { type: "export", outputBlobContainerUri: container.url });
    let isDone = false;
    const done = hub.settled().then(() => isDone = true);
    let changes = 0;
    for (; !isDone && changes < 900; changes++) {
      await rest.call("DELETE", `/devices/d${999 - changes}`, undefined, { headers: { "if-match": "*" } });
      await rest.createDevices(`e${changes}`);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await done;
    const ids: string[] = lines("devices.txt").map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, "none twice");
    for (let i = 0; i < 1000 - changes; i++) assert.ok(ids.includes(`d${i}`), `d${i}`);
  });
});

describe("an import", () => {
  test("brings an exported fleet into another hub as it was", async () => {
    const source = setup();
    await source.rest.do("PUT", "/devices/a", { deviceId: "a", status: "disabled", statusReason: "sold" });
    await source.rest.do("PUT", "/devices/edge", { deviceId: "edge", capabilities: { iotEdge: true } });
    await source.rest.do("PUT", "/devices/edge/modules/m", { moduleId: "m" });
    await source.rest.do("PATCH", "/twins/edge/modules/$edgeAgent", { properties: { desired: { runtime: "docker" } } });
    await source.rest.do("PATCH", "/twins/a", { tags: { t: 1 }, properties: { desired: { p: { q: [1] } } } });
    await source.run({ type: "export" });

    const target = setup();
    target.container.write("devices.txt", source.container.read("devices.txt"));
    await target.run({ type: "import", inputBlobContainerUri: target.container.url });
    assert.deepEqual(target.lines("importErrors.log"), []);
    for (const path of ["/devices/a", "/devices/edge", "/devices/edge/modules/m"]) {
      const [before, after] = [await source.rest.do("GET", path), await target.rest.do("GET", path)];
      for (const name of ["authentication", "status", "statusReason", "capabilities"]) {
        assert.deepEqual(after[name], before[name], `${name} of ${path}`);
      }
    }
    const twin = await target.rest.do("GET", "/twins/a");
    assert.deepEqual([twin.tags, twin.properties.desired.p], [{ t: 1 }, { q: [1] }]);
    const agent = await target.rest.do("GET", "/twins/edge/modules/$edgeAgent");
    assert.equal(agent.properties.desired.runtime, "docker");

    await source.run({ type: "import", inputBlobContainerUri: source.container.url });
    assert.deepEqual(source.lines("importErrors.log"), [], "nor does it hurt where it comes from");
    await source.run({ type: "import", inputBlobContainerUri: source.container.url });
    const again = source.lines("importErrors.log");
    assert.deepEqual(codesIn(again), { a: 412001 }, "its twin has been written since");
  });

  test("creates and updates unless the line says otherwise", async () => {
    const { rest, importLines } = setup();
    await rest.createDevices("old", "stale", "twin");
    const { etag } = await rest.do("GET", "/devices/old");
    const twin = await rest.do("GET", "/twins/twin");
    const log = await importLines(
      { id: "new", status: "disabled", tags: { a: 1 } },
      { id: "new", moduleId: "m", status: "enabled", importMode: null },
      { id: "old", status: "disabled", importMode: "createOrUpdateIfMatchETag", eTag: etag },
      { id: "stale", status: "disabled", importMode: "CREATEORUPDATEIFMATCHETAG", eTag: "c3RhbGU=" },
      { id: "fresh", status: "enabled", importMode: "createOrUpdateIfMatchETag", eTag: "c3RhbGU=" },
      { id: "twin", status: "disabled", tags: { b: 1 }, twinETag: twin.etag },
      { id: "none", moduleId: "m", status: "enabled" },
    );
    assert.deepEqual(codesIn(log), { stale: 412001, none: 404001 });
    const status = async (id: string): Promise<string> => (await rest.do("GET", `/devices/${id}`)).status;
    assert.deepEqual(await Promise.all(["new", "old", "stale", "fresh", "twin"].map(status)), [
      "disabled",
      "disabled",
      "enabled",
      "enabled",
      "disabled",
    ]);
    assert.deepEqual((await rest.do("GET", "/twins/new")).tags, { a: 1 });
    assert.deepEqual((await rest.do("GET", "/twins/twin")).tags, { b: 1 });
    await rest.do("GET", "/twins/new/modules/m");

    const mismatch = await importLines({ id: "twin", status: "enabled", tags: { c: 1 }, twinETag: "c3RhbGU=" });
    assert.deepEqual(codesIn(mismatch), { twin: 412001 });
    assert.equal(await status("twin"), "enabled", "the identity has an etag of its own");
    assert.deepEqual((await rest.do("GET", "/twins/twin")).tags, { b: 1 });
  });

  test("does what a bulk call does, and logs numbers in place of names", async () => {
    const { rest, importLines } = setup();
    await rest.createDevices("d", "e", "f");
    const log = await importLines(
      { id: "d", status: "enabled", importMode: "create" },
      { id: "e", status: "enabled", importMode: "delete" },
      { id: "f", status: "enabled", importMode: "updateTwin", tags: { t: 1 } },
      { id: "none", status: "enabled", importMode: "update" },
      { id: "d", moduleId: "none", status: "enabled", importMode: "delete" },
      { id: "b c", status: "enabled", importMode: "create" },
      { id: "d", status: "enabled", importMode: "delete" },
      { id: "d", status: "disabled", importMode: "create" },
    );
    assert.deepEqual(log.map(({ errorStatus, ...entry }) => (assert.ok(errorStatus.length > 3), entry)), [
      { deviceId: "d", errorCode: 409001 },
      { deviceId: "none", errorCode: 404001 },
      { deviceId: "d", moduleId: "none", errorCode: 404010 },
      { deviceId: "b c", errorCode: 400004 },
    ]);
    assert.equal((await rest.do("GET", "/devices/d")).status, "disabled", "a file may name an identity twice");
    await rest.fails([404, "DeviceNotFound"], "GET", "/devices/e");
    assert.deepEqual((await rest.do("GET", "/twins/f")).tags, { t: 1 });
  });

  test("logs lines that say nothing it could do, without what is in them", async () => {
    const { rest, container, run, lines } = setup();
    const key = "c2VjcmV0c2VjcmV0c2VjcmV0";
    const good = '{"id":"good","status":"enabled"}';
    container.write(
      "mine.txt",
      [
        "\ufeff" + good,
        "",
        "Keys are missing",
        `{"id":"a","status":"enabled","authentication":{"symmetricKey":{"primaryKey":"${key}"`,
        '{"id":"b"}',
        '{"status":"enabled"}',
        "[]",
        "null",
        `{"id":"long","status":"enabled","x":"${"x".repeat(3 * 1024 * 1024)}"}`,
        '{"id":"deep","status":"enabled","x":' + "[".repeat(200) + "]".repeat(200) + "}",
        '{"id":"also","status":"enabled"}\r',
        "",
      ].join("\n"),
    );
    const job = await run({ type: "import", inputBlobContainerUri: container.url, inputBlobName: "mine.txt" });
    assert.deepEqual([job.status, job.failureReason], ["completed", null]);
    const log = lines("importErrors.log");
    assert.deepEqual(log.map(({ errorCode, deviceId }) => [errorCode, deviceId]), Array(8).fill([400012, undefined]));
    assert.deepEqual(
      log.map(({ errorStatus }) => Number(/^Invalid device format in line (\d+): /.exec(errorStatus)?.[1])),
      [3, 4, 5, 6, 7, 8, 9, 10],
    );
    assert.ok(!JSON.stringify(log).includes(key));
    assert.deepEqual((await rest.do("GET", "/devices")).map(({ deviceId }: Json) => deviceId), ["good", "also"]);
  });

  test("fails as a whole when there is nothing to read", async () => {
    const { rest, run, container } = setup();
    const job = await run({ type: "import", inputBlobContainerUri: container.url });
    assert.equal(job.status, "failed");
    assert.match(job.failureReason, /^BlobNotFound: .*"devices.txt"/);
    assert.ok(job.endTimeUtc);
    assert.deepEqual(container.list(), []);
    const both = await run({ type: "import", inputBlobContainerUri: container.url, includeConfigurations: true });
    assert.equal(both.status, "failed");
    assert.equal((await rest.do("GET", "/jobs")).length, 2);
  });

  test("creates configurations, and replaces those that are there", async () => {
    const { hub, rest, run, container, lines } = setup();
    await rest.createDevices("d");
    const content = (n: number): Json => ({ deviceContent: { "properties.desired.n": n } });
    await rest.do("PUT", "/configurations/old", {
      id: "old",
      content: content(1),
      priority: 3,
      labels: { Case: "kept" },
    });
    const { etag: stale } = await rest.do("GET", "/configurations/old");
    await rest.do("PUT", "/configurations/old", { id: "old", content: content(1) }, { "if-match": "*" });
    container.write("devices.txt", "");
    container.write(
      "configurations.txt",
      [
        { Id: "new", Content: { DeviceContent: { "properties.desired.n": 7 } }, TargetCondition: "*", Priority: 10 },
        {
          id: "old",
          content: content(1),
          labels: { Case: "new" },
          importMode: "CreateOrUpdateIfMatchETag",
          ETag: stale,
        },
        {
          Id: "old",
          Content: { DeviceContent: {} },
          Priority: 5,
          Metrics: { Queries: { all: "SELECT * FROM devices" } },
        },
        { Id: "Bad", Content: { DeviceContent: {} } },
        { Content: { DeviceContent: {} } },
        { Id: "mode", Content: { DeviceContent: {} }, importMode: "merge" },
      ].map((line) => JSON.stringify(line)).join("\n") + "\nno JSON\n",
    );
    const job = { type: "import", inputBlobContainerUri: container.url, includeConfigurations: true };
    assert.equal((await run(job)).status, "completed");
    assert.deepEqual(
      lines("importErrors.log").map(({ configurationId, errorCode }) => [configurationId, errorCode]),
      [[undefined, 412001], ["Bad", 400004], [undefined, 400004], ["mode", 400004], [undefined, 400012]],
    );
    const { priority, content: kept, metrics, labels } = await rest.do("GET", "/configurations/old");
    assert.deepEqual([priority, kept, labels], [5, content(1), {}]);
    assert.deepEqual(metrics.queries, { all: "SELECT * FROM devices" });
    assert.equal(hub.device("d").twin.desired["n"], 7);

    // What was exported creates the same again, elsewhere too.
    await run({ type: "export", includeConfigurations: true });
    const [line] = lines("configurations.txt").filter(({ Id }) => Id === "new");
    assert.deepEqual([line.Content, line.Priority, line.TargetCondition, typeof line.ETag], [
      { DeviceContent: { "properties.desired.n": 7 } },
      10,
      "*",
      "string",
    ]);
    assert.deepEqual(Object.keys(line.SystemMetrics), ["Results", "Queries"]);
    const other = setup();
    for (const blob of ["devices.txt", "configurations.txt"]) other.container.write(blob, container.read(blob));
    await other.run({ ...job, inputBlobContainerUri: other.container.url });
    assert.deepEqual(other.lines("importErrors.log"), []);
    const known = async ({ rest: at }: Setup): Promise<Json[]> =>
      (await at.do("GET", "/configurations")).map((
        { id, content: all, priority: rank, labels: by, metrics: own }: Json,
      ) => [
        id,
        all,
        rank,
        by,
        own.queries,
      ]).sort();
    assert.deepEqual(await known(other), await known({ rest } as Setup));
  });
});

describe("a job over many devices", () => {
  const count = sized(5_000, 100_000);

  /** What is alive. Bun counts the bytes of blobs, too. */
  function heapNow(): number {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  }

  test(`of ${count} devices, 3 % of which fail, lets other calls through and takes no memory for each`, async () => {
    const { hub, rest, container, lines } = setup();
    const isBad = (i: number): boolean => i % 100 < 3;
    const text = Array.from({ length: count }, (_, i) => {
      const importMode = isBad(i) ? "update" : "create";
      return `{"id":"device-${i}","status":"enabled","importMode":"${importMode}","tags":{"n":${i}}}\n`;
    });
    container.write("devices.txt", text.join(""));
    /** Runs a job, and makes calls all the while. @returns how far it was each time, and the most that was held */
    const watch = async (type: string): Promise<{ progress: number[]; most: number }> => {
      const { url } = container;
      const body = { type, inputBlobContainerUri: url, outputBlobContainerUri: url };
      const { jobId } = await rest.do("POST", "/jobs/create", body);
      const before = heapNow();
      const progress: number[] = [];
      let most = -Infinity;
      let measured = 0;
      for (let status = "enqueued"; status === "enqueued" || status === "running";) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        const job = await rest.do("GET", `/jobs/${jobId}`);
        progress.push(job.progress);
        if (job.progress >= measured + 30) {
          measured = job.progress;
          most = Math.max(most, heapNow() - before);
        }
        status = job.status;
      }
      return { progress, most };
    };

    await watch("import");
    const failed = Array.from({ length: count }, (_, i) => i).filter(isBad);
    assert.deepEqual(lines("importErrors.log").map(({ deviceId }) => deviceId), failed.map((i) => `device-${i}`));
    assert.equal((await rest.do("GET", "/statistics/devices")).totalDeviceCount, count - failed.length);

    const { progress, most } = await watch("export");
    assert.ok(progress.length > 20, `seen ${progress.length} times`);
    assert.deepEqual(progress, progress.toSorted((one, other) => one - other));
    const size = container.read("devices.txt").length;
    const held = "Bun" in globalThis ? most - size : most;
    console.log(`import_export: ${Math.round(held / 1024)} KiB held for ${Math.round(size / 1024)} KiB written`);
    assert.ok(held < size / 4, `${held} bytes of heap for ${size} bytes of text`);
    assert.equal(lines("devices.txt").length, count - failed.length);
    await hub.close();
  });
});
