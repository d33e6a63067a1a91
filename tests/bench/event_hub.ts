/**
 * The hub of the benchmarks of events, in a process of its own: a local hub with 100 devices.
 *
 *     <runtime> tests/bench/event_hub.ts [EVENTS]
 *
 * Prints one line of JSON, {@linkcode EventHubFacts}, when it has so many events. Each line of its input asks for the CPU
 * time that it has used since the last one, in microseconds. It ends with its input.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { LocalHub } from "../../lib/local/mod.ts";
import { IoTHubRegistryManager } from "../../mod.ts";
import { cpuInUs } from "./cpu_time.ts";
import { CONNECTION_STRING } from "./hub_clients.ts";
import { sampleEvent } from "./sample_data.ts";

/** Where a hub of events listens, without TLS. */
export interface EventHubFacts {
  readonly amqp: number;
  readonly mqtt: number;
  /** Where it tells what it has used in all, as the other servers do. */
  readonly control: number;
  readonly hostName: string;
  /** The key of all devices, `device-0` and so on. */
  readonly key: string;
}

const EVENTS = Number(process.argv[2] ?? 0);
const DEVICES = 100;
const KEY = btoa("0123456789abcdef0123456789abcdef");

const [, policyKey] = /SharedAccessKey=(.*)$/.exec(CONNECTION_STRING)!;
const hub = new LocalHub({ policyKeys: { iothubowner: policyKey } });
await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
await registry.bulkCreateOrUpdateDevices(
  Array.from({ length: DEVICES }, (_, index) => ({
    id: `device-${index}`,
    importMode: "create" as const,
    authentication: { type: "sas" as const, symmetricKey: { primaryKey: KEY, secondaryKey: KEY } },
  })),
);
for (let index = 0; index < EVENTS; index++) {
  await hub.device(`device-${index % DEVICES}`).sendTelemetry(sampleEvent(), { level: "high" });
}
const { amqp, mqtt } = await hub.listen({ amqp: 0, mqtt: 0 });
const control = createServer((_, response) => void response.end(JSON.stringify({ cpuInUs: cpuInUs() })));
await new Promise<void>((resolve) => control.listen(0, "127.0.0.1", resolve));
const portOf = (address: string): number => Number(address.split(":").at(-1));
const facts = {
  amqp: portOf(amqp!),
  mqtt: portOf(mqtt!),
  control: (control.address() as AddressInfo).port,
  hostName: hub.hostName,
  key: KEY,
} satisfies EventHubFacts;
process.stdout.write(JSON.stringify(facts) + "\n");

let before = process.cpuUsage();
for await (const _ of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage(before);
  before = process.cpuUsage();
  process.stdout.write(`${user + system}\n`);
}
process.exit(0);
