import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AnyJob, type ClientOptions, IoTHubError, IoTHubJobManager, type WaitForJobOptions } from "../../mod.ts";
import { EventLog } from "../support/event_log.ts";
import { MockedTime, turns } from "../support/mocked_time.ts";
import { CONNECTION_STRING } from "../support/recorder.ts";

/** What a hub says to a read: a job, or an error with this status. */
type Said = object | number;

const UNKNOWN = { type: "unknown", status: "unknown" };
const TWIN_JOB = { jobId: "j1", type: "scheduleUpdateTwin" };
const EXPORT = { jobId: "j1", type: "export" };

/** A hub that knows one job, of one kind or the other, and says what it is told to, one after the other. */
class JobHub implements AsyncDisposable {
  readonly reads: string[] = [];
  readonly jobs: IoTHubJobManager;
  readonly times: number[] = [];

  constructor(script: { scheduled?: Said[]; importExport?: Said[] }, options: ClientOptions = {}) {
    const { scheduled = [UNKNOWN], importExport = [404] } = script;
    this.jobs = IoTHubJobManager.fromConnectionString(CONNECTION_STRING, {
      retryOptions: { maxRetries: 0 },
      ...options,
      fetch: (url, init) => {
        assert.equal(init!.method, "GET");
        const { pathname } = new URL(url);
        this.reads.push(pathname);
        this.times.push(performance.now());
        const said = pathname.startsWith("/jobs/v2/") ? scheduled : importExport;
        const next = said.length > 1 ? said.shift()! : said[0]!;
        return Promise.resolve(typeof next === "number" ? new Response(null, { status: next }) : Response.json(next));
      },
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.jobs.close();
  }
}

const SCHEDULED = ["/jobs/v2/j1"];
const BOTH = ["/jobs/v2/j1", "/jobs/j1"];

/** Waits for a job while time flies. */
async function outcomeOf(hub: JobHub, options: WaitForJobOptions = {}): Promise<{ job: AnyJob } | { error: unknown }> {
  using time = new MockedTime();
  const outcome = hub.jobs.waitForJob("j1", options).then((job) => ({ job }), (error: unknown) => ({ error }));
  return await time.settle(outcome, (options.pollIntervalInMs ?? 2_000) / 4);
}

async function errorOf(hub: JobHub, options?: WaitForJobOptions): Promise<IoTHubError> {
  const outcome = await outcomeOf(hub, options);
  assert.ok("error" in outcome && outcome.error instanceof IoTHubError, JSON.stringify(outcome));
  assert.equal(outcome.error.retryable, false);
  return outcome.error;
}

describe("waitForJob", () => {
  test("returns a scheduled job that is completed, and tells of each read", async () => {
    const states = ["queued", "scheduled", "running", "completed"].map((status, progress) => ({
      ...TWIN_JOB,
      status,
      deviceJobStatistics: { succeededCount: progress },
    }));
    await using hub = new JobHub({ scheduled: [...states] });
    const seen: AnyJob[] = [];
    const outcome = await outcomeOf(hub, { onProgress: (job) => seen.push(job) });
    assert.deepEqual(outcome, { job: states.at(-1) });
    assert.deepEqual(seen, states);
    assert.deepEqual(hub.reads, Array(4).fill(SCHEDULED[0]));
  });

  test("returns an export that is completed, after one look among the scheduled jobs", async () => {
    const states = ["enqueued", "running", "completed"].map((status) => ({ ...EXPORT, status }));
    await using hub = new JobHub({ importExport: [...states] });
    assert.deepEqual(await outcomeOf(hub), { job: states.at(-1) });
    assert.deepEqual(hub.reads, [...BOTH, BOTH[1], BOTH[1]]);
  });

  test("waits for two seconds, then longer and longer, and for twenty at most", async () => {
    await using hub = new JobHub({
      scheduled: [...Array.from({ length: 12 }, () => ({ ...TWIN_JOB, status: "running" })), {
        ...TWIN_JOB,
        status: "completed",
      }],
    });
    await outcomeOf(hub);
    const waits = hub.times.slice(1).map((time, index) => Math.round((time - hub.times[index]!) / 500) * 500);
    assert.equal(waits[0], 2_000);
    assert.ok(waits.every((wait, index) => index === 0 || wait >= waits[index - 1]!), `${waits}`);
    assert.deepEqual(waits.slice(-3), [20_000, 20_000, 20_000]);
  });

  test("waits as long as it is told to, and for ten times that at most", async () => {
    await using hub = new JobHub({
      scheduled: [...Array.from({ length: 12 }, () => ({ ...TWIN_JOB, status: "running" })), {
        ...TWIN_JOB,
        status: "completed",
      }],
    });
    await outcomeOf(hub, { pollIntervalInMs: 60_000 });
    const waits = hub.times.slice(1).map((time, index) => time - hub.times[index]!);
    assert.ok(Math.abs(waits[0]! - 60_000) <= 15_000 && Math.abs(waits.at(-1)! - 600_000) <= 15_000, `${waits}`);
  });

  test("rejects with the reason why a job has failed", async () => {
    const failures: [Said, string][] = [
      [{ ...TWIN_JOB, status: "failed", failureReason: "The query is wrong." }, "has failed (The query is wrong.)"],
      [{ ...TWIN_JOB, status: "failed", failureReason: "A", statusMessage: "B" }, "has failed (A; B)"],
      [{ ...TWIN_JOB, status: "failed", failureReason: "A", statusMessage: "A" }, "has failed (A)"],
      [{ ...TWIN_JOB, status: "failed", failureReason: { a: 1 }, statusMessage: 7 }, "has failed"],
      [{ ...TWIN_JOB, status: "failed" }, "has failed"],
      [{ ...TWIN_JOB, status: "cancelled" }, "was cancelled"],
    ];
    for (const [said, text] of failures) {
      await using hub = new JobHub({ scheduled: [{ ...TWIN_JOB, status: "running" }, said] });
      const { code, operation, message } = await errorOf(hub);
      assert.deepEqual([code, operation], ["JobFailed", "waitForJob"]);
      assert.equal(message, `Cannot complete waitForJob of job "j1": the job ${text}`);
    }
    await using hub = new JobHub({
      importExport: [{ ...EXPORT, status: "failed", failureReason: "no access with https://s/c?sig=c2VjcmV0c2VjcmV0" }],
    });
    const { message } = await errorOf(hub);
    assert.match(message, /has failed \(no access with https:\/\/s\/c\?sig=\(hidden\)\)$/);
  });

  test("rejects when the hub knows no such job, of either kind or any more", async () => {
    const scripts: [script: ConstructorParameters<typeof JobHub>[0], reason: string][] = [
      [{}, "the hub knows no such job"],
      [{ importExport: [401] }, "the hub knows no such scheduled job, and refuses to tell of imports and exports"],
      [{ scheduled: [{ ...TWIN_JOB, status: "running" }, UNKNOWN] }, "the hub knows no such job"],
    ];
    for (const [script, reason] of scripts) {
      await using hub = new JobHub(script);
      const { code, operation, message } = await errorOf(hub);
      assert.deepEqual([code, operation], ["JobNotFound", "waitForJob"]);
      assert.equal(message, `Cannot complete waitForJob of job "j1": ${reason}`);
    }
  });

  test("finds an export where scheduled jobs are refused, by the policy or the tier", async () => {
    for (const refusal of [401, 403]) {
      await using hub = new JobHub({ scheduled: [refusal], importExport: [{ ...EXPORT, status: "completed" }] });
      assert.deepEqual(await outcomeOf(hub), { job: { ...EXPORT, status: "completed" } });
      await using without = new JobHub({ scheduled: [refusal] });
      const { statusCode, operation } = await errorOf(without);
      assert.deepEqual([statusCode, operation], [refusal, "getScheduledJob"]);
    }
  });

  test("rejects as a read does that fails otherwise", async () => {
    for (const script of [{ scheduled: [413] }, { importExport: [413] }, { scheduled: [{ status: "running" }, 413] }]) {
      await using hub = new JobHub(script);
      assert.equal((await errorOf(hub)).statusCode, 413);
    }
  });

  test("ends with what its listener throws, or rejects with", async () => {
    const reason = new Error("enough");
    const listeners: (() => void)[] = [
      () => {
        throw reason;
      },
      () => Promise.reject(reason),
    ];
    for (const onProgress of listeners) {
      await using hub = new JobHub({ scheduled: [{ ...TWIN_JOB, status: "running" }] });
      assert.deepEqual(await outcomeOf(hub, { onProgress }), { error: reason });
      assert.equal(hub.reads.length, 1);
    }
  });

  test("ends with a time-out that says so, and tells no other time-out to the hub", async () => {
    await using hub = new JobHub({ scheduled: [{ ...TWIN_JOB, status: "running" }] });
    const outcome = await outcomeOf(hub, { timeoutInMs: 30_000 });
    assert.ok("error" in outcome && outcome.error instanceof IoTHubError);
    const { code, operation, message, retryable } = outcome.error;
    assert.deepEqual([code, operation, retryable], ["Timeout", "waitForJob", true]);
    assert.match(message, /^Cannot complete waitForJob of job "j1": it took longer than 30000 ms$/);
  });

  test("outlasts the client's time-out, which is for one read", async () => {
    const running = Array.from({ length: 20 }, () => ({ ...TWIN_JOB, status: "running" }));
    await using hub = new JobHub({ scheduled: [...running, { ...TWIN_JOB, status: "completed" }] }, {
      timeoutInMs: 10_000,
    });
    // The token is signed while time is real: how long that takes is for the machine to say.
    await hub.jobs.getScheduledJob("j1");
    assert.ok("job" in await outcomeOf(hub));
  });

  test("ends at once in the middle of a wait when it is aborted, or its client is closed", async () => {
    const reason = new Error("enough");
    const ends: [(controller: AbortController, hub: JobHub) => unknown, object][] = [
      [(controller) => controller.abort(reason), reason],
      [(_, hub) => hub.jobs.close(), { code: "Closed", operation: "waitForJob" }],
    ];
    for (const [end, expected] of ends) {
      await using hub = new JobHub({ scheduled: [{ ...TWIN_JOB, status: "running" }] });
      const controller = new AbortController();
      const log = new EventLog();
      const waiting = hub.jobs.waitForJob("j1", {
        pollIntervalInMs: 86_400_000,
        abortSignal: controller.signal,
        onProgress: () => log.add("read"),
      });
      const ended = assert.rejects(waiting, expected);
      await log.until("read");
      await turns();
      await end(controller, hub);
      await ended;
      assert.equal(hub.reads.length, 1);
    }
  });

  test("ends with the view that it was called on, and not with another", async () => {
    await using hub = new JobHub({ scheduled: [{ ...TWIN_JOB, status: "running" }] });
    const view = IoTHubJobManager.fromManager(hub.jobs);
    const other = IoTHubJobManager.fromManager(hub.jobs);
    const log = new EventLog();
    const waiting = view.waitForJob("j1", { pollIntervalInMs: 86_400_000, onProgress: () => log.add("read") });
    const ended = assert.rejects(waiting, { code: "Closed" });
    await log.until("read");
    await turns();
    await other.close();
    assert.equal(await Promise.race([ended, turns().then(() => "waits")]), "waits");
    await view.close();
    await ended;
    await assert.rejects(view.waitForJob("j1"), { code: "Closed" });
  });

  test("refuses options that are none, before anything is read", async () => {
    await using hub = new JobHub({});
    const bad: [object, RegExp][] = [
      [{ pollIntervalInMs: 0 }, /^RangeError: Cannot use pollIntervalInMs 0/],
      [{ pollIntervalInMs: 1.5 }, /^RangeError: Cannot use pollIntervalInMs 1.5/],
      [{ pollIntervalInMs: 86_400_001 }, /^RangeError: Cannot use pollIntervalInMs/],
      [{ pollIntervalInMs: "5" }, /^TypeError: Cannot use pollIntervalInMs/],
      [{ onProgress: {} }, /^TypeError: Cannot use onProgress/],
    ];
    for (const [options, error] of bad) await assert.rejects(hub.jobs.waitForJob("j1", options), error);
    await assert.rejects(hub.jobs.waitForJob("a b"), /^RangeError: Cannot use jobId "a b"/);
    assert.equal(hub.reads.length, 0);
  });
});
