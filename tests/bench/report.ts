import type { RuntimeName } from "./processes.ts";
import type { Results } from "./results.ts";
import { evaluate, isReached } from "./targets.ts";

/** The cells of a row. */
export type Row = readonly (string | number)[];

/** A ratio that may be off by a larger share than this says that the machine was busy with other things. */
export const MOST_UNCERTAINTY = 0.05;

/** Prints what one runtime's clients did. */
export function printRuntime(results: Results, runtime: RuntimeName): void {
  const rows: Row[] = results.measurements.filter((measurement) => measurement.runtime === runtime).map((
    { part, inFlight, contender, figures, ratios, serverCores, uncertainty },
  ) => [
    part,
    inFlight,
    contender,
    figures.callsPerSecond.toFixed(figures.callsPerSecond < 100 ? 1 : 0),
    figures.cpuPerCallInUs.toFixed(1),
    figures.p50InMs.toFixed(3),
    figures.p99InMs.toFixed(3),
    (figures.callsPerSecond * figures.cpuPerCallInUs / 1e6).toFixed(2),
    serverCores.toFixed(2),
    ratios.callsPerSecond.toFixed(2),
    uncertainty.toFixed(2),
    ratios.cpuPerCallInUs.toFixed(2),
    ratios.p50InMs.toFixed(2),
    ratios.p99InMs.toFixed(2),
    uncertainty > MOST_UNCERTAINTY ? "BUSY" : "",
  ]);
  const head = ["part", "in flight", "contender", "calls/s", "CPU µs", "p50 ms", "p99 ms", "client", "server"];
  if (rows.length > 0) {
    console.log(`\n${runtime} (client, server: cores kept busy; then the module as a multiple of the contender)`);
    printTable([[...head, "rate ×", "±", "CPU ×", "p50 ×", "p99 ×", ""], ...rows]);
  }
  const { [runtime]: facts } = results.facts;
  for (const [name, value] of Object.entries(facts ?? {})) console.log(`${name}: ${value}`);
  const { [runtime]: times } = results.coldStarts;
  for (const [name, value] of Object.entries(times ?? {})) console.log(`${name}: ${value.toFixed(1)} ms`);
}

/** Prints the targets; returns how many were missed. */
export function printTargets(results: Results): number {
  const targets = evaluate(results);
  const { footprints } = results;
  if (footprints !== undefined) {
    const { module, sdk } = footprints;
    console.log(`\nmodule: ${module.packages} packages, ${megabytes(module.bytes)}`);
    console.log(`azure-iothub: ${sdk.packages} packages, ${megabytes(sdk.bytes)}`);
  }
  if (targets.length === 0) return 0;
  console.log("\nTargets");
  const rows = targets.map((target) => [
    target.what,
    target.runtime ?? "",
    `${target.bound} ${target.limit}`,
    target.figure!.toFixed(2),
    isReached(target) ? "reached" : "MISSED",
  ]);
  printTable([["row", "runtime", "target", "figure", ""], ...rows]);
  return targets.filter((target) => !isReached(target)).length;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Prints rows, the head first, in columns. */
export function printTable(rows: readonly Row[]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  for (const row of rows) {
    console.log(
      row.map((cell, column) => {
        const text = String(cell);
        return /^[\d.]+$/.test(text) ? text.padStart(widths[column]!) : text.padEnd(widths[column]!);
      }).join("  ").trimEnd(),
    );
  }
}
