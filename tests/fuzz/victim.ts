import { readFileSync } from "node:fs";
import process from "node:process";
import { collectGarbage } from "../support/garbage.ts";

/** How a victim has fared since it was started. */
export interface VictimReport {
  /** How late the tick of 100 ms was at most, by what the process itself did. */
  readonly longestGapInMs: number;
  /** How much memory the process has now. */
  readonly sizeInBytes: number;
  /** The most memory that the process has had, all of it, as the operating system counts. */
  readonly peakInBytes: number;
  /** Exceptions and rejections that nobody caught, and whatever else must not happen. */
  readonly faults: readonly string[];
}

/** A line to a victim: what it is to do. */
export interface VictimRequest {
  readonly command: string;
  readonly argument?: unknown;
}

/** A line from a victim. */
export interface VictimAnswer {
  readonly result?: unknown;
  /** Why there is no result. */
  readonly error?: string;
  readonly report: VictimReport;
}

const TICK_IN_MS = 100;

/** A process that is attacked: it does as it is told, and watches over itself. It ends with its standard input. */
export class Victim {
  readonly #faults: string[] = [];
  #longestGapInMs = 0;
  #tickedAt: number = performance.now();
  #usedAt: number = cpuTimeInMs();
  #peakInBytes = 0;

  constructor() {
    process.on("uncaughtException", (error) => this.blame("uncaught exception", error));
    process.on("unhandledRejection", (error) => this.blame("unhandled rejection", error));
    setInterval(() => this.#tick(), TICK_IN_MS);
  }

  /** Notes something that must not happen. */
  blame(what: string, error: unknown): void {
    this.#faults.push(`${what}: ${error instanceof Error ? error.stack : String(error)}`);
  }

  /** Answers lines with lines; beside these commands, `collect` collects garbage, and `report` does nothing. */
  async serve(commands: Readonly<Record<string, (argument: never) => unknown>>): Promise<void> {
    const all: typeof commands = { collect: collectGarbage, report() {}, ...commands };
    for await (const line of lines()) {
      const { command, argument } = JSON.parse(line) as VictimRequest;
      let outcome: { result: unknown } | { error: string };
      try {
        outcome = { result: await all[command]!(argument as never) };
      } catch (error) {
        outcome = { error: error instanceof Error ? error.stack ?? error.message : String(error) };
      }
      const answer: VictimAnswer = { ...outcome, report: this.#report() };
      process.stdout.write(JSON.stringify(answer) + "\n");
    }
    process.exit(0);
  }

  #tick(): void {
    this.#longestGapInMs = Math.max(this.#longestGapInMs, this.#gapInMs());
    this.#tickedAt = performance.now();
    this.#usedAt = cpuTimeInMs();
    this.#peakInBytes = Math.max(this.#peakInBytes, process.memoryUsage.rss());
  }

  /** How late the tick is, but for the time in which a busy machine has not let this process do anything. */
  #gapInMs(): number {
    return Math.min(performance.now() - this.#tickedAt - TICK_IN_MS, cpuTimeInMs() - this.#usedAt);
  }

  #report(): VictimReport {
    return {
      // What is late now has not been counted yet.
      longestGapInMs: Math.max(this.#longestGapInMs, this.#gapInMs()),
      sizeInBytes: process.memoryUsage.rss(),
      peakInBytes: Math.max(this.#peakInBytes, process.memoryUsage.rss(), highWaterMark()),
      faults: this.#faults.splice(0),
    };
  }
}

/** How long the process has worked, in all its threads. */
export function cpuTimeInMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The peak as Linux keeps it, which no tick can miss. */
function highWaterMark(): number {
  try {
    return Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** The lines of the standard input. Those of `node:readline` end with other characters, too, which JSON may have. */
async function* lines(): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}
