import type { AnyRecord, DeviceRecord, ModuleRecord } from "./identity_records.ts";
import type {
  DeviceChange,
  IdentityStore,
  ModuleChange,
  NewDevice,
  NewModule,
  OrderedRecords,
} from "./identity_store.ts";

/**
 * Passes everything on to a store, and tells a listener which records it should look at again: those that are new, whose
 * twin has changed, or that have begun or ceased to be edge devices.
 */
export class WatchedIdentityStore implements IdentityStore {
  readonly devices: OrderedRecords<DeviceRecord>;
  readonly modules: OrderedRecords<ModuleRecord>;
  readonly #store: IdentityStore;
  #listener: (record: AnyRecord) => void = () => {};

  constructor(store: IdentityStore) {
    this.#store = store;
    this.devices = store.devices;
    this.modules = store.modules;
  }

  /** Calls the listener after each such write. */
  onWrite(listener: (record: AnyRecord) => void): void {
    this.#listener = listener;
  }

  device(deviceId: string): DeviceRecord | undefined {
    return this.#store.device(deviceId);
  }

  gateway(scope: string): DeviceRecord | undefined {
    return this.#store.gateway(scope);
  }

  newGenerationId(now: number): string {
    return this.#store.newGenerationId(now);
  }

  addDevice(device: NewDevice): DeviceRecord {
    const added = this.#store.addDevice(device);
    this.#listener(added);
    return added;
  }

  addModule(device: DeviceRecord, module: NewModule): ModuleRecord {
    const added = this.#store.addModule(device, module);
    this.#listener(added);
    return added;
  }

  update(record: AnyRecord, change: DeviceChange | ModuleChange): void {
    this.#store.update(record, change);
    if ("twin" in change || "ownScope" in change) this.#listener(record);
  }

  remove(record: AnyRecord): void {
    this.#store.remove(record);
  }
}
