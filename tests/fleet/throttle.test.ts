import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hubRate } from "../../lib/timing/hub_tiers.ts";
import { SEED } from "../support/seed.ts";
import { sized } from "../support/test_size.ts";
import { simulate, type Simulation } from "../support/throttle_simulation.ts";

/**
 * How many devices show the rate of a hub, beyond what it allows in a burst, and of how many requests a tenth of them must
 * be for the rest to be foretold: of four, one that fails makes a tenth of the time. The gate takes the cheap ones.
 */
const CASES: readonly Omit<Simulation, "seed">[] = [
  { tier: "S1", bulkCost: "devices", devices: 5000, isTold: true },
  { tier: "S1", bulkCost: "devices", devices: 5000, isTold: false },
  { tier: "S2", bulkCost: "devices", devices: 5000, isTold: true },
  { tier: "S1", bulkCost: "request", devices: sized(20_000, 60_000), isTold: true },
  ...sized(0, 1) === 0 ? [] : [
    { tier: "S1", bulkCost: "request", devices: 60_000, isTold: false },
    { tier: "S2", bulkCost: "request", devices: 60_000, isTold: true },
    { tier: "S3", bulkCost: "devices", devices: 100_000, isTold: true },
    { tier: "S3", bulkCost: "devices", devices: 100_000, isTold: false },
    { tier: "S3", bulkCost: "request", devices: 300_000, isTold: true },
  ] as const,
];

describe("a run at a hub that limits its callers", () => {
  for (const simulation of CASES) {
    const { tier, bulkCost, devices, isTold } = simulation;
    const what = `${tier}, which counts ${bulkCost === "devices" ? "devices" : "requests"}${isTold ? "" : ", unknown"}`;
    test(`takes as long as the throttle makes it: ${what}`, async () => {
      const run = await simulate({ ...simulation, seed: SEED });
      assert.equal(run.done, devices);
      assert.deepEqual(run.errors, []);
      const best = devices / (bulkCost === "devices" ? 1 : 100) / hubRate("registry", tier, 1);
      assert.ok(run.seconds <= best * 1.05, `${run.seconds} s instead of ${best} s`);
      // A hub that is hardly busy refuses nothing; without knowledge, a run has to find out.
      assert.ok(run.refusals <= (isTold ? 20 : 40), `${run.refusals} refusals`);
      // What a hub allows in a burst tells nothing of the rest.
      if (!isTold && bulkCost === "request") return;
      const off = Math.abs(run.predictedInSeconds - run.leftInSeconds) / run.leftInSeconds;
      assert.ok(off <= 0.05, `predicted ${run.predictedInSeconds} s, and it took ${run.leftInSeconds} s`);
    });
  }
});
