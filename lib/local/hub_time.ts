const TICKS_PER_MILLISECOND = 10_000n;
/** .NET ticks (100 ns since the year 1) at the Unix epoch. */
const TICKS_AT_EPOCH = 621_355_968_000_000_000n;

/** How the hub writes "never" when a document is read. */
export const NEVER = "0001-01-01T00:00:00Z";

/** How the hub writes "never" in its response to a create. */
export const NEVER_AT_CREATION = "0001-01-01T00:00:00";

/** The time that was formatted last. Often many things happen in one millisecond. */
let formatted: { readonly milliseconds: number; readonly text: string } | undefined;

/** Formats a time as the hub does: ISO 8601 in UTC, with a fraction that never ends in zeros. */
export function utcTime(milliseconds: number): string {
  if (formatted?.milliseconds === milliseconds) return formatted.text;
  const text = new Date(milliseconds).toISOString().replace(/\.?0*Z$/, "Z");
  formatted = { milliseconds, text };
  return text;
}

/** Formats a time that something has happened last; 0 means "never". */
export function hubTime(milliseconds: number): string {
  return milliseconds === 0 ? NEVER : utcTime(milliseconds);
}

/** Converts a time to .NET ticks, which the hub uses in generation ids and device scopes. */
export function ticksAt(milliseconds: number): bigint {
  return BigInt(Math.trunc(milliseconds)) * TICKS_PER_MILLISECOND + TICKS_AT_EPOCH;
}

/** Reads a clock for an error, which the clock itself may have caused, as it belongs to the hub's owner. */
export function readClock(clock: () => number): number {
  try {
    const now = clock();
    if (!Number.isNaN(new Date(now).getTime())) return now;
  } catch {
    // The machine's time will do.
  }
  return Date.now();
}
