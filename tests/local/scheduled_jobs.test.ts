import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import { LocalHub, type LocalHubOptions } from "../../lib/local/mod.ts";
import { collectGarbage } from "../support/garbage.ts";
import { type Json, RestCaller } from "../support/rest_caller.ts";
import { signSas } from "../support/sas.ts";

const START = Date.UTC(2026, 0, 1);
const MINUTE_IN_MS = 60_000;
const HOUR_IN_MS = 3_600_000;
const MEBIBYTE = 1024 * 1024;

interface Scene extends AsyncDisposable {
  readonly clock: { now: number };
  readonly hub: LocalHub;
  readonly rest: RestCaller;
  /** Creates a job that updates twins, or one that calls a method when it has one. */
  create(jobId: string, job?: Json): Promise<Json>;
  read(jobId: string): Promise<Json>;
  /** Runs a job to its end. @returns the job */
  run(jobId: string, job?: Json): Promise<Json>;
  /** What became of the devices: the result of a query of `devices.jobs`. */
  devices(condition: string): Promise<Json[]>;
}

/** A hub whose clock goes when it is told to. */
function setup(options: Partial<LocalHubOptions> = {}): Scene {
  const clock = { now: START };
  const hub = new LocalHub({ now: () => clock.now, clockSkewInSeconds: 1e9, ...options });
  const rest = new RestCaller(hub);
  const create = (jobId: string, job: Json = {}): Promise<Json> =>
    rest.do("PUT", `/jobs/v2/${jobId}`, {
      jobId,
      ...(job.cloudToDeviceMethod === undefined
        ? { type: "scheduleUpdateTwin", updateTwin: { etag: "*", tags: { by: jobId } } }
        : { type: "scheduleDeviceMethod" }),
      ...job,
    });
  const read = (jobId: string): Promise<Json> => rest.do("GET", `/jobs/v2/${jobId}`);
  return {
    clock,
    hub,
    rest,
    create,
    read,
    async run(jobId, job) {
      await create(jobId, job);
      await hub.settled();
      return await read(jobId);
    },
    devices: (condition) =>
      rest.do("POST", "/devices/query", { query: `SELECT * FROM devices.jobs WHERE ${condition}` }),
    [Symbol.asyncDispose]: () => hub.close(),
  };
}

const STATISTICS = { deviceCount: 0, failedCount: 0, succeededCount: 0, runningCount: 0, pendingCount: 0 };

