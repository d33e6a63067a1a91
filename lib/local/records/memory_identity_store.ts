import { ticksAt } from "../hub_time.ts";
import { CreationOrder } from "./creation_order.ts";
import type { AnyRecord, DeviceRecord, ModuleRecord } from "./identity_records.ts";
import type { DeviceChange, IdentityStore, ModuleChange, NewDevice, NewModule } from "./identity_store.ts";

// Most devices have neither modules nor children, and share these. Two of their own would be a third of such a device.
const NO_MODULES: ReadonlyMap<string, ModuleRecord> = new Map();
const NO_CHILDREN: ReadonlySet<DeviceRecord> = new Set();

/** Holds the identities of a hub in memory. */
export class MemoryIdentityStore implements IdentityStore {
  readonly devices: CreationOrder<DeviceRecord> = new CreationOrder();
  readonly modules: CreationOrder<ModuleRecord> = new CreationOrder();
  readonly #devices = new Map<string, DeviceRecord>();
  readonly #gateways = new Map<string, DeviceRecord>();
  #lastTicks = 0n;

  device(deviceId: string): DeviceRecord | undefined {
    return this.#devices.get(deviceId);
  }

  gateway(scope: string): DeviceRecord | undefined {
    return this.#gateways.get(scope);
  }

  newGenerationId(now: number): string {
    const ticks = ticksAt(now);
    // Identities created in the same millisecond, or after the clock was set back, must differ as well.
    this.#lastTicks = ticks > this.#lastTicks ? ticks : this.#lastTicks + 1n;
    return String(this.#lastTicks);
  }

  addDevice(device: NewDevice): DeviceRecord {
    const sequence = this.#sequenceOf(this.devices, device);
    const stored: DeviceRecord = { kind: "device", ...device, sequence, modules: NO_MODULES, children: NO_CHILDREN };
    this.#devices.set(stored.deviceId, stored);
    this.devices.add(stored);
    if (stored.ownScope !== undefined) this.#gateways.set(stored.ownScope, stored);
    if (stored.parent !== undefined) childrenOf(stored.parent).add(stored);
    return stored;
  }

  addModule(device: DeviceRecord, module: NewModule): ModuleRecord {
    const sequence = this.#sequenceOf(this.modules, module);
    const stored: ModuleRecord = { kind: "module", ...module, deviceId: device.deviceId, device, sequence };
    modulesOf(device).set(stored.moduleId, stored);
    this.modules.add(stored);
    return stored;
  }

  update(record: AnyRecord, change: DeviceChange | ModuleChange): void {
    // A device that was removed has no place among the others any more.
    if (record.kind === "device" && this.#devices.get(record.deviceId) === record) {
      if ("ownScope" in change) this.#moveScope(record, change.ownScope);
      if ("parent" in change) moveToParent(record, change.parent);
    }
    Object.assign(record, change);
  }

  remove(record: AnyRecord): void {
    if (record.kind === "module") {
      modulesOf(record.device).delete(record.moduleId);
      this.modules.remove(record);
      return;
    }
    this.update(record, { parent: undefined, ownScope: undefined });
    for (const module of [...record.modules.values()]) this.remove(module);
    this.#devices.delete(record.deviceId);
    this.devices.remove(record);
  }

  together<T>(work: () => T): T {
    return work();
  }

  clear(): void {
    this.devices.clear();
    this.modules.clear();
    this.#devices.clear();
    this.#gateways.clear();
    this.#lastTicks = 0n;
  }

  /** What is read again keeps its number, and its generation id is not given to another. */
  #sequenceOf<T extends AnyRecord>(
    records: CreationOrder<T>,
    { sequence, generationId }: NewDevice | NewModule,
  ): number {
    if (sequence !== undefined && BigInt(generationId) > this.#lastTicks) this.#lastTicks = BigInt(generationId);
    return records.nextSequence(sequence);
  }

  #moveScope(device: DeviceRecord, scope: string | undefined): void {
    if (device.ownScope === scope) return;
    if (device.ownScope !== undefined) this.#gateways.delete(device.ownScope);
    if (scope !== undefined) this.#gateways.set(scope, device);
    else for (const child of [...device.children]) this.update(child, { parent: undefined });
  }
}

function moveToParent(device: DeviceRecord, parent: DeviceRecord | undefined): void {
  if (device.parent !== undefined) childrenOf(device.parent).delete(device);
  if (parent !== undefined) childrenOf(parent).add(device);
}

/** The modules of a device, as only the store may write them. */
function modulesOf(device: DeviceRecord): Map<string, ModuleRecord> {
  if (device.modules === NO_MODULES) Object.assign(device, { modules: new Map() });
  return device.modules as Map<string, ModuleRecord>;
}

/** The children of a device, as only the store may write them. */
function childrenOf(device: DeviceRecord): Set<DeviceRecord> {
  if (device.children === NO_CHILDREN) Object.assign(device, { children: new Set() });
  return device.children as Set<DeviceRecord>;
}
