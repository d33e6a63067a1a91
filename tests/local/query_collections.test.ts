import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { QueryPages } from "../../lib/local/queries/pages.ts";
import { queryable } from "../../lib/local/queries/queryable.ts";
import { DocumentShape } from "../../lib/local/records/document_shape.ts";
import { CreationOrder } from "../../lib/local/records/creation_order.ts";
import { asJson } from "../support/properties.ts";

/** What happened to a device in a job; `built` counts the documents that were made of it. */
interface Run {
  readonly sequence: number;
  readonly jobId: string;
  readonly deviceId: string;
  readonly code: number | undefined;
  built: number;
}

function setup() {
  const records = new CreationOrder<Run>();
  const runs: Run[] = [];
  for (const jobId of ["j1", "j2"]) {
    for (const [index, code] of [200, 500, undefined].entries()) {
      const run = { sequence: records.nextSequence(), jobId, deviceId: `d${index}`, code, built: 0 };
      records.add(run);
      runs.push(run);
    }
  }
  const shape = new DocumentShape<Run>({
    jobId: (run) => {
      run.built++;
      return run.jobId;
    },
    deviceId: (run) => run.deviceId,
    outcome: {
      build: ({ code }) => code === undefined ? undefined : { status: code },
      reader: ([name, ...below]) => name === "status" && below.length === 0 ? ({ code }) => code : undefined,
    },
  });
  const pages = new QueryPages([
    queryable({ name: "devices.jobs", itemType: "DeviceJob", records, shape, hasFixedMembers: true }),
    queryable({ name: "runs", itemType: "Run", records, shape }),
  ]);
  return { pages, runs };
}

describe("a collection of any records", () => {
  test("is queried by its members, whatever prefix they have, and builds only what it returns", () => {
    const { pages, runs } = setup();
    const text = "SELECT * FROM devices.jobs WHERE devices.jobs.deviceId = 'd1' AND outcome.status > 200";
    assert.deepEqual(pages.run(text, null, null), {
      items: ["j1", "j2"].map((jobId) => ({ jobId, deviceId: "d1", outcome: { status: 500 } })),
      itemType: "DeviceJob",
      continuation: undefined,
    });
    assert.deepEqual(runs.map(({ built }) => built), [0, 1, 0, 0, 1, 0]);
  });

  test("leaves out of a document what its record has no value for", () => {
    const { items } = setup().pages.run("SELECT * FROM devices.jobs WHERE NOT IS_DEFINED(outcome)", null, null);
    assert.deepEqual(items, [{ jobId: "j1", deviceId: "d2" }, { jobId: "j2", deviceId: "d2" }]);
  });

  test("has pages", () => {
    const { pages } = setup();
    const text = "SELECT * FROM devices.jobs WHERE jobId = 'j2'";
    const first = pages.run(text, "2", null);
    assert.equal(first.items.length, 2);
    const second = pages.run(text, "2", first.continuation!);
    assert.deepEqual([second.items.length, second.continuation], [1, undefined]);
  });

  test("returns columns and groups, unless it is devices.jobs", () => {
    const { pages } = setup();
    const columns = pages.run("SELECT outcome.status, jobId AS job FROM runs WHERE deviceId != 'd0'", null, null);
    assert.deepEqual(asJson(columns.items), [
      { status: 500, job: "j1" },
      { job: "j1" },
      { status: 500, job: "j2" },
      { job: "j2" },
    ]);
    const groups = pages.run("SELECT RUNS.JOBID, AVG(outcome.status) AS n FROM Runs GROUP BY jobId", null, null);
    assert.deepEqual(asJson(groups.items), [{ JOBID: "j1", n: 350 }, { JOBID: "j2", n: 350 }]);
    assert.deepEqual([columns.itemType, groups.itemType], ["Raw", "Raw"]);
    assert.throws(() => pages.run("SELECT jobId FROM devices.jobs", null, null), /supports only SELECT \*/);
  });

  test("refuses members that it cannot have if it is told to", () => {
    const { pages } = setup();
    assert.throws(
      () => pages.run("SELECT * FROM devices.jobs WHERE tags.site = 'oslo'", null, null),
      /Cannot use the member "tags.site": it must be one that the documents of devices.jobs have/,
    );
    assert.deepEqual(pages.run("SELECT * FROM runs WHERE tags.site = 'oslo'", null, null).items, []);
  });

  test("is refused where the hub has none of that name", () => {
    const { pages } = setup();
    assert.throws(() => pages.run("SELECT * FROM devices", null, null), { status: 501 });
    assert.throws(
      () => pages.run("SELECT * FROM things", null, null),
      /FROM must be followed by one of .*devices.*runs/,
    );
  });
});
