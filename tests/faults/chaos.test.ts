import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { IoTHubError, IoTHubRegistryManager } from "../../mod.ts";
import { type Fault, FaultyFetch } from "../support/faulty_fetch.ts";
import { fleetState } from "../support/fleet_state.ts";
import { FleetPlan, type FleetStep } from "../support/fleet_steps.ts";
import { SEED } from "../support/seed.ts";
import { sized } from "../support/test_size.ts";

const ROUNDS = sized(1, 25);
const WORKERS = sized(10, 50);
const STEPS_OF_A_WORKER = 40;
const STEPS = WORKERS * STEPS_OF_A_WORKER;
/** The share of the requests that fail. */
const FAILING = 0.35;

/** What happened in one run. */
interface Run {
  hub: LocalHub;
  plans: FleetPlan[];
  /** Of each worker, what its steps came to. */
  outcomes: unknown[][];
  /** The errors that callers saw, each with its step. */
  surfaced: { step: FleetStep; error: IoTHubError }[];
}

for (let round = 1; round <= ROUNDS; round++) {
  test(`${STEPS} operations on a hub that fails a third of them end as on one that fails none, round ${round}`, async () => {
    await runChaos(SEED + round);
  });
}

async function runChaos(seed: number): Promise<void> {
  await using calmHub = new LocalHub();
  await using calmRegistry = connect(calmHub, calmHub.clientOptions.fetch);
  const calm = await run(calmHub, calmRegistry, seed);
  assert.deepEqual(calm.surfaced, []);

  await using wildHub = new LocalHub();
  const faulty = new FaultyFetch(wildHub.clientOptions.fetch, seed);
  await using wildRegistry = connect(wildHub, faulty.fetch);
  const started = performance.now();
  const wild = await run(wildHub, wildRegistry, seed);
  const seconds = (performance.now() - started) / 1000;

  for (const [worker, plan] of wild.plans.entries()) {
    for (const [n, step] of plan.steps.entries()) {
      assert.deepEqual(
        wild.outcomes[worker]![n],
        calm.outcomes[worker]![n],
        `step ${n} of worker ${worker}, ${step.name}`,
      );
    }
    assert.deepEqual([...plan.methodRuns].sort(), [...calm.plans[worker]!.methodRuns].sort());
    for (const [id, times] of plan.methodRuns) assert.equal(times, 1, `the direct method ${id}`);
  }
  await using observer = connect(wildHub, wildHub.clientOptions.fetch);
  assert.deepEqual(await fleetState(observer), await fleetState(calmRegistry));

  const report = reportOf(faulty.counts);
  // Five standard deviations of so many requests.
  const tolerance = 5 * Math.sqrt(FAILING * (1 - FAILING) / report.total);
  assert.ok(Math.abs(report.share - FAILING) < tolerance, `${report.share} of the requests failed`);
  console.log(
    `chaos: ${STEPS} operations, ${report.total} requests, of which ${report.text}; ` +
      `${wild.surfaced.length} failures for the caller to look into (${tally(wild.surfaced)}); ${seconds.toFixed(1)} s`,
  );
}

function connect(hub: LocalHub, fetch: (url: string, init?: RequestInit) => Promise<Response>): IoTHubRegistryManager {
  return IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
    fetch,
    retryOptions: { maxRetries: 12, retryDelayInMs: 1, maxRetryDelayInMs: 5 },
  });
}

/** Each worker takes its steps one after the other; all workers are at it at once. */
async function run(hub: LocalHub, registry: IoTHubRegistryManager, seed: number): Promise<Run> {
  const plans = Array.from(
    { length: WORKERS },
    (_, index) => new FleetPlan({ hub, seed, worker: `w${index}`, length: STEPS_OF_A_WORKER }),
  );
  const surfaced: Run["surfaced"] = [];
  const outcomes = await Promise.all(plans.map(async ({ steps }) => {
    const results: unknown[] = [];
    for (const step of steps) results.push(await takeCarefully(step, registry, surfaced));
    return results;
  }));
  return { hub, plans, outcomes, surfaced };
}

/** As a careful caller does it: after a failure that leaves open whether it ran, it looks, and only then decides. */
async function takeCarefully(
  step: FleetStep,
  registry: IoTHubRegistryManager,
  surfaced: Run["surfaced"],
): Promise<unknown> {
  for (;;) {
    try {
      return await step.run(registry);
    } catch (error) {
      // Every other failure is one that the caller should not have seen.
      if (step.look === undefined || !(error instanceof IoTHubError) || !leavesOpen(error)) throw error;
      surfaced.push({ step, error });
      const outcome = await step.look(registry);
      if (outcome !== undefined) return outcome;
    }
  }
}

/** Whether the request may have run, or not. */
function leavesOpen({ code }: IoTHubError): boolean {
  return code === "ServerError" || code === "NetworkError";
}

function reportOf(counts: ReadonlyMap<Fault | "none", number>): { total: number; share: number; text: string } {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const faults = [...counts].filter(([fault]) => fault !== "none").sort();
  assert.equal(faults.length, 7, "every kind of fault happens");
  return {
    total,
    share: 1 - (counts.get("none") ?? 0) / total,
    text: faults.map(([fault, count]) => `${count} × ${fault}`).join(", "),
  };
}

function tally(surfaced: Run["surfaced"]): string {
  const counts = new Map<string, number>();
  for (const { step, error } of surfaced) {
    const key = `${step.name.split(",")[0]} ${error.code}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort().map(([key, count]) => `${count} × ${key}`).join(", ");
}
