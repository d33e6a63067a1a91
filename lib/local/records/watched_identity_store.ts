import { DelegatingIdentityStore } from "./delegating_identity_store.ts";
import type { AnyRecord, DeviceRecord, ModuleRecord } from "./identity_records.ts";
import type { DeviceChange, ModuleChange, NewDevice, NewModule } from "./identity_store.ts";

/**
 * Passes everything on to a store, and tells a listener which records it should look at again: those that are new, whose
 * twin has changed, or that have begun or ceased to be edge devices. Another is told of other credentials.
 */
export class WatchedIdentityStore extends DelegatingIdentityStore {
  #listener: (record: AnyRecord) => void = () => {};
  #credentialsListener: (record: AnyRecord) => void = () => {};

  /** Calls the listener after each such write. */
  onWrite(listener: (record: AnyRecord) => void): void {
    this.#listener = listener;
  }

  /** Calls the listener after each write that gives a record other credentials. */
  onCredentials(listener: (record: AnyRecord) => void): void {
    this.#credentialsListener = listener;
  }

  override addDevice(device: NewDevice): DeviceRecord {
    const added = super.addDevice(device);
    this.#listener(added);
    return added;
  }

  override addModule(device: DeviceRecord, module: NewModule): ModuleRecord {
    const added = super.addModule(device, module);
    this.#listener(added);
    return added;
  }

  override update(record: AnyRecord, change: DeviceChange | ModuleChange): void {
    super.update(record, change);
    if ("twin" in change || "ownScope" in change) this.#listener(record);
    if ("authentication" in change) this.#credentialsListener(record);
  }
}
