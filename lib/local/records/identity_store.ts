import type { AnyRecord, DeviceRecord, IdentityRecord, ModuleRecord } from "./identity_records.ts";

/** The members that a write may change in any identity. */
type IdentityChange = Partial<
  Pick<
    IdentityRecord,
    | "authentication"
    | "connected"
    | "connectionStateUpdatedTime"
    | "etagCounter"
    | "lastActivityTime"
    | "modelId"
    | "twin"
  >
>;

/** The members that a write may change in a device. */
export type DeviceChange =
  & IdentityChange
  & Partial<Pick<DeviceRecord, "ownScope" | "parent" | "status" | "statusReason" | "statusUpdatedTime">>;

/** The members that a write may change in a module. */
export type ModuleChange = IdentityChange & Partial<Pick<ModuleRecord, "managedBy">>;

/** A device to add; the store supplies the rest. Only one that is read again has its sequence number. */
export type NewDevice =
  & Omit<DeviceRecord, "kind" | "sequence" | "modules" | "children">
  & Partial<Pick<DeviceRecord, "sequence">>;

/** A module to add, likewise. */
export type NewModule =
  & Omit<ModuleRecord, "kind" | "sequence" | "deviceId" | "device">
  & Partial<Pick<ModuleRecord, "sequence">>;

/** Records in the order of their creation. */
export interface OrderedRecords<T> {
  /** The number of records. */
  readonly size: number;
  /** Returns the records with a higher sequence number, the oldest first. */
  after(sequence: number): Iterable<T>;
}

/**
 * Holds every identity of the hub, with its twin. It knows no rules, only records.
 *
 * Every write goes through the store, so that a database can take its place. A record that the store has returned stays
 * current: it shows later writes, too.
 */
export interface IdentityStore {
  /** All devices. */
  readonly devices: OrderedRecords<DeviceRecord>;
  /** All modules of all devices. */
  readonly modules: OrderedRecords<ModuleRecord>;

  /** Returns a device; `undefined` when it does not exist. */
  device(deviceId: string): DeviceRecord | undefined;

  /** Returns the edge device that offers a scope; `undefined` when there is none. */
  gateway(scope: string): DeviceRecord | undefined;

  /** Returns a generation id that no other identity has. */
  newGenerationId(now: number): string;

  /** Adds a device. */
  addDevice(device: NewDevice): DeviceRecord;

  /** Adds a module to a device. */
  addModule(device: DeviceRecord, module: NewModule): ModuleRecord;

  /**
   * Writes the members that the change names, all or none. When a device stops offering a scope, its children lose
   * their parent. A record that was removed may still be written, since its device may be at work: that changes nothing
   * in the store.
   */
  update(device: DeviceRecord, change: DeviceChange): void;
  update(module: ModuleRecord, change: ModuleChange): void;
  update(record: AnyRecord, change: IdentityChange): void;

  /** Removes a module, or a device with its modules. The children of the device lose their parent. */
  remove(record: AnyRecord): void;

  /** Removes all devices and modules. */
  clear(): void;

  /** Does work that writes several records, or writes more than records, in one step. */
  together<T>(work: () => T): T;
}
