/** A tier of hubs, which they are bought in: F1 is free, B1 to B3 are basic, S1 to S3 have everything. */
export type HubTier = "F1" | "B1" | "B2" | "B3" | "S1" | "S2" | "S3";

/** All of them. */
export const HUB_TIERS: readonly HubTier[] = ["F1", "B1", "B2", "B3", "S1", "S2", "S3"];

/** A kind of operation that hubs throttle apart from the others. */
export type ThrottledOperation =
  | "registry"
  | "configurations"
  | "twinReads"
  | "twinUpdates"
  | "twinQueries"
  | "jobs"
  | "c2dSends"
  | "c2dReceives"
  | "methods"
  | "connections"
  | "uploads";

/** What counts as one direct method: a block of payload of this size, begun or full. */
const METHOD_BLOCK_IN_BYTES = 4096;

/** The documented rates of one kind of operation in the three sizes of hubs, per second. */
type Rates = readonly [small: Rate, medium: Rate, large: Rate];
type Rate = (units: number) => number;

const perMinute = (count: number): Rate => (units) => count * units / 60;
const perSecond = (count: number): Rate => (units) => count * units;
/** A rate that more units do not raise, until theirs are more. */
const atLeast = (count: number, perUnit: number): Rate => (units) => Math.max(count, perUnit * units);

const RATES: Readonly<Record<ThrottledOperation, Rates>> = {
  registry: [perMinute(100), perMinute(100), perMinute(5000)],
  configurations: [perMinute(20), perMinute(20), perMinute(20)],
  twinReads: [atLeast(100, 0), atLeast(100, 10), perSecond(500)],
  twinUpdates: [atLeast(50, 0), atLeast(50, 5), perSecond(250)],
  twinQueries: [perMinute(20), perMinute(20), perMinute(1000)],
  jobs: [perMinute(100), perMinute(100), perMinute(5000)],
  c2dSends: [perMinute(100), perMinute(100), perMinute(5000)],
  c2dReceives: [perMinute(1000), perMinute(1000), perMinute(50_000)],
  methods: [perSecond(160 / 4), perSecond(480 / 4), perSecond(24 * 1024 / 4)],
  connections: [atLeast(100, 12), perSecond(120), perSecond(6000)],
  uploads: [perMinute(100), perMinute(100), perMinute(5000)],
};

/** As how many a direct method counts. */
export function methodCost(payload: unknown): number {
  const bytes = new TextEncoder().encode(JSON.stringify(payload) ?? "").length;
  return Math.max(1, Math.ceil(bytes / METHOD_BLOCK_IN_BYTES));
}

/** How many operations of a kind a hub of a tier with so many units carries out per second. */
export function hubRate(operation: ThrottledOperation, tier: HubTier, units: number): number {
  const [small, medium, large] = RATES[operation];
  const rate = tier.endsWith("3") ? large : tier.endsWith("2") ? medium : small;
  return rate(units);
}
