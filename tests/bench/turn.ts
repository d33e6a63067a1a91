import process from "node:process";

/** What a contender reached in a turn, or how it compares to another. */
export interface Figures {
  readonly callsPerSecond: number;
  /** CPU time of this process, user and system. */
  readonly cpuPerCallInUs: number;
  readonly p50InMs: number;
  readonly p99InMs: number;
}

/** What a contender reached in a turn, and how busy the server was. */
export interface Turn extends Figures {
  /** How many cores the server has kept busy. */
  readonly serverCores: number;
}

/** Keeps `inFlight` calls under way for some time, and sees each to its end; at least one call each. */
export async function takeTurn(call: () => Promise<unknown>, inFlight: number, turnInMs: number): Promise<Figures> {
  const latencies: number[] = [];
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  const end = started + turnInMs;
  async function callRepeatedly(): Promise<void> {
    let now = performance.now();
    do {
      await call();
      const done = performance.now();
      latencies.push(done - now);
      now = done;
    } while (now < end);
  }
  await Promise.all(Array.from({ length: inFlight }, callRepeatedly));
  const elapsedInMs = performance.now() - started;
  const cpu = process.cpuUsage(cpuBefore);
  latencies.sort((a, b) => a - b);
  return {
    callsPerSecond: latencies.length / elapsedInMs * 1000,
    cpuPerCallInUs: (cpu.user + cpu.system) / latencies.length,
    p50InMs: latencies[Math.floor(latencies.length * 0.5)]!,
    p99InMs: latencies[Math.floor(latencies.length * 0.99)]!,
  };
}
