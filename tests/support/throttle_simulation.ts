import type { IoTHubError } from "../../mod.ts";
import type { FleetProgress } from "../../lib/fleet/mod.ts";
import { registerDevices } from "../../lib/fleet/mod.ts";
import { FleetScene } from "./fleet_scene.ts";
import { MockedTime } from "./mocked_time.ts";
import { seededRandom } from "./random.ts";

/** A hub and a run over its devices. */
export interface Simulation {
  readonly tier: "S1" | "S2" | "S3";
  readonly bulkCost: "devices" | "request";
  readonly devices: number;
  /** Whether the run is told how the hub was bought. */
  readonly isTold: boolean;
  readonly seed: number;
}

/** What came of it. */
export interface SimulatedRun {
  readonly seconds: number;
  readonly refusals: number;
  readonly requests: number;
  readonly done: number;
  readonly errors: (IoTHubError | undefined)[];
  /** What was predicted after a tenth of the run, and what was left then. */
  readonly predictedInSeconds: number;
  readonly leftInSeconds: number;
}

/** Registers devices at a hub that limits its callers, of whose requests one in twenty fails, without waiting. */
export async function simulate({ tier, bulkCost, devices, isTold, seed }: Simulation): Promise<SimulatedRun> {
  using time = new MockedTime();
  const random = seededRandom(seed);
  let open = 0;
  let refusals = 0;
  await using scene = new FleetScene({ throttling: { tier, bulkCost } }, async (ask) => {
    const lot = random();
    if (lot < 0.025) return new Response("", { status: 503 });
    if (lot < 0.05) throw Object.assign(new TypeError("connect failed"), { code: "ECONNREFUSED" });
    open++;
    try {
      const response = await ask();
      if (response.status === 429) refusals++;
      return response;
    } finally {
      open--;
    }
  });
  const { registry } = scene;
  // Its token is made before the clock counts.
  await time.settle(registry.getServiceStatistics(), 5);
  const started = performance.now();
  let tenth: { progress: FleetProgress; at: number } | undefined;
  const errors: (IoTHubError | undefined)[] = [];
  let done = 0;
  const source = (function* () {
    for (let index = 0; index < devices; index++) yield { id: `device-${index}` };
  })();
  const run = registerDevices(registry, source, { total: devices, ...(isTold && { throttle: { tier } }) });
  const work = (async () => {
    for await (const { status, error } of run) {
      if (status === "done") done++;
      else errors.push(error);
      if (done === Math.ceil(devices / 10)) tenth = { progress: run.progress, at: performance.now() };
    }
  })();
  await time.settleInJumps(work, () => open > 0);
  const end = performance.now();
  return {
    seconds: (end - started) / 1000,
    refusals,
    requests: scene.requests,
    done,
    errors,
    predictedInSeconds: (tenth!.progress.remainingInMs ?? NaN) / 1000,
    leftInSeconds: (end - tenth!.at) / 1000,
  };
}
