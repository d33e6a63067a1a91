import type { Device, Module } from "../../../gen/index.ts";
import { hubTime, NEVER_AT_CREATION } from "../hub_time.ts";
import { type DeviceRecord, identityEtag, type ModuleRecord } from "../records/identity_records.ts";

/** Returns the members of a document that place a device in the hierarchy of gateways. */
export function scopesOf(device: DeviceRecord): Pick<Device, "deviceScope" | "parentScopes"> {
  const parentScope = device.parent?.ownScope;
  const parentScopes = parentScope === undefined ? [] : [parentScope];
  if (device.ownScope !== undefined) return { deviceScope: device.ownScope, parentScopes };
  return parentScope === undefined ? {} : { deviceScope: parentScope, parentScopes };
}

/** Returns the document of a device, as the hub answers reads and replaces. */
export function deviceDocument(device: DeviceRecord, messageCount: number): Device {
  return {
    deviceId: device.deviceId,
    generationId: device.generationId,
    etag: identityEtag(device),
    connectionState: device.connected ? "Connected" : "Disconnected",
    status: device.status,
    statusReason: device.statusReason,
    connectionStateUpdatedTime: hubTime(device.connectionStateUpdatedTime),
    statusUpdatedTime: hubTime(device.statusUpdatedTime),
    lastActivityTime: hubTime(device.lastActivityTime),
    cloudToDeviceMessageCount: messageCount,
    authentication: device.authentication,
    capabilities: { iotEdge: device.ownScope !== undefined },
    ...scopesOf(device),
  };
}

/**
 * Returns the document of a device that was just created: "never" has no zone, and `parentScopes` is always present.
 */
export function createdDeviceDocument(device: DeviceRecord, messageCount: number): Device {
  return {
    ...withParentScopes(deviceDocument(device, messageCount)),
    connectionStateUpdatedTime: NEVER_AT_CREATION,
    statusUpdatedTime: NEVER_AT_CREATION,
    lastActivityTime: NEVER_AT_CREATION,
  };
}

/** Returns a document with `parentScopes`, which reads leave out where there is no parent. */
export function withParentScopes(document: Device): Device {
  return { ...document, parentScopes: document.parentScopes ?? [] };
}

/** Returns the document of a module, as the hub answers reads and replaces. */
export function moduleDocument(module: ModuleRecord, messageCount: number): Module {
  return {
    moduleId: module.moduleId,
    managedBy: module.managedBy,
    deviceId: module.deviceId,
    generationId: module.generationId,
    etag: identityEtag(module),
    connectionState: module.connected ? "Connected" : "Disconnected",
    connectionStateUpdatedTime: hubTime(module.connectionStateUpdatedTime),
    lastActivityTime: hubTime(module.lastActivityTime),
    cloudToDeviceMessageCount: messageCount,
    authentication: module.authentication,
  };
}

/** Returns the document of a module that was just created: "never" has no zone. */
export function createdModuleDocument(module: ModuleRecord, messageCount: number): Module {
  return {
    ...moduleDocument(module, messageCount),
    connectionStateUpdatedTime: NEVER_AT_CREATION,
    lastActivityTime: NEVER_AT_CREATION,
  };
}
