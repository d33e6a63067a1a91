import { type DeviceRegistryOperationError, type ExportImportDevice, IoTHubError } from "../../mod.ts";
import { chunks, forEachLimited } from "./concurrency.ts";
import { generations } from "./family_tree.ts";
import type { FleetDevice } from "./fleet_file.ts";
import { type Failure, noteFailure, PARALLEL_CALLS, type Run } from "./run.ts";

/** The hub takes no more in one request. */
export const BULK_SIZE = 100;

/** Registers a fleet, and removes what it has registered: nothing else. */
export class Registration {
  /** The devices that this run has created. */
  readonly created: Map<string, FleetDevice> = new Map();
  /** The ids that were on the hub before. */
  readonly alreadyThere: string[] = [];
  readonly #run: Run;
  /** Requested, and not known to be created: the request may have failed after the hub had done its work. */
  readonly #unsettled = new Set<string>();
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
        for (const batch of chunks(generation, BULK_SIZE)) {
          await this.#createBatch(batch);
          advance(batch.length);
        }
        await this.#readScopes(generation.filter(({ deviceId }) => parents.has(deviceId) && this.#isThere(deviceId)));
      }
    });
  }

  #isThere(deviceId: string): boolean {
    return this.created.has(deviceId) || this.alreadyThere.includes(deviceId);
  }

  async #createBatch(batch: readonly FleetDevice[]): Promise<void> {
    const { registry, options, failures } = this.#run;
    const ready = batch.filter((device) => device.parent === undefined || this.#scopes.has(device.parent));
    for (const { deviceId, parent } of batch) {
      if (parent !== undefined && !this.#scopes.has(parent)) {
        failures.push({ deviceId, reason: `its gateway ${parent} is not there` });
      }
    }
    if (ready.length === 0) return;
    for (const { deviceId } of ready) this.#unsettled.add(deviceId);
    const result = await registry.bulkCreateOrUpdateDevices(ready.map((device) => this.#element(device)), options);
    const errors = new Map(result.errors.map((error) => [error.deviceId, error]));
    await forEachLimited(ready, PARALLEL_CALLS, (device) => this.#settle(device, errors.get(device.deviceId)));
  }

  async #settle(device: FleetDevice, error: DeviceRegistryOperationError | undefined): Promise<void> {
    const { deviceId } = device;
    // Where a request was repeated after a lost answer, "already there" means this very run.
    if (error === undefined || (isAlreadyThere(error) && await this.#isOurs(deviceId))) {
      this.created.set(deviceId, device);
    } else if (isAlreadyThere(error)) {
      this.alreadyThere.push(deviceId);
    } else {
      this.#run.failures.push({ deviceId, reason: errorText(error) });
    }
    this.#unsettled.delete(deviceId);
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
    await this.#run.steps.run("Remove in bulk", this.created.size + this.#unsettled.size, async (advance) => {
      const ids = [...this.created.keys()];
      for (const deviceId of this.#unsettled) {
        try {
          if (await this.#isOurs(deviceId)) ids.push(deviceId);
        } catch (error) {
          left.push({ deviceId, reason: `it may have been created, and that cannot be found out: ${error}` });
        }
      }
      // Children before their gateways.
      for (const batch of chunks(ids.reverse(), BULK_SIZE)) {
        const failures = await this.#removeBatch(batch);
        left.push(...failures);
        removed += batch.length - failures.length;
        advance(batch.length);
      }
    });
    return { removed, left };
  }

  async #removeBatch(ids: readonly string[]): Promise<Failure[]> {
    try {
      const result = await this.#run.registry.bulkCreateOrUpdateDevices(
        ids.map((id) => ({ id, importMode: "delete" })),
      );
      return result.errors
        .filter((error) => error.errorCode !== "DeviceNotFound")
        .map((error) => ({ deviceId: error.deviceId, reason: errorText(error) }));
    } catch (error) {
      return ids.map((deviceId) => ({ deviceId, reason: String(error) }));
    }
  }
}

function isAlreadyThere({ errorCode }: DeviceRegistryOperationError): boolean {
  return errorCode === "DeviceAlreadyExists";
}

/** What the hub says about one element of a bulk request. */
export function errorText({ errorCode, errorStatus }: DeviceRegistryOperationError): string {
  return [errorCode, errorStatus].filter(Boolean).join(": ");
}
