import type { Measurement } from "./compare.ts";
import type { ColdStart } from "./cold_start.ts";
import type { Footprint } from "./footprint.ts";
import type { RuntimeName } from "./processes.ts";
import type { Figures } from "./turn.ts";

/** All that a run of the benchmarks has found; what was not asked for is absent. */
export interface Results {
  readonly measurements: (Measurement & { readonly runtime: RuntimeName })[];
  readonly facts: Partial<Record<RuntimeName, Record<string, number>>>;
  readonly coldStarts: Partial<Record<RuntimeName, ColdStart>>;
  footprints?: { readonly module: Footprint; readonly sdk: Footprint };
}

/** Which measurement is meant. */
export interface Selection {
  readonly runtime: RuntimeName;
  readonly part: string;
  readonly inFlight: number;
  readonly contender: string;
}

/** What the module reached, as a multiple of what another contender did beside it. */
export function ratiosTo(results: Results, selection: Selection): Figures | undefined {
  return find(results, selection)?.ratios;
}

/** What a contender reached. */
export function figuresOf(results: Results, selection: Selection): Figures | undefined {
  return find(results, selection)?.figures;
}

function find({ measurements }: Results, selection: Selection): Measurement | undefined {
  return measurements.find((measurement) =>
    measurement.runtime === selection.runtime && measurement.part === selection.part &&
    measurement.inFlight === selection.inFlight && measurement.contender === selection.contender
  );
}
