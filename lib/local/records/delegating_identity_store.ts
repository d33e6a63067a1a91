import type { AnyRecord, DeviceRecord, ModuleRecord } from "./identity_records.ts";
import type {
  DeviceChange,
  IdentityStore,
  ModuleChange,
  NewDevice,
  NewModule,
  OrderedRecords,
} from "./identity_store.ts";

/** Passes everything on to a store. Stores that do more with some of it extend this one. */
export class DelegatingIdentityStore implements IdentityStore {
  readonly devices: OrderedRecords<DeviceRecord>;
  readonly modules: OrderedRecords<ModuleRecord>;
  readonly #store: IdentityStore;

  constructor(store: IdentityStore) {
    this.#store = store;
    this.devices = store.devices;
    this.modules = store.modules;
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
    return this.#store.addDevice(device);
  }

  addModule(device: DeviceRecord, module: NewModule): ModuleRecord {
    return this.#store.addModule(device, module);
  }

  update(record: AnyRecord, change: DeviceChange | ModuleChange): void {
    this.#store.update(record, change);
  }

  remove(record: AnyRecord): void {
    this.#store.remove(record);
  }

  clear(): void {
    this.#store.clear();
  }

  together<T>(work: () => T): T {
    return this.#store.together(work);
  }
}
