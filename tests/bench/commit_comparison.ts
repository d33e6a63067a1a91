import { medians, ratios, takeTurns } from "./compare.ts";
import type { EarlierCheckout } from "./earlier_checkout.ts";
import { ROOT, type RuntimeCommands, type RuntimeName } from "./processes.ts";
import { standardError } from "./median.ts";
import { printTable, type Row } from "./report.ts";
import type { Servers } from "./servers.ts";
import type { Figures } from "./turn.ts";

/**
 * What an earlier commit is compared by: how many calls are under way at a time, and how long a turn takes. Many short turns: what
 * else a machine does then falls on both turns of a round alike.
 */
const CASES: Record<string, { readonly inFlight: readonly number[]; readonly turnInMs: number }> = {
  "in-process": { inFlight: [1, 32], turnInMs: 25 },
  get: { inFlight: [32], turnInMs: 50 },
  bulk: { inFlight: [8], turnInMs: 50 },
  paging: { inFlight: [1], turnInMs: 50 },
  c2d: { inFlight: [64], turnInMs: 50 },
  "hub-page": { inFlight: [1], turnInMs: 50 },
  "hub-groups": { inFlight: [1], turnInMs: 50 },
};

/** The parts that an earlier commit is compared by. */
export const COMMIT_PARTS: readonly string[] = Object.keys(CASES);

/** How many rounds there are unless told otherwise. */
const ROUNDS = 240;
/** After so many rounds both sides get new processes: what one process happens to be slow at, it is slow at to its end. */
const ROUNDS_PER_PROCESS = 30;
const WARM_UP_IN_MS = 500;
/** How many twins one call of `paging` reads. */
const TWINS = 1_000;
/** What share of the earlier rate today's code has to reach. */
const LIMIT = 0.95;

/** Today's code beside that of an earlier commit. */
export interface CommitComparison {
  readonly runtime: RuntimeName;
  readonly part: string;
  readonly inFlight: number;
  readonly today: Figures;
  readonly earlier: Figures;
  /** Today's figures as multiples of the earlier ones: medians of the ratios within a round. */
  readonly ratios: Figures;
  /** The same for each pair of processes. */
  readonly ratiosOfPairs: readonly Figures[];
}

/** Lets today's code and that of an earlier commit take turns in each of `parts`, on one runtime. */
export async function compareWithCommit(
  runtime: RuntimeName,
  command: RuntimeCommands[RuntimeName],
  { root }: EarlierCheckout,
  parts: readonly string[],
  { certificate, portsOf }: Servers,
  rounds: number = ROUNDS,
): Promise<CommitComparison[]> {
  const entrants = [ROOT, root].map((root) => ({ contender: "module", root }));
  const comparisons: CommitComparison[] = [];
  for (const part of parts) {
    const { inFlight: levels, turnInMs } = CASES[part]!;
    for (const inFlight of levels) {
      const request = { part, inFlight, ports: portsOf(part), count: TWINS };
      const today: Figures[] = [];
      const earlier: Figures[] = [];
      const ratiosOfPairs: Figures[] = [];
      while (today.length < rounds) {
        const left = Math.min(ROUNDS_PER_PROCESS, rounds - today.length);
        const effort = { rounds: left, turnInMs, warmUpInMs: WARM_UP_IN_MS };
        // Who starts first waits while the other warms up, which costs it something; so each does so in turn.
        const isTodayFirst = ratiosOfPairs.length % 2 === 0;
        const started = isTodayFirst ? entrants : entrants.toReversed();
        const turns = await takeTurns(command, certificate, started, request, effort);
        const [turnsToday, turnsEarlier] = isTodayFirst ? [turns[0]!, turns[1]!] : [turns[1]!, turns[0]!];
        today.push(...turnsToday);
        earlier.push(...turnsEarlier);
        ratiosOfPairs.push(medianRatios(turnsToday, turnsEarlier));
      }
      comparisons.push({
        runtime,
        part,
        inFlight,
        today: medians(today),
        earlier: medians(earlier),
        ratios: medianRatios(today, earlier),
        ratiosOfPairs,
      });
    }
  }
  return comparisons;
}

function medianRatios(today: readonly Figures[], earlier: readonly Figures[]): Figures {
  return medians(today.map((figures, round) => ratios(figures, earlier[round]!)));
}

/** Prints what came of it on one runtime; returns in how many cases today's code is slower than it may be. */
export function printCommitComparisons(comparisons: readonly CommitComparison[], commit: string): number {
  const head = [
    "part",
    "in flight",
    "today/s",
    `${commit}/s`,
    "rate ×",
    "±",
    "pairs",
    "CPU ×",
    `rate at least ${LIMIT}`,
  ];
  const rows = comparisons.map(({ part, inFlight, today, earlier, ratios, ratiosOfPairs }): Row => {
    const rates = ratiosOfPairs.map(({ callsPerSecond }) => callsPerSecond);
    return [
      part,
      inFlight,
      today.callsPerSecond.toFixed(0),
      earlier.callsPerSecond.toFixed(0),
      ratios.callsPerSecond.toFixed(3),
      rates.length > 1 ? standardError(rates).toFixed(3) : "",
      `${Math.min(...rates).toFixed(2)}–${Math.max(...rates).toFixed(2)}`,
      ratios.cpuPerCallInUs.toFixed(3),
      isReached(ratios) ? "reached" : "MISSED",
    ];
  });
  printTable([head, ...rows]);
  return comparisons.filter(({ ratios }) => !isReached(ratios)).length;
}

function isReached({ callsPerSecond }: Figures): boolean {
  return callsPerSecond >= LIMIT;
}
