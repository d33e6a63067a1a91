/**
 * How many devices a hub has at once: those that receive a change and answer a method, and those that only stay connected.
 *
 *     deno run -A tests/bench/hub_devices.ts [ACTIVE] [IDLE]
 *
 * The devices are in a process of their own, connected by MQTT; the figures are of the process of the hub.
 */
import { join } from "node:path";
import process from "node:process";
import { LocalHub } from "../../lib/local/mod.ts";
import { IoTHubRegistryManager } from "../../mod.ts";
import { collectGarbage } from "../support/garbage.ts";
import { LineProcess } from "../support/line_process.ts";
import type { FleetHub, FleetOrder } from "./mqtt_fleet.ts";

const ACTIVE = Number(process.argv[2] ?? 1_000);
const IDLE = Number(process.argv[3] ?? 10_000);
const BULK = 100;
const STEP = 1_000;
const MEBIBYTE = 1024 * 1024;
const KEY = btoa("0123456789abcdef0123456789abcdef");

/** The devices, and the hub that they are registered at. */
class Scene implements AsyncDisposable {
  readonly registry: IoTHubRegistryManager;
  readonly #hub: LocalHub;
  readonly #at: FleetHub;
  readonly #fleet: LineProcess;

  constructor(hub: LocalHub, at: FleetHub) {
    this.#hub = hub;
    this.#at = at;
    this.registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    const root = join(import.meta.dirname!, "../..");
    this.#fleet = new LineProcess([Deno.execPath(), "run", "-A", "--no-check", "tests/bench/mqtt_fleet.ts"], {
      cwd: root,
    });
  }

  static async start(count: number, wire: "mqtt" | "mqtts"): Promise<Scene> {
    const hub = new LocalHub();
    const addresses = await hub.listen({ [wire]: 0 });
    const { certificate } = addresses;
    const port = Number(addresses[wire]!.split(":").at(-1));
    const scene = new Scene(hub, { hostName: hub.hostName, port, certificate, key: KEY });
    for (let at = 0; at < count; at += BULK) {
      await scene.registry.bulkCreateOrUpdateDevices(
        Array.from({ length: Math.min(BULK, count - at) }, (_, index) => ({
          id: `device-${at + index}`,
          importMode: "create" as const,
          authentication: { type: "sas" as const, symmetricKey: { primaryKey: KEY, secondaryKey: KEY } },
        })),
      );
    }
    return scene;
  }

  async order(order: FleetOrder): Promise<void> {
    await this.#fleet.write(JSON.stringify(order));
    await this.#fleet.read();
  }

  async connect(from: number, to: number): Promise<void> {
    await this.order({ connect: this.#at, from, to });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fleet.kill();
    await this.registry.close();
    await this.#hub.close();
  }
}

/** Does some work, and tells how long it took, and how long the hub was busy with it. */
async function timed(name: string, work: () => Promise<unknown>): Promise<void> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await work();
  const milliseconds = Math.round(performance.now() - start);
  const { user, system } = process.cpuUsage(before);
  console.log(`${name}: ${milliseconds} ms, ${Math.round((user + system) / 1000)} ms of work`);
}

function memory(): { heap: number; resident: number } {
  collectGarbage();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, resident: rss };
}

async function measureActive(wire: "mqtt" | "mqtts"): Promise<void> {
  await using scene = await Scene.start(ACTIVE, wire);
  const { registry } = scene;
  const ids = Array.from({ length: ACTIVE }, (_, index) => `device-${index}`);
  await timed(`${ACTIVE} devices connect by ${wire} and subscribe`, () => scene.connect(0, ACTIVE));
  await timed("  each receives a change", async () => {
    await Promise.all(ids.map((id) => registry.updateTwin(id, { properties: { desired: { interval: 5 } } })));
    await scene.order({ awaitChanges: true });
  });
  await timed("  each answers a method", async () => {
    const answers = await Promise.all(
      ids.map((id) => registry.invokeDeviceMethod(id, { methodName: "name", responseTimeoutInSeconds: 60 })),
    );
    const lost = ids.filter((id, index) => answers[index]!.status !== 200 || answers[index]!.payload !== id);
    if (lost.length > 0) throw new Error(`wrong answers of ${lost}`);
  });
  console.log(`  the hub's process has ${Math.round(memory().resident / MEBIBYTE)} MiB`);
}

async function measureIdle(wire: "mqtt" | "mqtts"): Promise<void> {
  await using scene = await Scene.start(IDLE, wire);
  // What the first connections load is not theirs.
  await scene.connect(0, Math.min(STEP, IDLE / 2));
  const before = memory();
  await timed(`${IDLE} devices are connected by ${wire}`, () => scene.connect(Math.min(STEP, IDLE / 2), IDLE));
  const after = memory();
  const count = IDLE - Math.min(STEP, IDLE / 2);
  const each = (bytes: number): string => `${(bytes / count / 1024).toFixed(1)} KiB`;
  console.log(
    `  a connection: ${each(after.heap - before.heap)} of heap, ${each(after.resident - before.resident)} in all`,
  );
}

for (const wire of ["mqtt", "mqtts"] as const) await measureActive(wire);
for (const wire of ["mqtt", "mqtts"] as const) await measureIdle(wire);
