import fc from "fast-check";
import type { VictimProcess } from "./victim_process.ts";

/** One way to attack a victim: what is generated, and how it is done. */
export interface Wire<Case, Facts> {
  readonly name: string;
  readonly cases: fc.Arbitrary<Case>;
  /** Does it; returns what came of it in a few words. */
  attack(attack: Case, victim: VictimProcess, facts: Facts): Promise<string>;
}

/** A victim with all that can be done to it. */
export interface Target<Facts> {
  readonly name: string;
  start(): VictimProcess;
  readonly wires: readonly Wire<unknown, Facts>[];
  /** Throws unless a good peer is still served. */
  check(victim: VictimProcess, facts: Facts): Promise<void>;
}

/** How much is done. */
export interface Effort {
  readonly cases: number;
  readonly seed: number;
  /** The way to one case, as a failure tells it. */
  readonly path?: string;
  /** When to stop, however many cases have been done. */
  readonly timeInMs?: number;
}

/** What came of a campaign. */
export interface CampaignResult {
  readonly cases: number;
  readonly seconds: number;
  readonly longestGapInMs: number;
  readonly peakInBytes: number;
  /** How often each thing came of a case, on each wire. */
  readonly outcomes: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** What was found, with the smallest case that shows it. */
  readonly failure?: string;
}

interface Attack<Facts> {
  readonly wire: Wire<unknown, Facts>;
  readonly content: unknown;
}

/** A good peer is tried after each so many cases, and after each while a failure is narrowed down. */
const CASES_BETWEEN_CHECKS = 20;
/** How long a failure is narrowed down. */
const NARROWING_IN_MS = 60_000;

/** Attacks a victim with many cases, and narrows down the first that it does not stand. */
export async function attack<Facts>(target: Target<Facts>, effort: Effort): Promise<CampaignResult> {
  const outcomes = new Map(target.wires.map(({ name }) => [name, new Map<string, number>()]));
  const began = performance.now();
  let victim: VictimProcess | undefined;
  let facts: Facts | undefined;
  let failedAt: number | undefined;
  let [cases, longestGapInMs, peakInBytes] = [0, 0, 0];

  async function run({ wire, content }: Attack<Facts>): Promise<void> {
    if (failedAt !== undefined && performance.now() - failedAt > NARROWING_IN_MS) return;
    if (victim === undefined || victim.isDead) {
      victim = target.start();
      facts = await victim.ask<Facts>("start");
    }
    try {
      const outcome = await wire.attack(content, victim, facts!);
      await victim.ask("report");
      if (failedAt !== undefined || ++cases % CASES_BETWEEN_CHECKS === 0) await target.check(victim, facts!);
      if (failedAt !== undefined) return;
      const counts = outcomes.get(wire.name)!;
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    } catch (error) {
      failedAt ??= performance.now();
      await victim[Symbol.asyncDispose]();
      throw error;
    } finally {
      longestGapInMs = Math.max(longestGapInMs, victim.report.longestGapInMs);
      peakInBytes = Math.max(peakInBytes, victim.report.peakInBytes);
    }
  }

  const contents = target.wires.map((wire) => wire.cases.map((content) => ({ wire, content })));
  const details = await fc.check(fc.asyncProperty(fc.oneof(...contents), run), {
    seed: effort.seed,
    numRuns: effort.cases,
    ...(effort.path !== undefined && { path: effort.path }),
    ...(effort.timeInMs !== undefined && { interruptAfterTimeLimit: effort.timeInMs }),
  });
  await (victim as VictimProcess | undefined)?.[Symbol.asyncDispose]();
  return {
    cases,
    seconds: (performance.now() - began) / 1000,
    longestGapInMs,
    peakInBytes,
    outcomes,
    ...(details.failed && details.counterexample !== null && { failure: describe(details) }),
  };
}

const MOST_SHOWN = 4_000;

function describe(
  { counterexample, counterexamplePath, errorInstance, numShrinks }: fc.RunDetails<[Attack<never>]>,
): string {
  const [{ wire, content }] = counterexample!;
  const shown = JSON.stringify(content, (_key, value) => value instanceof Uint8Array ? [...value] : value);
  return `${String(errorInstance)}
after ${wire.name}, smaller by ${numShrinks} steps, --path=${counterexamplePath}: ${shown.slice(0, MOST_SHOWN)}`;
}
