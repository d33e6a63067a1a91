import { IoTHubError, type IoTHubRegistryManager, type OperationOptions } from "../../mod.ts";
import type { Output, Steps } from "./steps.ts";

/** What the hub did not do for one device. */
export interface Failure {
  deviceId: string;
  reason: string;
}

/** What the steps of one run of the demo have in common. */
export interface Run {
  registry: IoTHubRegistryManager;
  /** Stands in the tag `demoRun` of every device that this run creates, so that no other device is ever touched. */
  runId: string;
  /** Passed to every call: ends the run on Ctrl-C. */
  options: OperationOptions;
  output: Output;
  steps: Steps;
  failures: Failure[];
}

/** How many calls are under way at the same time. */
export const PARALLEL_CALLS = 10;

/** Notes what the hub refused for one device, so that the others can go on; an abort, or a bug, ends the run. */
export function noteFailure(run: Run, deviceId: string, error: unknown): void {
  if (!(error instanceof IoTHubError)) throw error;
  run.failures.push({ deviceId, reason: error.message });
}
