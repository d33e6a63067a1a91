import { type ContenderProcess, ROOT, startContender } from "./processes.ts";
import type { ContenderRequest } from "./contender.ts";
import { countsOf } from "./server_counts.ts";
import { median, standardError } from "./median.ts";
import type { Figures, Turn } from "./turn.ts";

/** The figures of one contender. */
export interface Measurement {
  readonly part: string;
  /** How many calls were under way at a time. */
  readonly inFlight: number;
  readonly contender: string;
  /** Medians over the rounds. */
  readonly figures: Figures;
  /**
   * The first contender's figures as multiples of this one's: medians of the ratios within a round. A machine that has
   * other things to do is slow for seconds at a time, which falls out of a ratio, and not out of a median.
   */
  readonly ratios: Figures;
  /** How many cores the server has kept busy meanwhile. Where it has one and no more, the contenders may look alike. */
  readonly serverCores: number;
  /** By what share the ratio of the rates may be off, as far as the rounds tell: much, on a machine that is busy. */
  readonly uncertainty: number;
}

/** How long and how often to measure. */
export interface Effort {
  readonly rounds: number;
  readonly turnInMs: number;
  /** @default {4 * turnInMs} */
  readonly warmUpInMs?: number;
}

/** Who takes turns: a contender, and the checkout that it belongs to. */
export interface Entrant {
  readonly contender: string;
  readonly root: string;
}

/** Compares contenders of this checkout. */
export async function compare(
  command: readonly [string, ...string[]],
  certificate: string,
  contenders: readonly string[],
  request: Omit<ContenderRequest, "contender">,
  effort: Effort,
): Promise<Measurement[]> {
  const entrants = contenders.map((contender) => ({ contender, root: ROOT }));
  const turns = await takeTurns(command, certificate, entrants, request, effort);
  return contenders.map((contender, index) => ({
    part: request.part,
    inFlight: request.inFlight,
    contender,
    figures: medians(turns[index]!),
    ratios: medians(ratiosTo(turns[0]!, turns[index]!)),
    serverCores: median(turns[index]!.map(({ serverCores }) => serverCores)),
    uncertainty: uncertaintyOf(ratiosTo(turns[0]!, turns[index]!).map(({ callsPerSecond }) => callsPerSecond)),
  }));
}

/**
 * Lets entrants take turns, in another order each round; returns the figures of each, round by round. Each has a process of its
 * own, since one that leaves much behind would otherwise let the others clean up.
 */
export async function takeTurns(
  command: readonly [string, ...string[]],
  certificate: string,
  entrants: readonly Entrant[],
  request: Omit<ContenderRequest, "contender">,
  { rounds, turnInMs, warmUpInMs = 4 * turnInMs }: Effort,
): Promise<Turn[][]> {
  await using stack = new AsyncDisposableStack();
  const processes: ContenderProcess[] = [];
  for (const { contender, root } of entrants) {
    const process = stack.use(startContender(command, root, { ...request, contender }, certificate));
    await process.takeTurn(warmUpInMs);
    processes.push(process);
  }
  const turns: Turn[][] = entrants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const index of shuffled(entrants.length)) {
      const before = await countsOf(request.ports);
      const started = performance.now();
      const figures = await processes[index]!.takeTurn(turnInMs);
      const elapsedInUs = (performance.now() - started) * 1000;
      const serverCores = ((await countsOf(request.ports)).cpuInUs - before.cpuInUs) / elapsedInUs;
      turns[index]![round] = { ...figures, serverCores };
    }
  }
  return turns;
}

/** The turns of one as multiples of those of another, round by round. */
function ratiosTo(one: readonly Figures[], other: readonly Figures[]): Figures[] {
  return other.map((turn, round) => ratios(one[round]!, turn));
}

function uncertaintyOf(rates: readonly number[]): number {
  return standardError(rates) / median(rates);
}

/** The first figures as multiples of the others. */
export function ratios(one: Figures, other: Figures): Figures {
  return {
    callsPerSecond: one.callsPerSecond / other.callsPerSecond,
    cpuPerCallInUs: one.cpuPerCallInUs / other.cpuPerCallInUs,
    p50InMs: one.p50InMs / other.p50InMs,
    p99InMs: one.p99InMs / other.p99InMs,
  };
}

/** The median of each figure. */
export function medians(rounds: readonly Figures[]): Figures {
  return {
    callsPerSecond: median(rounds.map((round) => round.callsPerSecond)),
    cpuPerCallInUs: median(rounds.map((round) => round.cpuPerCallInUs)),
    p50InMs: median(rounds.map((round) => round.p50InMs)),
    p99InMs: median(rounds.map((round) => round.p99InMs)),
  };
}

/** The numbers below `length` in some order. */
function shuffled(length: number): number[] {
  return Array.from({ length }, (_, index) => ({ index, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ index }) => index);
}
