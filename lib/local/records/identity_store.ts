import type { AnyRecord, DeviceRecord, IdentityRecord, ModuleRecord } from "./identity_records.ts";

/** What a write may change of any identity. */
type IdentityChange = Partial<
  Pick<
    IdentityRecord,
    "authentication" | "connected" | "connectionStateUpdatedTime" | "etagCounter" | "lastActivityTime" | "twin"
  >
>;

/** What a write may change of a device. */
export type DeviceChange =
  & IdentityChange
  & Partial<Pick<DeviceRecord, "ownScope" | "parent" | "status" | "statusReason" | "statusUpdatedTime">>;

/** What a write may change of a module. */
export type ModuleChange = IdentityChange & Partial<Pick<ModuleRecord, "managedBy">>;

/** A device to be added. */
export type NewDevice = Omit<DeviceRecord, "kind" | "sequence" | "modules" | "children">;

/** A module to be added. */
export type NewModule = Omit<ModuleRecord, "kind" | "sequence" | "deviceId" | "device">;

/** Records in the order of their creation. */
export interface OrderedRecords<T> {
  /** How many records there are. */
  readonly size: number;
  /** The records created after the one with this sequence number, the oldest first. */
  after(sequence: number): Iterable<T>;
}

/**
 * Every identity of the hub with its twin. The store knows which records there are, and no rules.
 *
 * Every write goes through it. A record that it has handed out stays current: it shows what has been written since.
 */
export interface IdentityStore {
  /** All devices. */
  readonly devices: OrderedRecords<DeviceRecord>;
  /** All modules of all devices. */
  readonly modules: OrderedRecords<ModuleRecord>;

  /** The device with an id. */
  device(deviceId: string): DeviceRecord | undefined;

  /** The edge device that offers a scope. */
  gateway(scope: string): DeviceRecord | undefined;

  /** A generation id that no other identity has. */
  newGenerationId(now: number): string;

  addDevice(device: NewDevice): DeviceRecord;

  addModule(device: DeviceRecord, module: NewModule): ModuleRecord;

  /**
   * Writes the members of a record that the change names, all or none. A device that loses the scope it offers loses its
   * children, too.
   */
  update(device: DeviceRecord, change: DeviceChange): void;
  update(module: ModuleRecord, change: ModuleChange): void;
  update(record: AnyRecord, change: IdentityChange): void;

  /** Removes a module, or a device with its modules; the children of the device have no parent any more. */
  remove(record: AnyRecord): void;
}
