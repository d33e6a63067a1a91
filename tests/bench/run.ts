/**
 * Compares this module with bare transports, with `azure-iothub` and with `@azure/event-hubs`, on Node, Deno and Bun, over
 * loopback TLS; events without TLS.
 *
 *     deno task bench [PART…] [--runtime NAME,…] [--rounds N] [--json FILE]
 *
 * A part is one of `in-process`, `sight`, `get`, `latency`, `bulk`, `paging`, `token`, `c2d`, `c2d-first`, `hub-page`,
 * `hub-groups`, `hub-rest`, `hub-scale`, `events`, `memory`, `c2d-memory`, `events-memory`, `events-devices`, `steady`,
 * `cold-start` and `footprint`; all of them take about twenty minutes, the three with `c2d` not quite three of them, and those
 * with `events` six; longer on a busy machine, as what that spoils is measured again. In `events-devices`, 100 devices send
 * events by MQTT to a local hub from which they are read, each of the three in a process of its own.
 * `sight` compares the module with itself while somebody is told what it does. Of those with `hub`, two query a local hub with
 * 100,000 twins, `hub-rest` compares its port with a bare server, and `hub-scale` gives it a million devices. Only ratios carry
 * over to other machines.
 *
 *     deno task bench --against COMMIT [PART…] [--runtime NAME,…] [--rounds N] [--json FILE]
 *
 * Compares this module, as it is in the working tree, with itself at an earlier commit, which is unpacked in `.cache/bench`. The
 * two take turns and call the same server. A part is one of `in-process`, `get`, `bulk`, `paging`, `c2d`, `hub-page` and
 * `hub-groups`; all of them take about nine minutes a runtime. Printed are, of each case,
 *
 * - the median rate of either side, and that of the ratios within a round: above 1, today's code is the faster one;
 * - by how much that ratio may be off, and the lowest and the highest of a pair of processes, which are renewed every 30 rounds;
 * - the ratio of CPU times per call, which suffers less from what else the machine does: above 1, today's code costs more;
 * - whether the rate is at least 0.95 of the earlier one. Where one is not, the exit code is 1.
 *
 * On a busy machine ask for more rounds than the usual 240. `--against HEAD` with a clean working tree shows what noise alone does.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildNpmPackage, NPM_PACKAGE } from "../../.ci/build_npm.ts";
import { COMMIT_PARTS, type CommitComparison, compareWithCommit, printCommitComparisons } from "./commit_comparison.ts";
import { compare, type Effort, type Measurement } from "./compare.ts";
import { measureColdStart } from "./cold_start.ts";
import { checkOut } from "./earlier_checkout.ts";
import { measureEventFleet } from "./event_fleet.ts";
import { footprintOf, footprintOfModule } from "./footprint.ts";
import { findRuntimes, ROOT, runScript, type RuntimeName } from "./processes.ts";
import { MOST_UNCERTAINTY, printRuntime, printTargets } from "./report.ts";
import type { Results } from "./results.ts";
import { EVENTS, type Servers, startServers } from "./servers.ts";

/** Parts whose contenders take turns. */
const COMPARISONS: Record<string, Effort & { readonly inFlight: readonly number[] }> = {
  "in-process": { inFlight: [1], rounds: 9, turnInMs: 100 },
  sight: { inFlight: [1], rounds: 19, turnInMs: 100 },
  get: { inFlight: [1, 32, 128], rounds: 19, turnInMs: 200 },
  latency: { inFlight: [32, 128], rounds: 9, turnInMs: 200 },
  bulk: { inFlight: [8], rounds: 15, turnInMs: 200 },
  paging: { inFlight: [1], rounds: 10, turnInMs: 0 },
  token: { inFlight: [1], rounds: 9, turnInMs: 100 },
  c2d: { inFlight: [1, 64, 512], rounds: 11, turnInMs: 200 },
  "c2d-first": { inFlight: [1], rounds: 15, turnInMs: 0 },
  "hub-page": { inFlight: [1], rounds: 9, turnInMs: 200 },
  "hub-groups": { inFlight: [1], rounds: 9, turnInMs: 200 },
  "hub-rest": { inFlight: [32], rounds: 15, turnInMs: 200 },
  events: { inFlight: [1], rounds: 9, turnInMs: 0 },
};
const PARTS = [
  ...Object.keys(COMPARISONS),
  ...["hub-scale", "memory", "c2d-memory", "events-memory", "events-devices", "steady", "cold-start", "footprint"],
];
const RUNTIMES: readonly RuntimeName[] = ["node", "deno", "bun"];
/** How many twins all rounds of `paging` read together, and how many `memory` reads in one process. */
const TWINS = 100_000;
const MEMORY_COUNTS = [100_000, 300_000];
const MEMORY_PROCESSES = 2;
const MESSAGE_COUNTS = [20_000, 100_000];
/** How many devices `hub-scale` registers while it looks at the time, and how many in all. */
const DEVICE_COUNTS = [100_000, 1_000_000];
const EVENT_COUNTS = [200_000, 1_000_000];
const COLD_STARTS = 20;

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    against: { type: "string" },
    runtime: { type: "string" },
    rounds: { type: "string" },
    json: { type: "string" },
  },
});
const parts = values.against === undefined
  ? chosen("part", positionals, PARTS)
  : chosen("part to compare with a commit", positionals, COMMIT_PARTS);
