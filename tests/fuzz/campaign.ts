import fc from "fast-check";
import type { VictimProcess } from "./victim_process.ts";

/** One way to attack a victim: what is generated, and how it is done. */
export interface Wire<Case, Facts> {
  readonly name: string;
  /** How often it is chosen. */
  readonly weight: number;
  readonly cases: fc.Arbitrary<Case>;
  attack(attack: Case, victim: VictimProcess, facts: Facts): Promise<CaseResult>;
}

/** What came of a case, in a few words. */
export interface CaseResult {
  readonly outcome: string;
  /** How far the victim was driven. */
  readonly reached?: Iterable<string>;
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
  /** Is told of each case after which the victim was slower or larger than ever before, with its figures. */
  readonly onRecord?: (record: string) => void;
}

/** How often something was. */
export type Counts = ReadonlyMap<string, number>;

/** What came of a campaign. */
export interface CampaignResult {
  readonly cases: number;
  readonly seconds: number;
  readonly longestGapInMs: number;
  readonly peakInBytes: number;
  /** How often each thing came of a case, on each wire. */
  readonly outcomes: ReadonlyMap<string, Counts>;
  /** In how many cases the victim was driven so far, on each wire. */
  readonly reached: ReadonlyMap<string, Counts>;
  /** What was found, with the smallest case that shows it. */
  readonly failure?: string;
}

interface Attack<Facts> {
  readonly wire: Wire<unknown, Facts>;
  readonly content: unknown;
}

/** A good peer is tried after each so many cases, and after each while a failure is narrowed down. */
const CASES_BETWEEN_CHECKS = 20;
/** A victim that is larger after a case is told to collect its garbage, which the runtimes let be for long. */
const LARGE_IN_BYTES = 150 * 2 ** 20;
/** How long a failure is narrowed down. */
const NARROWING_IN_MS = 60_000;

/** Attacks a victim with many cases, and narrows down the first that it does not stand. */
export async function attack<Facts>(target: Target<Facts>, effort: Effort): Promise<CampaignResult> {
  const [outcomes, reached] = [new Tally(), new Tally()];
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
      const result = await wire.attack(content, victim, facts!);
      await victim.ask("report");
      // The peak then tells what a victim keeps, and not when its runtime sees fit to clean up.
      if (victim.report.sizeInBytes > LARGE_IN_BYTES) await victim.ask("collect");
      if (failedAt !== undefined || ++cases % CASES_BETWEEN_CHECKS === 0) await target.check(victim, facts!);
      if (failedAt !== undefined) return;
      outcomes.count(wire.name, result.outcome);
      for (const state of result.reached ?? []) reached.count(wire.name, state);
    } catch (error) {
      failedAt ??= performance.now();
      await victim[Symbol.asyncDispose]();
      throw error;
    } finally {
      const { report } = victim;
      if (report.longestGapInMs > longestGapInMs + 50 || report.peakInBytes > peakInBytes + 2 ** 23) {
        effort.onRecord?.(
          `${report.longestGapInMs} ms, ${report.peakInBytes} bytes after ${shown(wire.name, content)}`,
        );
      }
      longestGapInMs = Math.max(longestGapInMs, victim.report.longestGapInMs);
      peakInBytes = Math.max(peakInBytes, victim.report.peakInBytes);
    }
  }

  const contents = target.wires.map((wire) => {
    return { weight: wire.weight, arbitrary: wire.cases.map((content) => ({ wire, content })) };
  });
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
    outcomes: outcomes.counts,
    reached: reached.counts,
    ...(details.failed && details.counterexample !== null && { failure: describe(details) }),
  };
}

/** Counts what happens on each wire. */
class Tally {
  readonly counts: Map<string, Map<string, number>> = new Map();

  count(wire: string, what: string): void {
    const counts = this.counts.get(wire) ?? new Map<string, number>();
    this.counts.set(wire, counts.set(what, (counts.get(what) ?? 0) + 1));
  }
}

const MOST_SHOWN = 4_000;

function shown(wire: string, content: unknown): string {
  const text = JSON.stringify(content, (_key, value) => {
    return value instanceof Uint8Array ? [...value] : typeof value === "bigint" ? String(value) : value;
  });
  return `${wire} ${text.slice(0, MOST_SHOWN)}`;
}

function describe(
  { counterexample, counterexamplePath, errorInstance, numShrinks }: fc.RunDetails<[Attack<never>]>,
): string {
  const [{ wire, content }] = counterexample!;
  return `${String(errorInstance)}
after ${shown(wire.name, content)}
smaller by ${numShrinks} steps, --path=${counterexamplePath}`;
}
