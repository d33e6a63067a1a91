/**
 * Reads the events of a hub, in a process of its own.
 *
 *     <runtime> tests/bench/event_reader.ts PORT
 *
 * Each line of the input is a number of events. When so many more have come, it is answered with {@linkcode ReaderFigures}.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { IoTHubRegistryManager } from "../../mod.ts";
import { CONNECTION_STRING } from "./hub_clients.ts";
import { now } from "./shared_clock.ts";

/** How events have come. */
export interface ReaderFigures {
  readonly perSecond: number;
  readonly cpuPerEventInUs: number;
  /** From when a device has sent an event until it was there. */
  readonly p50InMs: number;
  readonly p99InMs: number;
}

const registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
  amqpEndpoint: `amqp://localhost:${process.argv[2]}`,
});
const events = registry.receiveEvents({ from: "earliest" });

async function read(count: number): Promise<ReaderFigures> {
  const delays: number[] = [];
  let first = 0;
  let cpuBefore = process.cpuUsage();
  while (delays.length < count) {
    const { value } = await events.next();
    const time = now();
    if (delays.push(time - value!.json<{ sentAt: number }>().sentAt) > 1) continue;
    first = time;
    cpuBefore = process.cpuUsage();
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const seconds = (now() - first) / 1000;
  delays.sort((a, b) => a - b);
  return {
    perSecond: count / seconds,
    cpuPerEventInUs: (user + system) / count,
    p50InMs: delays[Math.floor(count * 0.5)]!,
    p99InMs: delays[Math.floor(count * 0.99)]!,
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await read(Number(line))) + "\n");
}
process.exit(0);