describe("a scheduled job", () => {
  test("is queued in the answer, and updates the twins of the devices that match", async () => {
    await using scene = setup();
    const { hub, rest, create, read } = scene;
    await rest.createDevices("a", "b", "c");
    await rest.do("PATCH", "/twins/a", { tags: { site: "oslo", old: 1 }, properties: { desired: { keep: true } } });
    await rest.do("PATCH", "/twins/c", { tags: { site: "oslo" } });
    const told: unknown[] = [];
    hub.device("c").onDesiredProperties((patch) => void told.push(patch));

    const updateTwin = {
      etag: "*",
      tags: { old: null, new: { deep: 1 } },
      properties: { desired: { level: 5 }, reported: {} },
    };
    const created = await create("update", { queryCondition: "tags.site = 'oslo'", updateTwin });
    assert.deepEqual(created, {
      jobId: "update",
      queryCondition: "tags.site = 'oslo'",
      createdTime: "2026-01-01T00:00:00Z",
      startTime: "2026-01-01T00:00:00Z",
      maxExecutionTimeInSeconds: 3600,
      type: "scheduleUpdateTwin",
      updateTwin,
      status: "queued",
      deviceJobStatistics: STATISTICS,
    });
    await hub.settled();
    assert.deepEqual(await read("update"), {
      ...created,
      status: "completed",
      endTime: "2026-01-01T00:00:00Z",
      deviceJobStatistics: { ...STATISTICS, deviceCount: 2, succeededCount: 2 },
    });
    const { tags, properties } = await rest.do("GET", "/twins/a");
    assert.deepEqual(tags, { site: "oslo", new: { deep: 1 } });
    assert.deepEqual([properties.desired.keep, properties.desired.level], [true, 5]);
    assert.equal((await rest.do("GET", "/twins/b")).tags, undefined);
    assert.deepEqual(told, [{ level: 5, $version: 2 }]);
  });

  test("calls the method of each device, and keeps each answer", async () => {
    await using scene = setup();
    const { clock, hub, rest, run, devices } = scene;
    await rest.createDevices("on", "busy", "off", "disabled");
    await rest.do("PUT", "/devices/disabled", { deviceId: "disabled", status: "disabled" }, { "if-match": "*" });
    hub.device("on").onMethod("reboot", (payload) => {
      clock.now += 1500;
      return { status: 200, payload: { got: payload } };
    });
    hub.device("busy").onMethod(() => ({ status: 503 }));

    const cloudToDeviceMethod = { methodName: "reboot", payload: { when: "now" }, responseTimeoutInSeconds: 30 };
    const job = await run("reboot", { cloudToDeviceMethod, queryCondition: "*" });
    assert.deepEqual([job.status, job.failureReason], ["completed", undefined]);
    assert.deepEqual(job.deviceJobStatistics, { ...STATISTICS, deviceCount: 4, succeededCount: 2, failedCount: 2 });
    assert.deepEqual(job.cloudToDeviceMethod, cloudToDeviceMethod);

    const rows = await devices("devices.jobs.jobId = 'reboot'");
    const on = rows.find(({ deviceId }) => deviceId === "on");
    assert.deepEqual(on, {
      deviceId: "on",
      jobId: "reboot",
      jobType: "scheduleDeviceMethod",
      status: "completed",
      startTimeUtc: "2026-01-01T00:00:00Z",
      endTimeUtc: "2026-01-01T00:00:01.5Z",
      createdDateTimeUtc: "2026-01-01T00:00:00Z",
      lastUpdatedDateTimeUtc: "2026-01-01T00:00:01.5Z",
      outcome: { deviceMethodResponse: { status: 200, payload: { got: { when: "now" } } } },
    });
    const results = Object.fromEntries(rows.map(({ deviceId, status, outcome, error }) => [
      deviceId,
      [status, outcome.deviceMethodResponse?.status, error?.code],
    ]));
    assert.deepEqual(results, {
      on: ["completed", 200, undefined],
      // What a device answers is its own affair.
      busy: ["completed", 503, undefined],
      off: ["failed", undefined, "DeviceNotOnline"],
      disabled: ["failed", undefined, "DeviceNotFound"],
    });
  });

  test("runs while the device takes its time, and holds up nothing else", async () => {
    await using scene = setup();
    const { hub, rest, create, read, devices } = scene;
    await rest.createDevices("slow", "other");
    const called = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<{ status: number }>();
    hub.device("slow").onMethod(() => {
      called.resolve();
      return answer.promise;
    });
    hub.device("other").onMethod(() => ({ status: 200 }));
    await create("slow", { cloudToDeviceMethod: { methodName: "m" }, queryCondition: "deviceId = 'slow'" });
    await called.promise;
    assert.equal((await rest.do("POST", "/twins/other/methods", { methodName: "m" })).status, 200);
    const running = await read("slow");
    assert.equal(running.status, "running");
    assert.deepEqual([running.deviceJobStatistics.runningCount, running.endTime], [1, undefined]);
    assert.equal((await devices("status = 'running'"))[0].deviceId, "slow");
    await rest.fails([405, "OperationNotAllowedInCurrentState"], "POST", "/jobs/v2/slow/cancel");
    answer.resolve({ status: 200 });
    await hub.settled();
    assert.equal((await read("slow")).deviceJobStatistics.succeededCount, 1);
  });

  test("fails for a device whose twin has another etag, or would be too large", async () => {
    await using scene = setup();
    const { rest, run, devices } = scene;
    await rest.createDevices("same", "other", "full");
    await rest.do("PATCH", "/twins/other", { tags: { n: 1 } });
    const { etag } = await rest.do("GET", "/twins/same");
    const byEtag = await run("etag", {
      updateTwin: { etag, tags: { by: "etag" } },
      queryCondition: "deviceId IN ['same', 'other']",
    });
    assert.deepEqual(byEtag.deviceJobStatistics, { ...STATISTICS, deviceCount: 2, succeededCount: 1, failedCount: 1 });
    const [failed] = await devices("jobId = 'etag' AND status = 'failed'");
    assert.deepEqual([failed.deviceId, failed.error.code, failed.outcome], ["other", "PreconditionFailed", {
      deviceMethodResponse: null,
    }]);

    await rest.do("PATCH", "/twins/full", { tags: { text: "x".repeat(4096), more: "x".repeat(4000) } });
    const text = "y".repeat(1000);
    const large = await run("large", { updateTwin: { etag: "*", tags: { text2: text } }, queryCondition: "" });
    assert.deepEqual(large.deviceJobStatistics, { ...STATISTICS, deviceCount: 3, succeededCount: 2, failedCount: 1 });
  });

  test("fails for a device that has gone before its turn, and takes none that comes later", async () => {
    await using scene = setup();
    const { hub, rest, create, read, devices } = scene;
    const called = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<{ status: number }>();
    const ids = Array.from({ length: 150 }, (_, i) => `d${i}`);
    for (const id of ids) {
      await rest.createDevices(id);
      hub.device(id).onMethod(() => {
        called.resolve();
        return answer.promise;
      });
    }
    await create("gone", { cloudToDeviceMethod: { methodName: "m" } });
    await called.promise;
    const [{ deviceId: gone }] = await devices("status = 'pending'");
    assert.equal((await read("gone")).deviceJobStatistics.pendingCount, 50);
    await rest.do("DELETE", `/devices/${gone}`, undefined, { "if-match": "*" });
    await rest.createDevices("late");
    answer.resolve({ status: 200 });
    await hub.settled();
    const { deviceJobStatistics } = await read("gone");
    assert.deepEqual(deviceJobStatistics, { ...STATISTICS, deviceCount: 150, succeededCount: 149, failedCount: 1 });
    const failed = await devices("status = 'failed'");
    assert.deepEqual(failed.map(({ deviceId, error }) => [deviceId, error.code]), [[gone, "DeviceNotFound"]]);
  });

  test("waits for its time on the hub's clock, and can be cancelled until then", async () => {
    await using scene = setup();
    const { clock, hub, rest, create, read } = scene;
    await rest.createDevices("d");
    const startTime = new Date(START + HOUR_IN_MS).toISOString();
    assert.equal((await create("later", { startTime })).status, "queued");
    await create("never", { startTime });
    await hub.settled();
    assert.equal((await read("later")).status, "scheduled");
    const cancelled = await rest.do("POST", "/jobs/v2/never/cancel");
    assert.deepEqual([cancelled.jobId, cancelled.status], ["never", "cancelled"]);
    await rest.fails([405, "OperationNotAllowedInCurrentState"], "POST", "/jobs/v2/never/cancel");

    clock.now += HOUR_IN_MS - 1;
    await hub.settled();
    assert.equal((await read("later")).status, "scheduled");
    // A device that is there when the job begins takes part.
    await rest.createDevices("late");
    clock.now += 1;
    await hub.settled();
    const job = await read("later");
    assert.deepEqual([job.status, job.endTime], ["completed", "2026-01-01T01:00:00Z"]);
    assert.equal(job.deviceJobStatistics.succeededCount, 2);
    assert.equal((await read("never")).status, "cancelled");
    assert.deepEqual((await rest.do("GET", "/twins/late")).tags, { by: "later" });
  });

  test("begins by the hub's timer, when nobody calls", async () => {
    await using scene = setup({ now: Date.now });
    const { hub, rest, create } = scene;
    await rest.createDevices("d");
    // The hub's timer alone does not keep a process running.
    const alive = setInterval(() => {}, MINUTE_IN_MS);
    const changed = new Promise((resolve) => hub.device("d").onDesiredProperties(resolve));
    const startTime = new Date(Date.now() + 100).toISOString();
    await create("soon", { startTime, updateTwin: { etag: "*", properties: { desired: { n: 1 } } } });
    assert.deepEqual(await changed, { n: 1, $version: 2 });
    clearInterval(alive);
  });

  test("is stopped when it has run as long as it may", async () => {
    await using scene = setup();
    const { clock, hub, rest, create, read, devices } = scene;
    await rest.createDevices("fast", "stuck");
    const called = Promise.withResolvers<void>();
    hub.device("fast").onMethod(() => ({ status: 200 }));
    hub.device("stuck").onMethod(() => {
      called.resolve();
      return new Promise(() => {});
    });
    await create("long", {
      cloudToDeviceMethod: { methodName: "m", responseTimeoutInSeconds: 300 },
      maxExecutionTimeInSeconds: 60,
    });
    await called.promise;
    clock.now += MINUTE_IN_MS - 1;
    assert.equal((await read("long")).status, "running");
    clock.now += 1;
    await hub.settled();
    const job = await read("long");
    assert.deepEqual([job.status, job.endTime], ["failed", "2026-01-01T00:01:00Z"]);
    assert.match(job.failureReason, /^GenericTimeout: .* 60 s/);
    assert.equal(job.statusMessage, job.failureReason);
    assert.deepEqual(job.deviceJobStatistics, { ...STATISTICS, deviceCount: 2, succeededCount: 1, failedCount: 1 });
    assert.deepEqual((await devices("status = 'failed'")).map(({ deviceId, error }) => [deviceId, error.code]), [
      ["stuck", "GenericTimeout"],
    ]);
  });

  test("fails when its condition is none, which is found out only when it runs", async () => {
    await using scene = setup();
    const { run } = scene;
    for (const [index, queryCondition] of ["deviceId LIKE 'a%'", "tags.a =", "SELECT"].entries()) {
      const job = await run(`bad-${index}`, { queryCondition });
      assert.equal(job.status, "failed");
      assert.match(job.failureReason, /^ArgumentInvalid: /);
      assert.deepEqual(job.deviceJobStatistics, STATISTICS);
    }
  });

  test("is unknown until it is created, and a month after it has ended", async () => {
    await using scene = setup();
    const { clock, rest, run, read, create, devices } = scene;
    assert.deepEqual(await read("none"), { type: "unknown", status: "unknown" });
    await rest.fails([404, "JobNotFound"], "POST", "/jobs/v2/none/cancel");
    await rest.createDevices("d");
    await run("once");
    await rest.fails([409, "JobAlreadyExists"], "PUT", "/jobs/v2/once", {
      type: "scheduleUpdateTwin",
      updateTwin: { etag: "*" },
    });
    clock.now += 30 * 24 * HOUR_IN_MS - 1;
    assert.equal((await read("once")).status, "completed");
    clock.now += 1;
    assert.equal((await read("once")).status, "unknown");
    assert.deepEqual(await devices("jobId = 'once'"), []);
    assert.equal((await create("once")).status, "queued");
  });

  const refused: [what: string, body: Json, expected: [number, string]][] = [
    ["no body", undefined, [400, "GenericBadRequest"]],
    ["an array", [], [400, "ArgumentNull"]],
    ["no type", { type: undefined }, [400, "ArgumentInvalid"]],
    ["the type of an import", { type: "import" }, [400, "ArgumentInvalid"]],
    ["another id in the body", { jobId: "other" }, [400, "ArgumentInvalid"]],
    ["no twin", { updateTwin: undefined }, [400, "ArgumentInvalid"]],
    ["a twin without an etag", { updateTwin: { tags: {} } }, [400, "ArgumentInvalid"]],
    ["a twin with an unknown member", { updateTwin: { etag: "*", tag: {} } }, [400, "GenericBadRequest"]],
    ["a tag with a dot", { updateTwin: { etag: "*", tags: { "a.b": 1 } } }, [400, "ArgumentInvalid"]],
    ["no method", { type: "scheduleDeviceMethod" }, [400, "ArgumentInvalid"]],
    ["a method without a name", { type: "scheduleDeviceMethod", cloudToDeviceMethod: {} }, [400, "ArgumentInvalid"]],
    ["a condition that is no text", { queryCondition: 1 }, [400, "ArgumentInvalid"]],
    ["a time that is none", { startTime: "tomorrow" }, [400, "ArgumentInvalid"]],
    ["a time that is no text", { startTime: 5 }, [400, "ArgumentInvalid"]],
    ["a time over a week ahead", { startTime: "2026-01-08T00:00:00.001Z" }, [400, "ArgumentInvalid"]],
    ["no time to run", { maxExecutionTimeInSeconds: 0 }, [400, "ArgumentInvalid"]],
    ["a time to run that is no number", { maxExecutionTimeInSeconds: "long" }, [400, "ArgumentInvalid"]],
  ];
  for (const [what, change, expected] of refused) {
    test(`is refused with ${what}`, async () => {
      await using scene = setup();
      const { rest, read } = scene;
      const good = { type: "scheduleUpdateTwin", updateTwin: { etag: "*", tags: {} } };
      const body = change === undefined || Array.isArray(change) ? change : { ...good, ...change };
      await rest.fails(expected, "PUT", "/jobs/v2/job", body);
      assert.equal((await read("job")).status, "unknown");
    });
  }

  test("has an id by the hub's rule for it", async () => {
    await using scene = setup();
    const { rest, create } = scene;
    await create("Job_1-it's");
    await create("x".repeat(64));
    for (const id of ["x".repeat(65), "a.b", "a b", "ä", "a:b"]) {
      await rest.fails([400, "ArgumentInvalid"], "PUT", `/jobs/v2/${encodeURIComponent(id)}`, {
        type: "scheduleUpdateTwin",
        updateTwin: { etag: "*" },
      });
    }
  });

  test("takes times without a zone, words in any case and numbers in texts", async () => {
    await using scene = setup();
    const job = await scene.create("odd", {
      type: "ScheduleUpdateTwin",
      startTime: "2026-01-08T00:00:00",
      maxExecutionTimeInSeconds: "120",
      queryCondition: null,
    });
    assert.deepEqual([job.type, job.startTime, job.maxExecutionTimeInSeconds, job.queryCondition], [
      "scheduleUpdateTwin",
      "2026-01-08T00:00:00Z",
      120,
      undefined,
    ]);
  });

  test("needs the right to twins", async () => {
    await using scene = setup();
    const { hub } = scene;
    const caller = (policy: "service" | "registryReadWrite"): RestCaller =>
      new RestCaller(hub, signSas({ connectionString: hub.connectionStringFor(policy) }));
    const body = { type: "scheduleUpdateTwin", updateTwin: { etag: "*" } };
    await caller("service").do("PUT", "/jobs/v2/job", body);
    await caller("registryReadWrite").fails([401, "IotHubUnauthorizedAccess"], "PUT", "/jobs/v2/job2", body);
    await caller("registryReadWrite").fails([401, "IotHubUnauthorizedAccess"], "GET", "/jobs/v2/query");
  });

  test("ends with the hub", async () => {
    const { hub, rest, create } = setup();
    await rest.createDevices("stuck");
    const called = Promise.withResolvers<void>();
    hub.device("stuck").onMethod(() => {
      called.resolve();
      return new Promise(() => {});
    });
    await create("stuck", { cloudToDeviceMethod: { methodName: "m" } });
    await create("later", { startTime: new Date(START + HOUR_IN_MS).toISOString() });
    await called.promise;
    await hub.close();
  });
});

