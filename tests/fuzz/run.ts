/**
 * Attacks a local hub and a client, each in a process of its own, with generated conversations, answers and requests of
 * which something is wrong, and tells how they stand it.
 *
 *     deno task fuzz [--cases=N | --seconds=N] [--seed=N [--path=P]] [--runtime=deno|node|bun] [--victim=hub|client]
 *         [--wire=NAME] [--verbose]
 *
 * The number of cases (10,000 by default), or of seconds, is for each runtime. `--runtime`, `--victim` and
 * `--wire` may be repeated; a wire has the name that the report gives to it, such as MQTT. `--verbose` shows the cases that were slower, or took more memory, than all before.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installRuntimes } from "../../.ci/runtimes.ts";
import { checkAlarms } from "./alarm_check.ts";
import { attack, type CampaignResult, type Counts, type Target } from "./campaign.ts";
import { clientTarget } from "./client_target.ts";
import { hubTarget } from "./hub_target.ts";
import { ROOT, type RuntimeCommand } from "./victim_process.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "10000" },
    seconds: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 0x7fffffff) },
    runtime: { type: "string", multiple: true },
    victim: { type: "string", multiple: true },
    wire: { type: "string", multiple: true },
    path: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});

const installed = await installRuntimes(join(ROOT, ".cache", "runtimes"), ["24"]);
/** Else V8 takes 150 MB for young objects alone where many come and go, and never gives them back. */
const YOUNG_SPACE = "--max-semi-space-size=16";
const RUNTIMES: Readonly<Record<string, RuntimeCommand>> = {
  deno: [Deno.execPath(), "run", "--quiet", "-A", "--no-check", `--v8-flags=${YOUNG_SPACE}`],
  node: [installed.node["24"], YOUNG_SPACE],
  bun: [installed.bun],
};
const TARGETS = { hub: hubTarget, client: clientTarget };

const seed = Number(values.seed);
console.log(`--seed=${seed} repeats this run`);
const victims = values.victim ?? Object.keys(TARGETS);
let hasFailed = false;
for (const runtime of values.runtime ?? Object.keys(RUNTIMES)) {
  await checkAlarms(RUNTIMES[runtime]!);
  // At the same time, since each waits for the other side most of the time.
  await Promise.all(victims.map(async (victim) => {
    const target = await TARGETS[victim as keyof typeof TARGETS](RUNTIMES[runtime]!) as Target<unknown>;
    const wires = target.wires.filter(({ name }) => values.wire?.includes(name) ?? true);
    const result = await attack({ ...target, wires }, {
      cases: values.seconds === undefined ? Math.ceil(Number(values.cases) / victims.length) : Infinity,
      seed,
      ...(values.path !== undefined && { path: values.path }),
      ...(values.verbose && { onRecord: (record) => console.log(`${runtime}, ${victim}: ${record}`) }),
      ...(values.seconds !== undefined && { timeInMs: Number(values.seconds) * 1_000 }),
    });
    report(`${runtime}, ${victim}`, result);
    hasFailed ||= result.failure !== undefined;
  }));
}
Deno.exit(hasFailed ? 1 : 0);

function report(name: string, result: CampaignResult): void {
  const { cases, seconds, longestGapInMs, peakInBytes, outcomes, reached, failure } = result;
  const figures = [
    `${cases} cases in ${seconds.toFixed()} s`,
    `longest gap ${longestGapInMs.toFixed()} ms`,
    `peak ${(peakInBytes / 2 ** 20).toFixed()} MiB`,
  ];
  console.log(`${name}: ${figures.join(", ")}`);
  for (const [wire, counts] of outcomes) {
    console.log(`  ${wire}: ${shown(counts)}`);
    if (reached.has(wire)) console.log(`    reached: ${shown(reached.get(wire)!)}`);
  }
  if (failure !== undefined) console.log(`FAILED ${name}: ${failure}`);
}

function shown(counts: Counts): string {
  return [...counts].sort(([, a], [, b]) => b - a).map(([what, count]) => `${what} ${count}`).join(", ");
}
