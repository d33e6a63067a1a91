import type { HubStorage, Keeper } from "../storage/hub_storage.ts";
import type { Table } from "../storage/table.ts";
import { DelegatingIdentityStore } from "./delegating_identity_store.ts";
import { isPresent } from "./find_identity.ts";
import { type AnyRecord, type DeviceRecord, identityKey, keyOf, type ModuleRecord } from "./identity_records.ts";
import type { DeviceChange, IdentityStore, ModuleChange, NewDevice, NewModule } from "./identity_store.ts";
import {
  type IdentityRow,
  identityRow,
  readDevice,
  readModule,
  readTwin,
  type TwinRow,
  twinRow,
} from "./identity_rows.ts";

/**
 * Passes everything on to a store in memory, and keeps what it has. An identity and its twin are kept apart, as each is
 * often written without the other.
 */
export class KeptIdentityStore extends DelegatingIdentityStore implements Keeper {
  readonly #storage: HubStorage;
  readonly #now: () => number;
  readonly #loaded: () => void;
  readonly #devices: Table<DeviceRecord>;
  readonly #modules: Table<ModuleRecord>;
  readonly #twins: Table<AnyRecord>;

  /**
   * @param loaded Is called when everything that was kept is in the store.
   */
  constructor(store: IdentityStore, storage: HubStorage, now: () => number, loaded: () => void = () => {}) {
    super(store);
    this.#storage = storage;
    this.#now = now;
    this.#loaded = loaded;
    const [devices, modules] = [() => store.devices.after(0), () => store.modules.after(0)];
    this.#devices = storage.table<DeviceRecord>({ name: "devices", keyOf, valueOf: identityRow, items: devices });
    this.#modules = storage.table<ModuleRecord>({ name: "modules", keyOf, valueOf: identityRow, items: modules });
    this.#twins = storage.table<AnyRecord>({
      name: "twins",
      keyOf,
      valueOf: twinRow,
      items: () => [...devices(), ...modules()],
    });
  }

  override addDevice(device: NewDevice): DeviceRecord {
    const added = super.addDevice(device);
    this.#putBoth(added);
    return added;
  }

  override addModule(device: DeviceRecord, module: NewModule): ModuleRecord {
    const added = super.addModule(device, module);
    this.#putBoth(added);
    return added;
  }

  override update(record: AnyRecord, change: DeviceChange | ModuleChange): void {
    const children = record.kind === "device" && "ownScope" in change ? [...record.children] : [];
    super.update(record, change);
    if (!isPresent(this, record)) return;
    const { twin, ...identity } = change;
    this.together(() => {
      if (Object.keys(identity).length > 0) this.#put(record);
      if (twin !== undefined) this.#twins.put(record);
      for (const child of children) this.#put(child);
    });
  }

  override remove(record: AnyRecord): void {
    const [modules, children] = record.kind === "device"
      ? [[...record.modules.values()], [...record.children]]
      : [[], []];
    super.remove(record);
    this.together(() => {
      for (const removed of [record, ...modules]) {
        if (removed.kind === "device") this.#devices.delete(removed);
        else this.#modules.delete(removed);
        this.#twins.delete(removed);
      }
      for (const child of children) this.#put(child);
    });
  }

  override together<T>(work: () => T): T {
    return this.#storage.together(work);
  }

  load(): void {
    const twins = new Map(Array.from(this.#twins.read(), ({ key, value }) => [key, value as TwinRow]));
    const parents: [device: DeviceRecord, parentId: string][] = [];
    for (const { value } of this.#devices.read()) {
      const row = value as IdentityRow<DeviceRecord>;
      const device = super.addDevice(readDevice(row, readTwin(twins.get(row.deviceId)!)));
      if (row.parentId !== undefined) parents.push([device, row.parentId]);
    }
    for (const [device, parentId] of parents) super.update(device, { parent: this.device(parentId)! });
    for (const { value } of this.#modules.read()) {
      const row = value as IdentityRow<ModuleRecord>;
      const twin = readTwin(twins.get(identityKey(row.deviceId, row.moduleId))!);
      super.addModule(this.device(row.deviceId)!, readModule(row, twin));
    }
    for (const record of [...this.devices.after(0), ...this.modules.after(0)]) {
      // Whoever was connected is so no longer.
      if (record.connected) this.update(record, { connected: false, connectionStateUpdatedTime: this.#now() });
    }
    this.#loaded();
  }

  #putBoth(record: AnyRecord): void {
    this.together(() => {
      this.#put(record);
      this.#twins.put(record);
    });
  }

  #put(record: AnyRecord): void {
    if (record.kind === "device") this.#devices.put(record);
    else this.#modules.put(record);
  }
}
