import process from "node:process";
import { LocalHub } from "../../lib/local/mod.ts";
import { type ExportImportDevice, IoTHubRegistryManager } from "../../mod.ts";
import { cpuInUs } from "./cpu_time.ts";
import { collectGarbage } from "./garbage.ts";
import { median } from "./median.ts";

const DEVICES_PER_REQUEST = 100;
const SITES = ["berlin", "madrid", "oslo", "paris", "rome"];
const GROUPS = "SELECT tags.site AS site, COUNT() AS n FROM devices GROUP BY tags.site";
const GROUPINGS = 5;

/**
 * Registers `few` devices without tags and properties at a local hub, then as many with tags as make `many`. Returns what the
 * first took, how much of the heap each of them keeps, and what it takes to group all of them.
 */
export async function measureScale(few: number, many: number): Promise<Record<string, number>> {
  const hub = new LocalHub();
  const registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  async function register(
    from: number,
    to: number,
    tagsOf?: (index: number) => Record<string, unknown>,
  ): Promise<void> {
    for (let first = from; first < to; first += DEVICES_PER_REQUEST) {
      const devices = Array.from({ length: DEVICES_PER_REQUEST }, (_, index): ExportImportDevice => ({
        id: `device-${first + index}`,
        importMode: "create",
        tags: tagsOf?.(first + index),
      }));
      await registry.bulkCreateOrUpdateDevices(devices);
    }
  }
  await register(0, few / 10);
  const heapBefore = heapInUse();
  const [began, cpuBefore] = [performance.now(), cpuInUs()];
  await register(few / 10, few);
  const facts: Record<string, number> = {
    [`microsecondsToRegisterADeviceOf${few}`]: Math.round((performance.now() - began) * 1000 / (few * 0.9)),
    [`cpuInUsToRegisterADeviceOf${few}`]: Math.round((cpuInUs() - cpuBefore) / (few * 0.9)),
    heapInBytesADevice: Math.round((heapInUse() - heapBefore) / (few * 0.9)),
  };
  await register(few, many, (index) => ({ site: SITES[index % SITES.length] }));
  const times: number[] = [];
  for (let round = 0; round < GROUPINGS; round++) {
    const started = performance.now();
    await registry.queryIotHub(GROUPS);
    times.push(performance.now() - started);
  }
  facts[`groupByInMsOf${many}`] = Math.round(median(times));
  facts[`firstGroupByInMsOf${many}`] = Math.round(times[0]!);
  return facts;
}

function heapInUse(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
