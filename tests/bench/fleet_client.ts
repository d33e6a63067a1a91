/**
 * Registers devices from a generated CSV stream. Prints as JSON how the rate of a fleet run compares with that of a bare loop
 * of bulk requests, and of one that gives an outcome for each device too, in turns; or the rate and the memory of a run over
 * a million, which has a process of its own. `PACKAGE` is the directory with the JavaScript of the package, if it is that
 * which is measured.
 */
import process from "node:process";
import type { ExportImportDevice } from "../../mod.ts";
import { collectGarbage } from "./garbage.ts";
import { median } from "./median.ts";

const { PORT, WORK, PACKAGE, DEVICES = "1000000", TURN = "100000", TURNS = "9" } = process.env;
const [entry, fleet] = PACKAGE === undefined
  ? ["../../mod.ts", "../../lib/fleet/mod.ts"]
  : [`${PACKAGE}/index.js`, `${PACKAGE}/fleet.js`];
const { IoTHubRegistryManager } = await import(entry) as typeof import("../../mod.ts");
const { registerDevices } = await import(fleet) as typeof import("../../lib/fleet/mod.ts");
const CONCURRENCY = 16;

const registry = IoTHubRegistryManager.fromConnectionString(
  `HostName=bench;SharedAccessKeyName=p;SharedAccessKey=${btoa("k".repeat(32))}`,
  { endpoint: `http://127.0.0.1:${PORT}` },
);

/** A CSV file as it comes from a disk or a network: in pieces that end anywhere. */
async function* csvPieces(count: number): AsyncGenerator<string> {
  let text = "";
  for (let index = 0; index < count; index++) {
    const key = `${String(index).padStart(42, "k")}A=`;
    text += `meter-${index},berlin,${key},${key}\n`;
    if (text.length < 65_536) continue;
    yield text.slice(0, 65_536);
    text = text.slice(65_536);
  }
  yield text;
}

async function* csvDevices(count: number): AsyncGenerator<ExportImportDevice> {
  let rest = "";
  for await (const piece of csvPieces(count)) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const [id, site, primaryKey, secondaryKey] = line.split(",") as [string, string, string, string];
      const symmetricKey = { primaryKey, secondaryKey };
      yield { id, importMode: "create", authentication: { type: "sas", symmetricKey }, tags: { site } };
    }
  }
}

/** Calls `onDone` with the devices of each request that has succeeded. */
async function byBareLoop(count: number, onDone?: (devices: ExportImportDevice[]) => void): Promise<void> {
  const source = csvDevices(count);
  let reading: Promise<unknown> = Promise.resolve();
  const read = (): Promise<ExportImportDevice[]> => {
    const batch = reading.then(async () => {
      const devices: ExportImportDevice[] = [];
      while (devices.length < 100) {
        const { done, value } = await source.next();
        if (done) break;
        devices.push(value);
      }
      return devices;
    });
    reading = batch;
    return batch;
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, async () => {
    for (let devices = await read(); devices.length > 0; devices = await read()) {
      const { isSuccessful } = await registry.bulkCreateOrUpdateDevices(devices);
      if (!isSuccessful) throw new Error("The server has refused a request");
      onDone?.(devices);
    }
  }));
}

/** What a loop takes that is given an outcome for each device, even if nothing else is done for it. */
async function byLoopWithOutcomes(count: number): Promise<void> {
  let done = 0;
  for await (const { status } of bareOutcomes(count)) if (status === "done") done++;
  if (done !== count) throw new Error(`${done} of ${count} are done`);
}

async function* bareOutcomes(count: number): AsyncGenerator<{ deviceId: string; status: "done"; result: object }> {
  let known: ExportImportDevice[] = [];
  let isOver = false;
  let wake: (() => void) | undefined;
  const work = byBareLoop(count, (devices) => {
    known.push(...devices);
    wake?.();
  }).finally(() => {
    isOver = true;
    wake?.();
  });
  while (!isOver || known.length > 0) {
    const outcomes = known;
    known = [];
    for (const device of outcomes) yield { deviceId: device.id, status: "done", result: device };
    if (known.length === 0 && !isOver) await new Promise<void>((resolve) => wake = resolve);
  }
  await work;
}

let highest = 0;
/** Of the heap, since a runtime keeps room that nothing is in. */
let mostInUse = 0;
const samples: number[] = [];

async function byFleet(count: number, isSampled = false): Promise<void> {
  let done = 0;
  for await (const { status } of registerDevices(registry, csvDevices(count))) {
    if (status !== "done") throw new Error(`An entry is ${status}`);
    done++;
    if (!isSampled || done % (count / 20) !== 0) continue;
    collectGarbage();
    const { rss, heapUsed } = process.memoryUsage();
    highest = Math.max(highest, rss);
    mostInUse = Math.max(mostInUse, heapUsed);
    samples.push(Math.round(rss / 2 ** 20));
  }
  if (done !== count) throw new Error(`${done} of ${count} are done`);
}

/** How many entries are done per second, and how many microseconds of the processor each takes. */
interface Cost {
  readonly rate: number;
  readonly cpu: number;
}

async function costOf(work: (count: number) => Promise<void>, count: number): Promise<Cost> {
  const [started, usage] = [performance.now(), process.cpuUsage()];
  await work(count);
  const rate = count / (performance.now() - started) * 1000;
  const { user, system } = process.cpuUsage(usage);
  return { rate, cpu: (user + system) / count };
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}

const CONTENDERS = { fleet: byFleet, bare: byBareLoop, withOutcomes: byLoopWithOutcomes } as const;

async function compare(): Promise<object> {
  const names = Object.keys(CONTENDERS) as (keyof typeof CONTENDERS)[];
  for (const name of names) await CONTENDERS[name](Number(TURN) / 5);
  const turns: Record<keyof typeof CONTENDERS, Cost>[] = [];
  for (let turn = 0; turn < Number(TURNS); turn++) {
    const costs: Partial<Record<keyof typeof CONTENDERS, Cost>> = {};
    // Each is the first in every third turn.
    for (let place = 0; place < names.length; place++) {
      const name = names[(turn + place) % names.length]!;
      costs[name] = await costOf((count) => CONTENDERS[name](count), Number(TURN));
    }
    turns.push(costs as Record<keyof typeof CONTENDERS, Cost>);
  }
  const compared = (one: keyof typeof CONTENDERS, other: keyof typeof CONTENDERS): object => ({
    rate: rounded(median(turns.map((turn) => turn[one].rate / turn[other].rate))),
    cpu: rounded(median(turns.map((turn) => turn[one].cpu / turn[other].cpu))),
  });
  return {
    toBare: compared("fleet", "bare"),
    toLoopWithOutcomes: compared("fleet", "withOutcomes"),
    loopWithOutcomesToBare: compared("withOutcomes", "bare"),
    cpuPerDevice: Object.fromEntries(
      names.map((name) => [name, rounded(median(turns.map((turn) => turn[name].cpu)))]),
    ),
  };
}

async function measureMemory(): Promise<object> {
  const { rate, cpu } = await costOf((count) => byFleet(count, true), Number(DEVICES));
  return {
    perSecond: Math.round(rate),
    cpuPerDevice: rounded(cpu),
    highestInMb: Math.round(highest / 2 ** 20),
    mostInUseInMb: Math.round(mostInUse / 2 ** 20),
    samplesInMb: samples,
  };
}

console.log(JSON.stringify(WORK === "memory" ? await measureMemory() : await compare()));
await registry.close();
