import { type ContenderProcess, ROOT, startContender } from "./processes.ts";
import type { ContenderRequest } from "./contender.ts";
import { median } from "./median.ts";
import type { Figures } from "./turn.ts";

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
    ratios: medians(turns[index]!.map((turn, round) => ratios(turns[0]![round]!, turn))),
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
): Promise<Figures[][]> {
  await using stack = new AsyncDisposableStack();
  const processes: ContenderProcess[] = [];
  for (const { contender, root } of entrants) {
    const process = stack.use(startContender(command, root, { ...request, contender }, certificate));
    await process.takeTurn(warmUpInMs);
    processes.push(process);
  }
  const turns: Figures[][] = entrants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const index of shuffled(entrants.length)) turns[index]![round] = await processes[index]!.takeTurn(turnInMs);
  }
  return turns;
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
