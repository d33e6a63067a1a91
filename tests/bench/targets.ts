import type { RuntimeName } from "./processes.ts";
import { figuresOf, ratiosTo, type Results } from "./results.ts";

/** What shall be reached. */
export interface Target {
  readonly what: string;
  readonly runtime?: RuntimeName;
  readonly bound: "at least" | "at most";
  readonly limit: number;
  /** What was reached; `undefined` when it was not measured. */
  readonly figure: number | undefined;
}

type PerRuntime = readonly [node: number, deno: number, bun: number];

const RUNTIMES: readonly RuntimeName[] = ["node", "deno", "bun"];
const SDK = "azure-iothub";

/** Every target with what was reached. */
export function evaluate(results: Results): Target[] {
  function perRuntime(
    what: string,
    bound: Target["bound"],
    limits: PerRuntime,
    figureOf: (runtime: RuntimeName) => number | undefined,
  ): Target[] {
    return RUNTIMES.map((runtime, index) => ({
      what,
      runtime,
      bound,
      limit: limits[index]!,
      figure: figureOf(runtime),
    }));
  }
  function toSdk(runtime: RuntimeName, part: string, inFlight: number) {
    return ratiosTo(results, { runtime, part, inFlight, contender: SDK });
  }
  function toRhea(runtime: RuntimeName, part: string, inFlight: number) {
    return ratiosTo(results, { runtime, part, inFlight, contender: "bare rhea" });
  }
  function toBare(runtime: RuntimeName, part: string, inFlight: number) {
    const contender = runtime === "node" && part !== "in-process" ? "bare node:https" : "bare fetch";
    return ratiosTo(results, { runtime, part, inFlight, contender });
  }
  function toEventHubs(runtime: RuntimeName) {
    return ratiosTo(results, { runtime, part: "events", inFlight: 1, contender: "@azure/event-hubs" });
  }
  function node(what: string, bound: Target["bound"], limit: number, figure: number | undefined): Target {
    return { what, runtime: "node", bound, limit, figure };
  }
  /** Bulk is held against the SDK on Node, on whatever runtime the module is. */
  function bulkToNodeSdk(runtime: RuntimeName) {
    const module = figuresOf(results, { runtime, part: "bulk", inFlight: 8, contender: "module" });
    const sdk = figuresOf(results, { runtime: "node", part: "bulk", inFlight: 8, contender: SDK });
    return module && sdk && {
      rate: module.callsPerSecond / sdk.callsPerSecond,
      cpu: module.cpuPerCallInUs / sdk.cpuPerCallInUs,
    };
  }
  function growth(runtime: RuntimeName): number | undefined {
    const facts = results.facts[runtime];
    return facts && facts["peakMemoryInKbAt300000"]! / facts["peakMemoryInKbAt100000"]!;
  }
  function messageGrowth(runtime: RuntimeName): number | undefined {
    const facts = results.facts[runtime];
    return facts && facts["heapInKbAt100000Messages"]! / facts["heapInKbAt20000Messages"]!;
  }
  function eventGrowth(runtime: RuntimeName): number | undefined {
    const facts = results.facts[runtime];
    return facts && facts["heapInKbAt1000000Events"]! / facts["heapInKbAt200000Events"]!;
  }
  function cold(figure: (times: NonNullable<Results["coldStarts"]["node"]>) => number) {
    return (runtime: RuntimeName): number | undefined => {
      const times = results.coldStarts[runtime];
      return times && figure(times);
    };
  }
  function hubQuery(part: string) {
    return (runtime: RuntimeName): number | undefined =>
      figuresOf(results, { runtime, part, inFlight: 1, contender: "module" })?.p50InMs;
  }
  const { footprints } = results;
  const targets: Target[] = [
    ...perRuntime(
      "1  in process, one by one, to bare: rate",
      "at least",
      [0.75, 0.63, 0.65],
      (r) => toBare(r, "in-process", 1)?.callsPerSecond,
    ),
    ...perRuntime(
      "1  GET, 32 in flight, to bare: rate",
      "at least",
      [0.92, 0.92, 0.83],
      (r) => toBare(r, "get", 32)?.callsPerSecond,
    ),
    ...perRuntime(
      "1  GET, 32 in flight, to bare: CPU",
      "at most",
      [1.12, 1.12, 1.25],
      (r) => toBare(r, "get", 32)?.cpuPerCallInUs,
    ),
    ...perRuntime(
      "1  bulk of 100, to bare: rate",
      "at least",
      [0.87, 0.67, 0.8],
      (r) => toBare(r, "bulk", 8)?.callsPerSecond,
    ),
    ...perRuntime(
      "1  100,000 twins, to bare: rate",
      "at least",
      [0.9, 0.9, 0.9],
      (r) => toBare(r, "paging", 1)?.callsPerSecond,
    ),
    node("2  GET, 32 in flight, to SDK: rate", "at least", 1.5, toSdk("node", "get", 32)?.callsPerSecond),
    node("2  GET, 128 in flight, to SDK: rate", "at least", 1.6, toSdk("node", "get", 128)?.callsPerSecond),
    node("2  GET, 32 in flight, to SDK: CPU", "at most", 0.65, toSdk("node", "get", 32)?.cpuPerCallInUs),
    node("2  with 10 ms latency, 32 in flight: rate", "at least", 0.97, toSdk("node", "latency", 32)?.callsPerSecond),
    node("2  with 10 ms latency, 128 in flight: rate", "at least", 1.6, toSdk("node", "latency", 128)?.callsPerSecond),
    ...perRuntime("3  GET, one by one, to SDK: p50", "at most", [0.78, 0.85, 0.95], (r) => toSdk(r, "get", 1)?.p50InMs),
    ...perRuntime(
      "3  GET, 32 in flight, to bare: p99",
      "at most",
      [1.15, 1.15, 1.15],
      (r) => toBare(r, "get", 32)?.p99InMs,
    ),
    ...perRuntime("5  bulk of 100, to SDK on Node: rate", "at least", [1.9, 2.2, 2.7], (r) => bulkToNodeSdk(r)?.rate),
    ...perRuntime("5  bulk of 100, to SDK on Node: CPU", "at most", [0.5, 0.5, 0.5], (r) => bulkToNodeSdk(r)?.cpu),
    ...perRuntime(
      "6  100,000 twins, to SDK: rate",
      "at least",
      [1.75, 1.8, 2.8],
      (r) => toSdk(r, "paging", 1)?.callsPerSecond,
    ),
    ...perRuntime("6  memory at 300,000 to 100,000", "at most", [1.1, 1.1, 1.1], growth),
    ...perRuntime(
      "7  C2D, 64 in flight, to SDK: rate",
      "at least",
      [1.4, 1.3, 1.4],
      (r) => toSdk(r, "c2d", 64)?.callsPerSecond,
    ),
    ...perRuntime(
      "7  C2D, 64 in flight, to SDK: CPU",
      "at most",
      [0.65, 0.65, 0.65],
      (r) => toSdk(r, "c2d", 64)?.cpuPerCallInUs,
    ),
    ...[1, 64, 512].flatMap((inFlight) =>
      perRuntime(
        `   C2D, ${inFlight} in flight, to bare: rate`,
        "at least",
        [0.95, 0.95, 0.95],
        (r) => toRhea(r, "c2d", inFlight)?.callsPerSecond,
      )
    ),
    ...perRuntime("   memory at 100,000 messages to 20,000", "at most", [1.1, 1.1, 1.1], messageGrowth),
    ...perRuntime(
      "8  first message over 20 ms, to SDK: time",
      "at most",
      [0.55, 0.55, 0.55],
      (r) => toSdk(r, "c2d-first", 1)?.p50InMs,
    ),
    ...perRuntime(
      "   first message over 20 ms, to bare: rate",
      "at least",
      [0.95, 0.95, 0.95],
      (r) => toRhea(r, "c2d-first", 1)?.callsPerSecond,
    ),
    ...perRuntime(
      "8  sender links of 64 first messages at once",
      "at most",
      [1, 1, 1],
      (r) => results.facts[r]?.["senderLinksOfFirstMessages"],
    ),
    ...perRuntime(
      "9  signatures for 32 first calls at once",
      "at most",
      [1, 1, 1],
      (r) => results.facts[r]?.["signaturesOfFirstCalls"],
    ),
    ...perRuntime(
      "9  signatures in steady state",
      "at most",
      [0, 0, 0],
      (r) => results.facts[r]?.["signaturesInSteadyState"],
    ),
    ...perRuntime(
      "9  new connections in steady state",
      "at most",
      [0, 0, 0],
      (r) => results.facts[r]?.["newConnections"],
    ),
    ...perRuntime(
      "10 cold start to the first answer, to SDK",
      "at most",
      [0.6, 0.7, 0.15],
      cold((times) => times.answerModule / times.answerSdk),
    ),
    ...perRuntime(
      "10 import, to SDK",
      "at most",
      [0.15, 0.15, 0.15],
      cold((times) => (times.importModule - times.empty) / (times.importSdk - times.empty)),
    ),
    ...perRuntime(
      "   import over an empty module, in ms",
      "at most",
      [15, 15, 15],
      cold((times) => times.importModule - times.empty),
    ),
    {
      what: "10 installed packages, to SDK",
      bound: "at most",
      limit: 0.06,
      figure: footprints && footprints.module.packages / footprints.sdk.packages,
    },
    {
      what: "10 installed bytes, to SDK",
      bound: "at most",
      limit: 0.06,
      figure: footprints && footprints.module.bytes / footprints.sdk.bytes,
    },
    ...perRuntime("11 page of a rare match, local hub, in ms", "at most", [30, 30, 30], hubQuery("hub-page")),
    ...perRuntime("11 GROUP BY, local hub, in ms", "at most", [60, 60, 60], hubQuery("hub-groups")),
    ...perRuntime(
      "12 GET at the local hub's port, to bare: rate",
      "at least",
      [0.8, 0.8, 0.8],
      (r) =>
        ratiosTo(results, { runtime: r, part: "hub-rest", inFlight: 32, contender: "bare server" })?.callsPerSecond,
    ),
    ...perRuntime(
      "12 heap of a device at the local hub, in bytes",
      "at most",
      [1500, 1500, 1500],
      (r) => results.facts[r]?.["heapInBytesADevice"],
    ),
    ...perRuntime(
      "12 GROUP BY of a million devices, local hub, in ms",
      "at most",
      [1000, 1000, 1000],
      (r) => results.facts[r]?.["groupByInMsOf1000000"],
    ),
    ...perRuntime(
      "13 events of 100 devices by MQTT, a second",
      "at least",
      [10_000, 10_000, 10_000],
      (r) => results.facts[r]?.["eventsPerSecond"],
    ),
    // Both are faster than the hub sends.
    node("13 events, to @azure/event-hubs: rate", "at least", 0.95, toEventHubs("node")?.callsPerSecond),
    node("13 events, to @azure/event-hubs: CPU", "at most", 0.8, toEventHubs("node")?.cpuPerCallInUs),
    ...perRuntime("13 memory at 1,000,000 events to 200,000", "at most", [1.1, 1.1, 1.1], eventGrowth),
  ];
  return targets.filter(({ figure }) => figure !== undefined && !Number.isNaN(figure));
}

/** Whether a target was reached. */
export function isReached({ bound, limit, figure }: Target): boolean {
  return bound === "at least" ? figure! >= limit : figure! <= limit;
}