const names = chosen("runtime", values.runtime?.split(",") ?? [], RUNTIMES);
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
if (rounds !== undefined && !(Number.isSafeInteger(rounds) && rounds > 0)) {
  throw new RangeError(`--rounds must be a whole number above 0, not ${values.rounds}`);
}

const runtimes = await findRuntimes();
const directory = await Deno.makeTempDir();
try {
  await using servers = await startServers(runtimes, directory, parts.includes("events"));
  if (values.against === undefined) await compareWithOthers(servers);
  else await compareWithEarlier(values.against, servers);
} finally {
  await Deno.remove(directory, { recursive: true });
}

async function compareWithOthers(servers: Servers): Promise<void> {
  const results = await measure(servers);
  await writeJson(results);
  const missed = printTargets(results);
  if (missed > 0) console.log(`\n${missed} missed; within a tenth of a target, measure again on a machine at rest.`);
}

async function compareWithEarlier(commit: string, servers: Servers): Promise<void> {
  const earlier = await checkOut(commit);
  const all: CommitComparison[] = [];
  let missed = 0;
  for (const runtime of names) {
    const comparisons = await compareWithCommit(runtime, runtimes[runtime], earlier, parts, servers, rounds);
    all.push(...comparisons);
    console.log(`\n${runtime} (today's code as a multiple of ${earlier.commit})`);
    missed += printCommitComparisons(comparisons, earlier.commit);
  }
  await writeJson(all);
  if (missed === 0) return;
  console.log(
    `\n${missed} missed; where the limit is within twice the ± of a ratio, measure again with more --rounds.`,
  );
  Deno.exitCode = 1;
}

async function writeJson(found: unknown): Promise<void> {
  if (values.json !== undefined) await Deno.writeTextFile(values.json, JSON.stringify(found, null, 2) + "\n");
}

async function measure(servers: Servers): Promise<Results> {
  const results: Results = { measurements: [], facts: {}, coldStarts: {} };
  const packageDirectory = parts.includes("cold-start") || parts.includes("footprint") ? await built() : "";
  for (const runtime of names) {
    const measurements = await compareAll(runtime, servers);
    results.measurements.push(...measurements.map((measurement) => ({ ...measurement, runtime })));
    results.facts[runtime] = await collectFacts(runtime, servers);
    if (parts.includes("cold-start")) {
      const entry = runtime === "deno" ? join(ROOT, "mod.ts") : join(packageDirectory, "dist", "index.js");
      results.coldStarts[runtime] = await measureColdStart(
        runtimes[runtime],
        runtime === "deno" ? await usersProject() : ".",
        entry,
        servers.portsOf("cold-start").fast,
        rounds ?? COLD_STARTS,
        servers.certificate,
      );
    }
    printRuntime(results, runtime);
  }
  if (parts.includes("footprint")) {
    results.footprints = {
      module: await footprintOfModule(packageDirectory),
      sdk: await footprintOf("azure-iothub"),
    };
  }
  return results;
}

