import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { LocalHub } from "../../lib/local/mod.ts";
import { createSasToken, IoTHubRegistryManager } from "../../mod.ts";
import { cpuInUs } from "./cpu_time.ts";
import { sampleRegistration, sampleTwin } from "./sample_data.ts";
import type { Figures } from "./turn.ts";

/** What is read, where, and with what right. */
interface Served {
  readonly url: string;
  readonly authorization: string;
}

/**
 * Serves a device's twin by plain HTTP in this process, while another, on Node, reads it; returns what takes a turn. The rate and
 * the times are those of the reader, the CPU time that of this process.
 *
 * @param contender The local hub, or the least that answers so.
 * @param node How Node is started.
 */
export async function openRestServer(
  contender: string,
  node: readonly string[],
  inFlight: number,
): Promise<(turnInMs: number) => Promise<Figures>> {
  const { url, authorization } = contender === "module" ? await serveHub() : await serveBare();
  const [executable, ...args] = [...node, join(import.meta.dirname!, "rest_load.mjs"), url, authorization];
  const reader = spawn(executable!, [...args, String(inFlight)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(reader.stdout)[Symbol.asyncIterator]();
  return async (turnInMs) => {
    const before = cpuInUs();
    reader.stdin.write(`${turnInMs}\n`);
    const { value } = await lines.next();
    const figures: Figures = JSON.parse(value!);
    const answered = figures.callsPerSecond * turnInMs / 1000;
    return { ...figures, cpuPerCallInUs: (cpuInUs() - before) / answered };
  };
}

async function serveHub(): Promise<Served> {
  const hub = new LocalHub();
  const registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  await registry.bulkCreateOrUpdateDevices([{ id: "device-1", importMode: "create", ...sampleRegistration() }]);
  const { http } = await hub.listen({ http: 0 });
  const [, key] = /SharedAccessKey=(.*)$/.exec(hub.connectionString)!;
  const authorization = await createSasToken({ resourceUri: hub.hostName, key: key!, keyName: "iothubowner" });
  return { url: `${http}/twins/device-1?api-version=2021-04-12`, authorization };
}

/** The least that `node:http`, by which the hub listens on every runtime, needs for such an answer. */
async function serveBare(): Promise<Served> {
  const body = new TextEncoder().encode(JSON.stringify(sampleTwin("device-1")));
  const headers = { "content-type": "application/json; charset=utf-8", "content-length": body.length };
  const server = createServer((_request, response) => {
    response.writeHead(200, headers);
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, authorization: "none" };
}
