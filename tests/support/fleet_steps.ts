import type { LocalHub } from "../../lib/local/mod.ts";
import type { IoTHubRegistryManager } from "../../mod.ts";
import { deviceFacts, moduleFacts, twinFacts } from "./fleet_state.ts";
import { choose, hash, type Random, seededRandom } from "./random.ts";

/** One operation of a caller; its outcome is the same whatever the hub does to its requests. */
export interface FleetStep {
  readonly name: string;
  run(registry: IoTHubRegistryManager): Promise<unknown>;
  /**
   * For what must not run twice, and may or may not have run: looks at the hub. The outcome if it has run, and `undefined` if
   * not.
   */
  look?(registry: IoTHubRegistryManager): Promise<unknown>;
}

const DEVICES_OF_A_WORKER = 4;

/** What a device is at one point of the plan. */
interface Planned {
  readonly deviceId: string;
  exists: boolean;
  enabled: boolean;
  readonly modules: Set<string>;
}

/** Makes up what one worker does to its devices, one step after the other. The same seed gives the same steps. */
export class FleetPlan {
  /** How often each direct method ran, by the id it was called with. */
  readonly methodRuns: Map<string, number> = new Map();
  readonly steps: FleetStep[] = [];
  readonly deviceIds: string[];
  readonly #worker: string;
  readonly #devices: Planned[];
  readonly #random: Random;

