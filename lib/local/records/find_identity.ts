import { deviceNotFound, moduleNotFound } from "../hub_fault.ts";
import { type AnyRecord, type DeviceRecord, identityKey, type ModuleRecord } from "./identity_records.ts";
import type { IdentityStore } from "./identity_store.ts";

/** The identity that a call names: a device, or a module where there is a module id. */
export interface IdentityTarget {
  readonly deviceId: string;
  readonly moduleId?: string | undefined;
}

/** Which identities a call finds, and how it reports one that it does not find. */
export interface FindRule {
  /**
   * Whether the call finds a disabled device and its modules. As on the real hub, their identities and twins can be read
   * and written, but no message and no method reaches them.
   */
  readonly includeDisabled: boolean;
  /** The code for a module that does not exist: calls for twins report it as a missing device. */
  readonly missingModule: "ModuleNotFound" | "DeviceNotFound";
}

/** Finds an identity, whether it is enabled or not. */
export function findIdentity(store: IdentityStore, { deviceId, moduleId }: IdentityTarget): AnyRecord | undefined {
  const device = store.device(deviceId);
  return moduleId === undefined ? device : device?.modules.get(moduleId);
}

/**
 * Finds an identity or fails.
 *
 * @throws 404 `DeviceNotFound`, or the rule's code for a module that is missing on a device that was found
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

/** Finds a device, enabled or not. @throws 404 `DeviceNotFound` */
export function requireDevice(store: IdentityStore, deviceId: string): DeviceRecord {
  const device = store.device(deviceId);
  if (device === undefined) throw deviceNotFound(deviceId);
  return device;
}

/** Finds a module of a device. @throws 404 `ModuleNotFound` */
export function requireModule(device: DeviceRecord, moduleId: string): ModuleRecord {
  const module = device.modules.get(moduleId);
  if (module === undefined) throw moduleNotFound(device.deviceId, moduleId);
  return module;
}
