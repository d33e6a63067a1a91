import { deleteDevices, registerDevices } from "../../lib/fleet/mod.ts";
import { type ExportImportDevice, IoTHubError } from "../../mod.ts";
import { forEachLimited } from "./concurrency.ts";
import { generations } from "./family_tree.ts";
import type { FleetDevice } from "./fleet_file.ts";
import { type Failure, noteFailure, PARALLEL_CALLS, type Run } from "./run.ts";

/** Registers a fleet, and removes what it has registered: nothing else. */
export class Registration {
  /** The devices that this run has created. */
  readonly created: Map<string, FleetDevice> = new Map();
  /** The ids that were on the hub before. */
  readonly alreadyThere: string[] = [];
  readonly #run: Run;
  /** What may have been created: the request may have failed after the hub had done its work. */
  readonly #unknown = new Set<string>();
  /** The scopes of the gateways, which their children are registered with. */
  readonly #scopes = new Map<string, string>();

  constructor(run: Run) {
    this.#run = run;
  }

  /** Registers the devices, gateways before the devices behind them. */
  async create(devices: readonly FleetDevice[]): Promise<void> {
    const parents = new Set(devices.map((device) => device.parent));
    await this.#run.steps.run("Register in bulk", devices.length, async (advance) => {
      for (const generation of generations(devices)) {
        await this.#createGeneration(generation, advance);
        await this.#readScopes(generation.filter(({ deviceId }) => parents.has(deviceId) && this.#isThere(deviceId)));
      }
    });
  }

  #isThere(deviceId: string): boolean {
    return this.created.has(deviceId) || this.alreadyThere.includes(deviceId);
  }

  async #createGeneration(devices: readonly FleetDevice[], advance: (count: number) => void): Promise<void> {
    const { registry, options: { abortSignal }, failures } = this.#run;
    const ready = devices.filter((device) => device.parent === undefined || this.#scopes.has(device.parent));
    for (const { deviceId, parent } of devices) {
      if (parent === undefined || this.#scopes.has(parent)) continue;
      failures.push({ deviceId, reason: `its gateway ${parent} is not there` });
      advance(1);
    }
    const byId = new Map(ready.map((device) => [device.deviceId, device]));
    const elements = ready.map((device) => this.#element(device));
    for await (const { deviceId, status, error } of registerDevices(registry, elements, { abortSignal })) {
      advance(1);
      if (status === "done") this.created.set(deviceId, byId.get(deviceId)!);
      else if (status === "unknown") this.#unknown.add(deviceId);
      else if (error?.code === "DeviceAlreadyExists") this.alreadyThere.push(deviceId);
      else failures.push({ deviceId, reason: `${error!.code}: ${error!.message}` });
    }
  }

  #element(device: FleetDevice): ExportImportDevice {
    const { deviceId, parent, iotEdge, status, statusReason, primaryThumbprint, secondaryThumbprint } = device;
    const scope = parent === undefined ? undefined : this.#scopes.get(parent);
    const authentication = {
      sas: { type: "sas" },
      x509: { type: "selfSigned", x509Thumbprint: { primaryThumbprint, secondaryThumbprint } },
      ca: { type: "certificateAuthority" },
    } as const;
    return {
      id: deviceId,
      importMode: "create",
      status,
      statusReason,
      authentication: authentication[device.authentication],
      capabilities: { iotEdge },
      // A gateway's own scope is the hub's to make; any other device has that of its gateway.
      ...(scope !== undefined && (iotEdge ? { parentScopes: [scope] } : { deviceScope: scope })),
      tags: { demoRun: this.#run.runId },
    };
  }

  async #readScopes(gateways: readonly FleetDevice[]): Promise<void> {
    const { registry, options } = this.#run;
    await forEachLimited(gateways, PARALLEL_CALLS, async ({ deviceId }) => {
      try {
        const { deviceScope, capabilities } = await registry.getDevice(deviceId, options);
        if (capabilities.iotEdge && deviceScope) this.#scopes.set(deviceId, deviceScope);
      } catch (error) {
        noteFailure(this.#run, deviceId, error);
      }
    });
  }

  async #isOurs(deviceId: string): Promise<boolean> {
    try {
      const { tags } = await this.#run.registry.getTwin(deviceId);
      return tags?.["demoRun"] === this.#run.runId;
    } catch (error) {
      if (error instanceof IoTHubError && error.code === "DeviceNotFound") return false;
      throw error;
    }
  }

  /**
   * Deletes what this run has created. It cannot be aborted.
   *
   * @returns how many are gone, and those that are still there, or may be
   */
  async remove(): Promise<{ removed: number; left: Failure[] }> {
    const left: Failure[] = [];
    let removed = 0;
    await this.#run.steps.run("Remove in bulk", this.created.size + this.#unknown.size, async (advance) => {
      const rest = new Set(await this.#own(left));
      // Children before their gateways.
      const ids = [...rest].reverse();
      try {
        const limits = { maxConcurrentRequests: 1 };
        for await (const { deviceId, status, error } of deleteDevices(this.#run.registry, ids, { limits })) {
          advance(1);
          rest.delete(deviceId);
          if (status === "done" || error?.code === "DeviceNotFound") removed++;
          else left.push({ deviceId, reason: error?.message ?? "it may still be there" });
        }
      } catch (error) {
        for (const deviceId of rest) left.push({ deviceId, reason: String(error) });
      }
    });
    return { removed, left };
  }

  /**
   * The ids of the devices to remove. Keys that this run has made tell that it has created a device; another one could have
   * been there with the same certificate when an answer was lost, and is looked at again.
   */
  async #own(left: Failure[]): Promise<string[]> {
    const foreign = new Set<string>();
    const ids = [...this.created.keys(), ...this.#unknown];
    const doubtful = ids.filter((deviceId) => this.created.get(deviceId)?.authentication !== "sas");
    await forEachLimited(doubtful, PARALLEL_CALLS, async (deviceId) => {
      try {
        if (await this.#isOurs(deviceId)) return;
      } catch (error) {
        left.push({ deviceId, reason: `it may have been created, and that cannot be found out: ${error}` });
      }
      foreign.add(deviceId);
    });
    return ids.filter((deviceId) => !foreign.has(deviceId));
  }
}
