import { deviceNotFound, moduleNotFound } from "../hub_fault.ts";
import { type AnyRecord, type DeviceRecord, identityKey, type ModuleRecord } from "./identity_records.ts";
import type { IdentityStore } from "./identity_store.ts";

/** The identity that a call names: a device, or a module where there is a module id. */
export interface IdentityTarget {
  readonly deviceId: string;
  readonly moduleId?: string | undefined;
}

/** Which identities a call finds, and which error it reports for a missing module. */
export interface FindRule {
  /**
   * Whether the call finds disabled devices and their modules. As on the real hub, their identities and twins can be
   * read and written, but they get neither messages nor direct methods.
   */
  readonly includeDisabled: boolean;
  /** The code for a module that does not exist. Calls for twins report it as a missing device. */
  readonly missingModule: "ModuleNotFound" | "DeviceNotFound";
}

/** Whether a record is still in the store, and not one that was removed. */
export function isPresent(store: IdentityStore, record: AnyRecord): boolean {
  return findIdentity(store, {
    deviceId: record.deviceId,
    moduleId: record.kind === "module" ? record.moduleId : undefined,
  }) === record;
}

/** Returns an identity, enabled or not; `undefined` when it does not exist. */
export function findIdentity(store: IdentityStore, { deviceId, moduleId }: IdentityTarget): AnyRecord | undefined {
  const device = store.device(deviceId);
  return moduleId === undefined ? device : device?.modules.get(moduleId);
}

/**
 * Returns an identity.
 *
 * @throws {HubFault} `DeviceNotFound` (404) when the device is not found, or the rule's code when the module is not.
 */
export function requireIdentity(store: IdentityStore, target: IdentityTarget, rule: FindRule): AnyRecord {
  const { deviceId, moduleId } = target;
  const device = store.device(deviceId);
  const isFound = device !== undefined && (rule.includeDisabled || device.status === "enabled");
  const record = isFound && moduleId !== undefined ? device.modules.get(moduleId) : device;
  if (isFound && record !== undefined) return record;
  if (rule.missingModule === "DeviceNotFound") throw deviceNotFound(identityKey(deviceId, moduleId));
  throw isFound ? moduleNotFound(deviceId, moduleId!) : deviceNotFound(deviceId);
}

/**
 * Returns a device, enabled or not.
 *
 * @throws {HubFault} `DeviceNotFound` (404) when it does not exist.
 */
export function requireDevice(store: IdentityStore, deviceId: string): DeviceRecord {
  const device = store.device(deviceId);
  if (device === undefined) throw deviceNotFound(deviceId);
  return device;
}

/**
 * Returns a module of a device.
 *
 * @throws {HubFault} `ModuleNotFound` (404) when it does not exist.
 */
export function requireModule(device: DeviceRecord, moduleId: string): ModuleRecord {
  const module = device.modules.get(moduleId);
  if (module === undefined) throw moduleNotFound(device.deviceId, moduleId);
  return module;
}
