/**
 * What can be counted once, in one runtime; `run.ts` starts it.
 *
 *     <runtime> tests/bench/facts.ts memory '{"fast":…,…}' 100000
 *     <runtime> tests/bench/facts.ts steady '{"fast":…,…}'
 *     <runtime> tests/bench/facts.ts c2d-first '{"fast":…,…}'
 *     <runtime> tests/bench/facts.ts c2d-memory '{"fast":…,…}' 20000 100000
 *     <runtime> tests/bench/facts.ts hub-scale '{"fast":…,…}' 100000 1000000
 *     <runtime> tests/bench/facts.ts events-memory '{"fast":…,…}' 200000 1000000
 *
 * Prints one line of JSON, numbers by name.
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { LocalHub } from "../../lib/local/mod.ts";
import { IoTHubRegistryManager } from "../../mod.ts";
import { openC2dClient } from "./c2d_clients.ts";
import { collectGarbage } from "./garbage.ts";
import { hubClient } from "./hub_clients.ts";
import { measureScale } from "./hub_scale.ts";
import type { ServerPorts } from "./server.ts";
import { countsOf } from "./server_counts.ts";
import { sampleEvent } from "./sample_data.ts";

const IN_FLIGHT = 32;
const MESSAGES_IN_FLIGHT = 64;
const EVENTS_AT_ONCE = 100;
/** Of each partition. */
const KEPT_EVENTS = 5_000;

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
  const { connections } = await countsOf(ports);
  await callRepeatedly(50);
  return {
    signaturesOfFirstCalls,
    signaturesInSteadyState: signatures - signaturesOfFirstCalls,
    newConnections: (await countsOf(ports)).connections - connections,
  };
}

/** What many first messages at once leave behind at the server. */
async function firstMessages(ports: ServerPorts): Promise<Record<string, number>> {
  const before = await countsOf(ports);
  const client = await openC2dClient("module", ports.fast);
  await Promise.all(Array.from({ length: MESSAGES_IN_FLIGHT }, () => client.send()));
  const after = await countsOf(ports);
  return {
    connectionsOfFirstMessages: after.connections - before.connections,
    senderLinksOfFirstMessages: after.senderLinks - before.senderLinks,
  };
}

/** What is in use after each of `counts` messages in all. */
async function messageMemory(ports: ServerPorts, counts: readonly number[]): Promise<Record<string, number>> {
  const client = await openC2dClient("module", ports.fast);
  const facts: Record<string, number> = {};
  let sent = 0;
  async function sendRepeatedly(count: number): Promise<void> {
    while (sent < count) {
      sent++;
      await client.send();
    }
  }
  for (const count of counts) {
    await Promise.all(Array.from({ length: MESSAGES_IN_FLIGHT }, () => sendRepeatedly(count)));
    collectGarbage();
    const { rss, heapUsed } = process.memoryUsage();
    facts[`heapInKbAt${count}Messages`] = Math.round(heapUsed / 1024);
    facts[`memoryInKbAt${count}Messages`] = Math.round(rss / 1024);
  }
  return facts;
}

/** What is in use after each of `counts` events in all, of a hub and a reader in this process. */
async function eventMemory(counts: readonly number[]): Promise<Record<string, number>> {
  const hub = new LocalHub({ events: { retention: { maxEvents: KEPT_EVENTS } } });
  const registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  const ids = Array.from({ length: EVENTS_AT_ONCE }, (_, index) => `device-${index}`);
  for (const id of ids) await registry.createDeviceWithSas(id);
  const events = registry.receiveEvents({ from: "earliest" });
  const facts: Record<string, number> = {};
  let received = 0;
  for (const count of counts) {
    while (received < count) {
      for (const id of ids) await hub.device(id).sendTelemetry(sampleEvent());
      for (const _ of ids) {
        await events.next();
        received++;
      }
    }
    collectGarbage();
    const { rss, heapUsed } = process.memoryUsage();
    facts[`heapInKbAt${count}Events`] = Math.round(heapUsed / 1024);
    facts[`memoryInKbAt${count}Events`] = Math.round(rss / 1024);
  }
  return facts;
}

/** The most memory that this process ever had; Linux counts it. */
async function peakMemoryInKb(): Promise<number> {
  return Number(/VmHWM:\s+(\d+) kB/.exec(await readFile("/proc/self/status", "utf8"))?.[1]);
}

async function factsOf(what: string, ports: ServerPorts, counts: string[]): Promise<Record<string, number>> {
  switch (what) {
    case "memory":
      return await memory(ports, counts[0]!);
    case "steady":
      return await steady(ports);
    case "c2d-first":
      return await firstMessages(ports);
    case "c2d-memory":
      return await messageMemory(ports, counts.map(Number));
    case "hub-scale":
      return await measureScale(Number(counts[0]), Number(counts[1]));
    case "events-memory":
      return await eventMemory(counts.map(Number));
    default:
      throw new RangeError(`There are no facts ${what}`);
  }
}

const [what, ports, ...counts] = process.argv.slice(2);
const facts = await factsOf(what!, JSON.parse(ports!), counts);
process.stdout.write(JSON.stringify(facts) + "\n", () => process.exit(0));
