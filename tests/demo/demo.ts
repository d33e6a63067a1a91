import type { IoTHubRegistryManager } from "../../mod.ts";
import { callMethods, chooseTargets, sendMessages } from "./commands.ts";
import type { FieldDevices } from "./field_devices.ts";
import type { FleetDevice } from "./fleet_file.ts";
import { showQueries, waitForIndex } from "./queries.ts";
import { Registration } from "./registration.ts";
import { counted, showFailures, showHub, showTimes } from "./report.ts";
import type { Failure, Run } from "./run.ts";
import { type Output, Steps } from "./steps.ts";
import { setDesiredProperties, tagTwins } from "./twins.ts";

/** What a run of the demo needs. */
export interface DemoOptions {
  registry: IoTHubRegistryManager;
  devices: readonly FleetDevice[];
  output: Output;
  /** The devices' own side, where the hub is embedded. */
  field?: FieldDevices;
  /** Whether to remove at the end what the run has created, however it ends. */
  removeAtEnd: boolean;
  abortSignal?: AbortSignal;
}

/** What came of it. */
export interface DemoResult {
  runId: string;
  /** The ids that the run has created. */
  created: string[];
  /** The ids that were there before, and were left alone. */
  alreadyThere: string[];
  failures: Failure[];
  /** What the run has created and could not remove. */
  left: Failure[];
}

/**
 * Manages a fleet from beginning to end: registers it, tags and sets its twins, asks for it, talks to it.
 *
 * @throws the hub's refusal of a whole request, or the reason of the abort; what was created is removed even then
 */
export async function runDemo(
  { registry, devices, output, field, removeAtEnd, abortSignal }: DemoOptions,
): Promise<DemoResult> {
  const run: Run = {
    registry,
    runId: crypto.randomUUID().slice(0, 8),
    options: abortSignal === undefined ? {} : { abortSignal },
    output,
    steps: new Steps(output),
    failures: [],
  };
  const registration = new Registration(run);
  let left: Failure[] = [];
  // A wrong key or a hub out of reach shows here, before anything has been created.
  const { totalDeviceCount } = await registry.getDeviceRegistryStatistics(run.options);
  output.line(`It holds ${counted(totalDeviceCount, "device")} so far`);
  try {
    await manageFleet(run, registration, devices, field);
  } finally {
    if (removeAtEnd) left = await removeFleet(run, registration);
    showFailures(output, `${counted(run.failures.length, "failure")} on the hub:`, run.failures);
  }
  showTimes(output, run.steps.times);
  const { created, alreadyThere } = registration;
  return { runId: run.runId, created: [...created.keys()], alreadyThere, failures: run.failures, left };
}

async function manageFleet(
  run: Run,
  registration: Registration,
  devices: readonly FleetDevice[],
  field: FieldDevices | undefined,
): Promise<void> {
  await registration.create(devices);
  const { alreadyThere } = registration;
  const created = [...registration.created.values()];
  run.output.line(`Registered ${created.length} of ${counted(devices.length, "device")}`);
  if (alreadyThere.length > 0) {
    const named = alreadyThere.slice(0, 5).join(", ") + (alreadyThere.length > 5 ? ", …" : "");
    run.output.line(`Left alone, since the hub had them before: ${counted(alreadyThere.length, "device")} (${named})`);
  }
  if (created.length === 0) return;
  await field?.switchOn(created);
  await tagTwins(run, created);
  await setDesiredProperties(run, created);
  await field?.reports(created);
  await waitForIndex(run, created);
  await showQueries(run, created);
  const targets = chooseTargets(created);
  await callMethods(run, targets);
  await sendMessages(run, targets, field);
  await showHub(run, created.length);
}

async function removeFleet(run: Run, registration: Registration): Promise<Failure[]> {
  const { removed, left } = await registration.remove();
  run.output.line();
  run.output.line(`Removed ${counted(removed, "device")} that this run had created`);
  showFailures(run.output, `Still on the hub, with the tag demoRun = '${run.runId}':`, left);
  return left;
}
