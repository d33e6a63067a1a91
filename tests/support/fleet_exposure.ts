import {
  deleteDevices,
  type FleetOptions,
  type FleetRun,
  invokeMethodOnDevices,
  registerDevices,
  renewDeviceKeys,
  sendC2dMessages,
  updateTwins,
} from "../../lib/fleet/mod.ts";
import type { BulkDevice, IoTHubRegistryManager } from "../../mod.ts";
import { MemoryJournal } from "./memory_journal.ts";

/** Begins a run. */
export type BeginRun = (registry: IoTHubRegistryManager, options: FleetOptions) => FleetRun;

/** Runs that reach the hub over HTTP, one of each function, with a device that is given keys and one whose keys are made. */
export function httpRuns(symmetricKey: { primaryKey: string; secondaryKey: string }): BeginRun[] {
  const devices: BulkDevice[] = [{ id: "d", authentication: { type: "sas", symmetricKey } }, { id: "made" }];
  const ids = devices.map(({ id }) => id!);
  return [
    (registry, options) => registerDevices(registry, devices, options),
    (registry, options) => updateTwins(registry, ids.map((deviceId) => ({ deviceId, tags: { deviceId } })), options),
    (registry, options) => renewDeviceKeys(registry, ids, options),
    (registry, options) => invokeMethodOnDevices(registry, ids, { methodName: "m", payload: symmetricKey }, options),
    (registry, options) => deleteDevices(registry, ids, options),
  ];
}

/** A run that reaches the hub over AMQP. */
export const messageRun: BeginRun = (registry, options) =>
  sendC2dMessages(registry, [{ deviceId: "d", message: "hello" }], options);

/** Loops over a run. Returns all that it shows, and apart from that its results, which may hold keys. */
export async function exposureOfRun(
  begin: BeginRun,
  registry: IoTHubRegistryManager,
  journal: MemoryJournal = new MemoryJournal(),
): Promise<{ shown: unknown[]; results: unknown[]; errors: number }> {
  const shown: unknown[] = [journal];
  const results: unknown[] = [];
  let errors = 0;
  // Over a real socket nobody waits until a hub is better.
  const abort = new AbortController();
  const run = begin(registry, {
    journal,
    abortSignal: abort.signal,
    onProgress(progress) {
      shown.push(progress);
      if (begin === messageRun && progress.waitingFor === "retry") abort.abort();
    },
  });
  try {
    for await (const { result, ...outcome } of run) {
      if (result !== undefined) results.push(result);
      if (outcome.error !== undefined) errors++;
      shown.push(outcome);
    }
  } catch (error) {
    errors++;
    shown.push(error);
  }
  shown.push(run, run.progress);
  return { shown, results, errors };
}
