import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { median } from "./median.ts";
import { runScript } from "./processes.ts";

/** Whole-process times of one runtime in milliseconds, medians. */
export interface ColdStart {
  readonly empty: number;
  readonly importModule: number;
  readonly importSdk: number;
  readonly answerModule: number;
  readonly answerSdk: number;
}

/**
 * Starts processes that import nothing, this module by its `entry` or the SDK, and that ask for a twin with either. Those that
 * have to do with this module run in the folder `project`.
 */
export async function measureColdStart(
  command: readonly [string, ...string[]],
  project: string,
  entry: string,
  port: number,
  rounds: number,
  certificate: string,
): Promise<ColdStart> {
  const url = pathToFileURL(entry).href;
  const cases: Record<keyof ColdStart, string[]> = {
    empty: ["empty"],
    importModule: ["module", url],
    importSdk: ["sdk", "-"],
    answerModule: ["module", url, String(port)],
    answerSdk: ["sdk", "-", String(port)],
  };
  const times = new Map<string, number[]>();
  // The first round fills the caches.
  for (let round = -1; round < rounds; round++) {
    for (const [name, args] of Object.entries(cases)) {
      const started = performance.now();
      await runScript(command, join(args[0] === "sdk" ? "." : project, "cold_start_step.mjs"), args, certificate);
      if (round >= 0) times.set(name, [...(times.get(name) ?? []), performance.now() - started]);
    }
  }
  return Object.fromEntries(Array.from(times, ([name, values]) => [name, median(values)])) as unknown as ColdStart;
}
