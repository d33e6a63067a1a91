/**
 * A program that does one thing with a fleet, with a journal; run and killed by a test. It writes its outcomes to standard
 * output, each with the result's keys.
 */
import process from "node:process";
import {
  deleteDevices,
  fileJournal,
  type FleetRun,
  invokeMethodOnDevices,
  registerDevices,
  renewDeviceKeys,
  updateTwins,
} from "../../lib/fleet/mod.ts";
import { IoTHubRegistryManager } from "../../mod.ts";
import { fleetEntries, type KilledOperation } from "./killed_fleet.ts";

const { ENDPOINT: endpoint, CONNECTION_STRING, OPERATION, COUNT, JOURNAL } = process.env;

const registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING!, { endpoint });
const entries = fleetEntries(Number(COUNT));
const ids = entries.map(({ id }) => id);
const options = { journal: fileJournal(JOURNAL!) };
const runs: Record<KilledOperation, () => FleetRun<unknown>> = {
  create: () => registerDevices(registry, entries, options),
  tag: () => updateTwins(registry, ids.map((deviceId) => ({ deviceId, tags: { deviceId } })), options),
  swap: () => renewDeviceKeys(registry, ids, { ...options, keys: "swap" }),
  call: () => invokeMethodOnDevices(registry, ids, { methodName: "count" }, options),
  delete: () => deleteDevices(registry, ids, options),
};
for await (const { deviceId, status, result } of runs[OPERATION as KilledOperation]()) {
  const { authentication } = (result ?? {}) as { authentication?: { symmetricKey?: { primaryKey?: string } } };
  const line = `${JSON.stringify([deviceId, status, authentication?.symmetricKey?.primaryKey])}\n`;
  // What is told has left the process before the next outcome is asked for.
  await new Promise<void>((resolve) => process.stdout.write(line, () => resolve()));
}
await registry.close();
