/**
 * What can be counted once, in one runtime; `run.ts` starts it.
 *
 *     <runtime> tests/bench/facts.ts memory '{"fast":…,…}' 100000
 *     <runtime> tests/bench/facts.ts steady '{"fast":…,…}'
 *
 * Prints one line of JSON, numbers by name.
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { hubClient } from "./hub_clients.ts";
import type { ServerPorts } from "./server.ts";

const IN_FLIGHT = 32;

async function memory(ports: ServerPorts, count: string): Promise<Record<string, number>> {
  await hubClient("module", ports.fast).readTwins(Number(count));
  return { [`peakMemoryInKbAt${count}`]: await peakMemoryInKb() };
}

async function steady(ports: ServerPorts): Promise<Record<string, number>> {
  let signatures = 0;
  const sign = crypto.subtle.sign;
  crypto.subtle.sign = (...args) => {
    signatures++;
    return sign.apply(crypto.subtle, args);
  };
  const client = hubClient("module", ports.fast);
  async function callRepeatedly(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      await Promise.all(Array.from({ length: IN_FLIGHT }, () => client.getTwin("device-1")));
    }
  }
  await callRepeatedly(1);
  const signaturesOfFirstCalls = signatures;
  // Deno finishes connecting what it no longer needs, when another connection has become free in the meantime.
  await callRepeatedly(20);
  const connections = await connectionsOf(ports);
  await callRepeatedly(50);
  return {
    signaturesOfFirstCalls,
    signaturesInSteadyState: signatures - signaturesOfFirstCalls,
    newConnections: await connectionsOf(ports) - connections,
  };
}

async function connectionsOf({ control }: ServerPorts): Promise<number> {
  return Number(await (await fetch(`http://127.0.0.1:${control}/`)).text());
}

/** The most memory that this process ever had; Linux counts it. */
async function peakMemoryInKb(): Promise<number> {
  return Number(/VmHWM:\s+(\d+) kB/.exec(await readFile("/proc/self/status", "utf8"))?.[1]);
}

const [what, ports, count] = process.argv.slice(2);
const facts = what === "memory" ? await memory(JSON.parse(ports!), count!) : await steady(JSON.parse(ports!));
process.stdout.write(JSON.stringify(facts) + "\n", () => process.exit(0));