describe("scheduled jobs", () => {
  const tiers = [["F1", 1], ["S1", 1], ["S2", 5], ["S3", 10], [undefined, 10]] as const;
  for (const [tier, max] of tiers) {
    test(`are at most ${max} at a time in ${tier ?? "a hub of no certain tier"}`, async () => {
      await using scene = setup(tier && { throttling: { tier } });
      const { clock, hub, rest, create, run } = scene;
      const startTime = new Date(START + HOUR_IN_MS).toISOString();
      for (let i = 0; i < max; i++) await create(`job-${i}`, { startTime });
      const body = { type: "scheduleUpdateTwin", updateTwin: { etag: "*" } };
      await rest.fails([429, "ThrottlingMaxActiveJobCountExceeded"], "PUT", "/jobs/v2/more", body);
      await rest.do("POST", "/jobs/v2/job-0/cancel");
      assert.equal((await run("more")).status, "completed");
      clock.now += HOUR_IN_MS;
      await hub.settled();
      assert.equal((await run("more-later")).status, "completed");
    });
  }

  test("are not there in a basic tier", async () => {
    await using scene = setup({ throttling: { tier: "B2" } });
    const body = { type: "scheduleUpdateTwin", updateTwin: { etag: "*" } };
    await scene.rest.fails([403, "OperationNotAvailableInCurrentTier"], "PUT", "/jobs/v2/job", body);
  });

  test("are listed by type and status, in pages", async () => {
    await using scene = setup();
    const { rest, run, create } = scene;
    for (const id of ["a", "b", "c"]) await run(id);
    await run("m", { cloudToDeviceMethod: { methodName: "m" } });
    await create("later", { startTime: new Date(START + HOUR_IN_MS).toISOString() });
    const idsOf = (jobs: Json[]): string[] => jobs.map(({ jobId }) => jobId);
    const list = async (filter: string): Promise<string[]> => idsOf(await rest.do("GET", `/jobs/v2/query?${filter}`));
    assert.deepEqual(await list(""), ["a", "b", "c", "m", "later"]);
    assert.deepEqual(await list("jobType=ScheduleDeviceMethod&jobStatus="), ["m"]);
    assert.deepEqual(await list("jobStatus=scheduled"), ["later"]);
    assert.deepEqual(await list("jobType=scheduleUpdateTwin&jobStatus=Completed"), ["a", "b", "c"]);
    assert.deepEqual(await list("jobStatus=queued"), []);
    await rest.fails([400, "ArgumentInvalid"], "GET", "/jobs/v2/query?jobStatus=done");

    const path = "/jobs/v2/query?jobStatus=completed";
    const first = await rest.call("GET", path, undefined, { headers: { "x-ms-max-item-count": "3" } });
    assert.deepEqual(idsOf(first.body), ["a", "b", "c"]);
    assert.equal(first.headers.get("x-ms-item-type"), "JobResponse");
    const token = first.headers.get("x-ms-continuation")!;
    await run("meanwhile");
    const second = await rest.call("GET", path, undefined, { headers: { "x-ms-continuation": token } });
    assert.deepEqual(idsOf(second.body), ["m", "meanwhile"]);
    assert.equal(second.headers.get("x-ms-continuation"), null);
    await rest.fails([400, "ArgumentInvalid"], "GET", "/jobs/v2/query", undefined, {
      headers: { "x-ms-continuation": token },
    });
  });

  test("are asked what became of a device", async () => {
    await using scene = setup();
    const { rest, run, clock, devices } = scene;
    await rest.createDevices("d", "e");
    await run("first", { queryCondition: "deviceId = 'd'" });
    clock.now += HOUR_IN_MS;
    await run("second");
    const jobsOf = async (condition: string): Promise<string[]> =>
      (await devices(condition)).map(({ jobId, deviceId }) => `${jobId} ${deviceId}`);
    assert.deepEqual(await jobsOf("devices.jobs.deviceId = 'd'"), ["first d", "second d"]);
    assert.deepEqual(await jobsOf("devices.jobs.createdDateTimeUtc > '2026-01-01T00:30'"), ["second d", "second e"]);
    assert.deepEqual(await jobsOf("JobType = 'scheduleDeviceMethod'"), []);
    const answer = await rest.call("POST", "/devices/query", { query: "SELECT * FROM devices.jobs" }, {
      headers: { "x-ms-max-item-count": "2" },
    });
    assert.deepEqual([answer.headers.get("x-ms-item-type"), answer.body.length], ["DeviceJob", 2]);
    assert.notEqual(answer.headers.get("x-ms-continuation"), null);
    for (const query of ["SELECT deviceId FROM devices.jobs", "SELECT * FROM devices.jobs WHERE tags.site = 'oslo'"]) {
      await rest.fails([400, "ArgumentInvalid"], "POST", "/devices/query", { query });
    }
  });

  test("over 10,000 devices, 3 % of which fail, count exactly, and hold no more memory with each", async () => {
    await using scene = setup();
    const { clock, hub, rest, run, devices } = scene;
    const count = 10_000;
    const entries = Array.from({ length: count }, (_, i) => ({ id: `d${i}`, importMode: "create" }));
    for (let at = 0; at < count; at += 100) await rest.do("POST", "/devices", entries.slice(at, at + 100));
    for (let i = 0; i < count; i++) {
      if (i % 100 >= 3) hub.device(`d${i}`).onMethod(() => ({ status: 200, payload: { i } }));
    }
    const cloudToDeviceMethod = { methodName: "m" };
    const expected = { ...STATISTICS, deviceCount: count, succeededCount: 9_700, failedCount: 300 };
    const heapAfter = async (jobId: string): Promise<number> => {
      assert.deepEqual((await run(jobId, { cloudToDeviceMethod })).deviceJobStatistics, expected);
      assert.equal((await devices(`jobId = '${jobId}' AND status = 'failed' AND deviceId = 'd102'`)).length, 1);
      // Then it is history that the hub no longer keeps.
      clock.now += 31 * 24 * HOUR_IN_MS;
      assert.deepEqual(await devices("jobId != 'none'"), []);
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    await heapAfter("warm-up");
    const before = await heapAfter("before");
    let growth = await heapAfter("after") - before;
    // What the runtime has compiled meanwhile is there as well, but not with each job.
    if (growth >= MEBIBYTE) growth = await heapAfter("again") - before - growth;
    assert.ok(growth < MEBIBYTE, `the heap has grown by ${growth} bytes`);
  });
});