  constructor(options: { hub: LocalHub; seed: number; worker: string; length: number }) {
    const { hub, seed, worker, length } = options;
    this.#worker = worker;
    this.#random = seededRandom(seed ^ hash(worker));
    this.deviceIds = Array.from({ length: DEVICES_OF_A_WORKER }, (_, index) => `${worker}-d${index}`);
    this.#devices = this.deviceIds.map((deviceId) => ({
      deviceId,
      exists: false,
      enabled: true,
      modules: new Set(),
    }));
    for (const deviceId of this.deviceIds) {
      hub.device(deviceId).onMethod("note", (payload) => {
        const { id } = payload as { id: string };
        this.methodRuns.set(id, (this.methodRuns.get(id) ?? 0) + 1);
        return { status: 207, payload };
      });
    }
    // Each device in turn, so that all of them are there early.
    for (let n = 0; n < length; n++) this.steps.push(this.#next(this.#devices[n % this.#devices.length]!, n));
  }

  #next(device: Planned, n: number): FleetStep {
    if (!device.exists) return this.#create(device, n);
    const dice = this.#random();
    if (dice < 0.04) return this.#delete(device);
    if (dice < 0.14) return this.#update(device, n);
    if (dice < 0.18) return this.#conflict(device, n);
    // The hub does not show modules of a device that is disabled.
    if (dice < 0.32) return device.enabled ? this.#module(device, n) : this.#update(device, n);
    if (dice < 0.54) return this.#twin(device, n);
    if (dice < 0.66) return count(device.deviceId);
    if (dice < 0.74) return this.#bulk(n);
    if (dice < 0.80) return this.#query();
    return device.enabled ? this.#method(device.deviceId, n) : this.#update(device, n);
  }

  #create(device: Planned, n: number): FleetStep {
    const { deviceId } = device;
    Object.assign(device, { exists: true, enabled: true });
    const look = async (registry: IoTHubRegistryManager): Promise<unknown> => {
      const found = await registry.getDevice(deviceId).catch(unlessNotFound);
      return found && deviceFacts(found);
    };
    return choose<FleetStep>(this.#random, [
      {
        name: "createDeviceWithSas",
        run: async (registry) => deviceFacts(await registry.createDeviceWithSas(deviceId, keys(deviceId, n))),
        look,
      },
      {
        name: "createDeviceWithSas, the hub makes the keys",
        run: async (registry) => deviceFacts(await registry.createDeviceWithSas(deviceId)),
        look,
      },
      {
        name: "createDeviceWithX509",
        run: async (registry) => deviceFacts(await registry.createDeviceWithX509(deviceId, thumbprint(n))),
        look,
      },
    ]);
  }

  #delete(device: Planned): FleetStep {
    const { deviceId } = device;
    device.exists = false;
    device.modules.clear();
    const withEtag = this.#random() < 0.5;
    return {
      name: "deleteDevice",
      async run(registry) {
        const etag = withEtag ? (await registry.getDevice(deviceId)).etag : undefined;
        await registry.deleteDevice(deviceId, { etag });
      },
    };
  }

  #update(device: Planned, n: number): FleetStep {
    const { deviceId } = device;
    device.enabled = this.#random() < 0.8;
    const fields = { status: device.enabled ? "enabled" : "disabled", statusReason: `step ${n}` } as const;
    const withEtag = this.#random() < 0.5;
    return {
      name: "updateDeviceWithSas",
      async run(registry) {
        const etag = withEtag ? (await registry.getDevice(deviceId)).etag : undefined;
        return deviceFacts(await registry.updateDeviceWithSas(deviceId, { ...fields, ...keys(deviceId, n), etag }));
      },
    };
  }

  /** Creates what is there already, with keys of its own: refused, faults or not. */
  #conflict({ deviceId }: Planned, n: number): FleetStep {
    return {
      name: "createDeviceWithSas, of an id that is taken",
      run: (registry) => refusalOf(registry.createDeviceWithSas(deviceId, keys(`${deviceId} again`, n)), 409),
      look: () => Promise.resolve(undefined),
    };
  }

  #module(device: Planned, n: number): FleetStep {
    const { deviceId, modules } = device;
    const moduleId = choose(this.#random, ["m1", "m2"]);
    if (!modules.has(moduleId)) {
      modules.add(moduleId);
      return {
        name: "createModuleWithSas",
        run: async (registry) => moduleFacts(await registry.createModuleWithSas(deviceId, moduleId, keys(moduleId, n))),
        async look(registry) {
          const found = await registry.getModule(deviceId, moduleId).catch(unlessNotFound);
          return found && moduleFacts(found);
        },
      };
    }
    const desired = { [choose(this.#random, ["a", "b"])]: n };
    const dice = this.#random();
    if (dice < 0.2) {
      modules.delete(moduleId);
      return { name: "deleteModule", run: (registry) => registry.deleteModule(deviceId, moduleId) };
    }
    if (dice < 0.5) {
      return {
        name: "updateModuleWithCertificateAuthority",
        async run(registry) {
          const { etag } = await registry.getModule(deviceId, moduleId);
          const fields = { managedBy: `step ${n}`, etag };
          return moduleFacts(await registry.updateModuleWithCertificateAuthority(deviceId, moduleId, fields));
        },
      };
    }
    return {
      name: dice < 0.75 ? "updateModuleTwin" : "replaceModuleTwin",
      async run(registry) {
        const { etag } = await registry.getModuleTwin(deviceId, moduleId);
        const write = (dice < 0.75 ? registry.updateModuleTwin : registry.replaceModuleTwin).bind(registry);
        return twinFacts(await write(deviceId, moduleId, { properties: { desired } }, { etag }));
      },
    };
  }

  #twin({ deviceId }: Planned, n: number): FleetStep {
    const worker = this.#worker;
    const value = this.#random() < 0.2 ? null : { n, list: [n, { deep: true }] };
    const patch = { tags: { worker, last: n }, properties: { desired: { [choose(this.#random, ["x", "y"])]: value } } };
    const replacement = { tags: { worker, last: n }, properties: { desired: { only: n } } };
    const withEtag = this.#random() < 0.6;
    const etagOf = async (registry: IoTHubRegistryManager): Promise<string | undefined> =>
      withEtag ? (await registry.getTwin(deviceId)).etag : undefined;
    return choose<FleetStep>(this.#random, [
      {
        name: "updateTwin",
        run: async (registry) =>
          twinFacts(await registry.updateTwin(deviceId, patch, { etag: await etagOf(registry) })),
      },
      {
        name: "replaceTwin",
        run: async (registry) =>
          twinFacts(await registry.replaceTwin(deviceId, replacement, { etag: await etagOf(registry) })),
      },
      {
        name: "updateTwin, with the etag of the twin before",
        async run(registry) {
          const { etag } = await registry.getTwin(deviceId);
          await registry.updateTwin(deviceId, patch, { etag });
          return await refusalOf(registry.updateTwin(deviceId, { tags: { last: -1 } }, { etag }), 412);
        },
      },
    ]);
  }

  #bulk(n: number): FleetStep {
    const ids = this.#devices.filter(({ exists }) => exists).map(({ deviceId }) => deviceId);
    const devices = ids.map((id) => ({ id, importMode: "updateTwin" as const, tags: { round: n } }));
    return {
      name: "bulkCreateOrUpdateDevices",
      run: (registry) => registry.bulkCreateOrUpdateDevices(devices),
      async look(registry) {
        const twins = await Promise.all(ids.map((id) => registry.getTwin(id)));
        const isDone = twins.every(({ tags }) => tags?.["round"] === n);
        return isDone ? { isSuccessful: true, errors: [], warnings: [] } : undefined;
      },
    };
  }

  #query(): FleetStep {
    const text = `SELECT deviceId, tags.last FROM devices WHERE tags.worker = '${this.#worker}'`;
    return {
      name: "query",
      async run(registry) {
        const rows: unknown[] = [];
        for await (const row of registry.query<unknown>(text, { maxItemCount: 1 })) rows.push(row);
        return rows;
      },
    };
  }

  #method(deviceId: string, n: number): FleetStep {
    const payload = { id: `${deviceId} ${n}` };
    const answer = { status: 207, payload };
    return {
      name: "invokeDeviceMethod",
      run: (registry) => registry.invokeDeviceMethod(deviceId, { methodName: "note", payload }),
      look: () => Promise.resolve(this.methodRuns.has(payload.id) ? answer : undefined),
    };
  }
}

function count(deviceId: string): FleetStep {
  return {
    name: "modifyTwin",
    run: async (registry) =>
      twinFacts(
        await registry.modifyTwin(deviceId, ({ tags }) => ({ tags: { count: Number(tags?.["count"] ?? 0) + 1 } })),
      ),
  };
}

function keys(seed: string, n: number): { primaryKey: string; secondaryKey: string } {
  return { primaryKey: btoa(`${seed} ${n}`.padEnd(32, "1")), secondaryKey: btoa(`${seed} ${n}`.padEnd(32, "2")) };
}

function thumbprint(n: number): { primaryThumbprint: string } {
  return { primaryThumbprint: n.toString(16).toUpperCase().padStart(40, "0") };
}

/** The status with which a call is refused; every other failure passes through. */
async function refusalOf(call: Promise<unknown>, status: number): Promise<string> {
  try {
    await call;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === status) return `refused with ${status}`;
    throw error;
  }
  return "not refused";
}

function unlessNotFound(error: unknown): undefined {
  if ((error as { statusCode?: number }).statusCode !== 404) throw error;
}
