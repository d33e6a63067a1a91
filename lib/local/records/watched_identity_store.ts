import { DelegatingIdentityStore } from "./delegating_identity_store.ts";
import type { AnyRecord, DeviceRecord, ModuleRecord } from "./identity_records.ts";
import type { DeviceChange, ModuleChange, NewDevice, NewModule } from "./identity_store.ts";

/**
 * Passes everything on to a store, and tells a listener which records it should look at again: those that are new, whose
 * twin has changed, or that have begun or ceased to be edge devices. Others are told of other credentials, and of
 * identities that come and go.
 */
export class WatchedIdentityStore extends DelegatingIdentityStore {
  #listener: (record: AnyRecord) => void = () => {};
  #credentialsListener: (record: AnyRecord) => void = () => {};
  #addListener: (record: AnyRecord) => void = () => {};
  #removeListener: (record: AnyRecord) => void = () => {};

  /** Calls the listener after each such write. */
  onWrite(listener: (record: AnyRecord) => void): void {
    this.#listener = listener;
  }

  /** Calls the listener after each write that gives a record other credentials. */
  onCredentials(listener: (record: AnyRecord) => void): void {
    this.#credentialsListener = listener;
  }

  /** Calls the listener after each identity that was added. */
  onAdd(listener: (record: AnyRecord) => void): void {
    this.#addListener = listener;
  }

  /** Calls the listener after each identity that was removed, a device without its modules. */
  onRemove(listener: (record: AnyRecord) => void): void {
    this.#removeListener = listener;
  }

  override addDevice(device: NewDevice): DeviceRecord {
    const added = super.addDevice(device);
    this.#addListener(added);
    this.#listener(added);
    return added;
  }

  override addModule(device: DeviceRecord, module: NewModule): ModuleRecord {
    const added = super.addModule(device, module);
    this.#addListener(added);
    this.#listener(added);
    return added;
  }

  override update(record: AnyRecord, change: DeviceChange | ModuleChange): void {
    super.update(record, change);
    if ("twin" in change || "ownScope" in change) this.#listener(record);
    if ("authentication" in change) this.#credentialsListener(record);
  }

  override remove(record: AnyRecord): void {
    super.remove(record);
    this.#removeListener(record);
  }
}