async function compareAll(
  runtime: RuntimeName,
  { certificate, portsOf }: Servers,
): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const part of parts.filter((part) => part in COMPARISONS)) {
    const { inFlight: levels, rounds: usualRounds, turnInMs } = COMPARISONS[part]!;
    const effort = { rounds: rounds ?? usualRounds, turnInMs };
    const count = part === "events" ? EVENTS : Math.ceil(TWINS / effort.rounds / 100) * 100;
    for (const inFlight of levels) {
      const request = { part, inFlight, ports: portsOf(part), count, node: runtimes.node };
      const contenders = contendersOf(part, runtime);
      let found = await compare(runtimes[runtime], certificate, contenders, request, effort);
      if (found.some(({ uncertainty }) => uncertainty > MOST_UNCERTAINTY)) {
        const again = { ...effort, rounds: 2 * effort.rounds };
        found = await compare(runtimes[runtime], certificate, contenders, request, again);
      }
      measurements.push(...found);
    }
  }
  return measurements;
}

async function collectFacts(
  runtime: RuntimeName,
  { certificate, portsOf }: Servers,
): Promise<Record<string, number>> {
  const calls: string[][] = [];
  if (parts.includes("memory")) {
    for (const count of MEMORY_COUNTS) calls.push(...Array(MEMORY_PROCESSES).fill(["memory", String(count)]));
  }
  if (parts.includes("hub-scale")) calls.push(["hub-scale", ...DEVICE_COUNTS.map(String)]);
  if (parts.includes("steady")) calls.push(["steady"]);
  if (parts.includes("c2d-first")) calls.push(["c2d-first"]);
  if (parts.includes("c2d-memory")) calls.push(["c2d-memory", ...MESSAGE_COUNTS.map(String)]);
  if (parts.includes("events-memory")) calls.push(["events-memory", ...EVENT_COUNTS.map(String)]);
  const facts: Record<string, number> = parts.includes("events-devices")
    ? await measureEventFleet(runtimes[runtime])
    : {};
  for (const [what, ...rest] of calls) {
    const args = [what!, JSON.stringify(portsOf(what!)), ...rest];
    const found: Record<string, number> = JSON.parse(await runScript(runtimes[runtime], "facts.ts", args, certificate));
    // Of several the least: a collection that comes late only adds.
    for (const name in found) facts[name] = Math.min(facts[name] ?? Infinity, found[name]!);
  }
  return facts;
}

function contendersOf(part: string, runtime: RuntimeName): string[] {
  const bare = runtime === "node" ? ["bare node:https", "bare fetch"] : ["bare fetch"];
  switch (part) {
    case "in-process":
      return ["module", "bare fetch"];
    case "sight":
      return ["module", "with onEvent", "with tracer"];
    case "hub-rest":
      return ["module", "bare server"];
    case "latency":
      return ["module", "azure-iothub"];
    case "token":
    case "hub-page":
    case "hub-groups":
      return ["module"];
    case "events":
      return runtime === "node" ? ["module", "@azure/event-hubs"] : ["module"];
    case "c2d":
    case "c2d-first":
      return ["module", "bare rhea", "azure-iothub"];
    default:
      return ["module", ...bare, "azure-iothub"];
  }
}

function chosen<T extends string>(what: string, asked: readonly string[], all: readonly T[]): readonly T[] {
  const unknown = asked.find((name) => !(all as readonly string[]).includes(name));
  if (unknown !== undefined) throw new RangeError(`There is no ${what} ${unknown}; there are ${all.join(", ")}`);
  return asked.length === 0 ? all : all.filter((name) => asked.includes(name));
}

/** The package for npm, as its users get it. */
async function built(): Promise<string> {
  await buildNpmPackage();
  return NPM_PACKAGE;
}

/**
 * A project for Deno that depends on this module, and on nothing else: Deno reads what the lock file lists, and this project's own
 * lists far more.
 */
async function usersProject(): Promise<string> {
  const { imports } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const needed = Object.fromEntries(["jose", "rhea", "ws"].map((name) => [name, imports[name]]));
  await Deno.writeTextFile(join(directory, "deno.json"), JSON.stringify({ imports: needed }));
  await Deno.copyFile(join(import.meta.dirname!, "cold_start_step.mjs"), join(directory, "cold_start_step.mjs"));
  return directory;
}
