/**
 * What a hub does in a second in memory and on SQLite, side by side, and how long it takes to open a large one.
 *
 *     deno run -A tests/bench/hub_storage.ts [DEVICES]
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { LocalHub } from "../../lib/local/mod.ts";
import { IoTHubRegistryManager } from "../../mod.ts";

const DEVICES = Number(process.argv[2] ?? 100_000);
const CALLS = 3_000;
const BULK = 100;
const MEBIBYTE = 1024 * 1024;

const folder = mkdtempSync(join(tmpdir(), "bench-storage-"));
const storage = join(folder, "hub.sqlite");

/** Calls in a second. */
async function rateOf(count: number, call: (index: number) => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let index = 0; index < count; index++) await call(index);
  return Math.round(count / (performance.now() - start) * 1000);
}

async function measure(hub: LocalHub): Promise<Record<string, number>> {
  await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  const idOf = (index: number): string => `device-${index % 1000}`;
  const device = (index: number) => ({
    id: `device-${index}`,
    importMode: "create" as const,
    authentication: { type: "certificateAuthority" as const },
    tags: { site: `site-${index % 7}`, floor: index % 40 },
    properties: { desired: { firmware: `1.${index % 7}`, telemetry: { intervalInSeconds: 60 } } },
  });
  const bulks = await rateOf(
    DEVICES / BULK,
    (call) =>
      registry.bulkCreateOrUpdateDevices(Array.from({ length: BULK }, (_, index) => device(call * BULK + index))),
  );
  return {
    "devices registered in bulk": bulks * BULK,
    "twin reads": await rateOf(CALLS, (index) => registry.getTwin(idOf(index))),
    "twin writes": await rateOf(CALLS, (index) => registry.updateTwin(idOf(index), { tags: { index } })),
    "reported properties": await rateOf(CALLS, (index) => hub.device(idOf(index)).updateReportedProperties({ index })),
    "devices created": await rateOf(
      CALLS,
      (index) => registry.createDeviceWithX509(`one-${index}`, { primaryThumbprint: "A".repeat(40) }),
    ),
  };
}

try {
  const inMemory = new LocalHub();
  const memory = await measure(inMemory);
  await inMemory.close();
  const onSqlite = new LocalHub({ storage });
  const sqlite = await measure(onSqlite);
  await onSqlite.close();
  console.log("a second".padEnd(28), "in memory".padStart(10), "on SQLite".padStart(10));
  for (const [name, rate] of Object.entries(memory)) {
    console.log(name.padEnd(28), String(rate).padStart(10), String(sqlite[name]).padStart(10));
  }
  const before = process.memoryUsage().rss;
  const start = performance.now();
  const cpu = process.cpuUsage();
  const hub = new LocalHub({ storage });
  const milliseconds = Math.round(performance.now() - start);
  const { user, system } = process.cpuUsage(cpu);
  const busy = Math.round((user + system) / 1000);
  const grown = Math.round((process.memoryUsage().rss - before) / MEBIBYTE);
  const size = Math.round(statSync(storage).size / MEBIBYTE);
  console.log(
    `${DEVICES + CALLS} devices, ${size} MiB, opened in ${milliseconds} ms (${busy} ms of work), ${grown} MiB more`,
  );
  await hub.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
