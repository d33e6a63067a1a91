import { wrongArgumentType } from "../argument_faults.ts";
import { HubFault, invalidArgument } from "../hub_fault.ts";
import type { DeviceRecord } from "../records/identity_records.ts";
import { readOptionalString } from "./identity_rules.ts";
import type { IdentityStore } from "../records/identity_store.ts";
import type { JsonObject } from "../json.ts";

const MAX_CHILDREN = 100;
const MAX_LEVELS = 5;

/** The place of a device in the hierarchy of gateways: the scope it offers as an edge device, and its parent. */
export interface Placement {
  ownScope: string | undefined;
  parent: DeviceRecord | undefined;
}

/** Reads the placement of a new device. */
export function placeNewDevice(
  store: IdentityStore,
  body: JsonObject,
  device: { deviceId: string; generationId: string; iotEdge: boolean },
): Placement {
  if (device.iotEdge) {
    const ownScope = scopeOf(device.deviceId, device.generationId);
    return { ownScope, parent: findParent(store, readParentScope(body), undefined, 1) };
  }
  return { ownScope: undefined, parent: findParent(store, readOwnScope(body), undefined, 0) };
}

/** Reads the placement of a device that is replaced. */
export function placeExistingDevice(
  store: IdentityStore,
  body: JsonObject,
  device: DeviceRecord,
  iotEdge: boolean,
): Placement {
  const wasEdge = device.ownScope !== undefined;
  const scope = readOwnScope(body);
  if (wasEdge && iotEdge) {
    if (scope !== device.ownScope) {
      throw invalidArgument("Device scope is immutable: an update of an edge device must repeat its deviceScope");
    }
    const levels = levelsOfEdges(device);
    return { ownScope: device.ownScope, parent: findParent(store, readParentScope(body), device, levels) };
  }
  if (iotEdge) {
    // The real hub fails with this status, although it is the body that breaks a rule.
    if (scope !== "") {
      throw new HubFault("ServiceUnavailable", 503, 'A device that becomes an edge device must have deviceScope ""');
    }
    return { ownScope: scopeOf(device.deviceId, ""), parent: findParent(store, readParentScope(body), device, 1) };
  }
  if (wasEdge) return { ownScope: undefined, parent: undefined };
  return { ownScope: undefined, parent: findParent(store, scope, device, 0) };
}

function scopeOf(deviceId: string, ticks: string): string {
  return `ms-azure-iot-edge://${deviceId}-${ticks}`;
}

function readOwnScope(body: JsonObject): string {
  return readOptionalString("deviceScope", body["deviceScope"]) ?? "";
}

function readParentScope(body: JsonObject): string {
  const scopes = body["parentScopes"] ?? [];
  if (!Array.isArray(scopes)) throw wrongArgumentType("parentScopes", scopes, "an array of strings");
  if (scopes.length > 1) {
    throw invalidDeviceScope(`A device has one parent at most, but parentScopes names ${scopes.length}`);
  }
  return readOptionalString("parentScopes[0]", scopes[0]) ?? "";
}

/**
 * Returns the parent with a scope.
 *
 * @param device The device to place; `undefined` while it is created.
 * @param levels The number of levels of edge devices that the device adds, itself included; a leaf adds none.
 */
function findParent(
  store: IdentityStore,
  scope: string,
  device: DeviceRecord | undefined,
  levels: number,
): DeviceRecord | undefined {
  if (scope === "") return undefined;
  const parent = store.gateway(scope);
  if (parent === undefined) throw invalidDeviceScope(`No edge device has the scope ${scope}`);
  if (parent === device?.parent) return parent;
  if (device !== undefined && isAtOrBelow(parent, device)) {
    throw invalidDeviceScope(`${device.deviceId} cannot be a child of itself or of one of its own children`);
  }
  if (parent.children.size >= MAX_CHILDREN) {
    throw invalidDeviceScope(`${parent.deviceId} has ${MAX_CHILDREN} children and cannot have more`);
  }
  if (levelsAbove(parent) + levels > MAX_LEVELS) {
    throw invalidDeviceScope(`The hierarchy of edge devices would be deeper than ${MAX_LEVELS} levels`);
  }
  return parent;
}

function isAtOrBelow(candidate: DeviceRecord, device: DeviceRecord): boolean {
  for (let at: DeviceRecord | undefined = candidate; at !== undefined; at = at.parent) if (at === device) return true;
  return false;
}

/** Returns the number of levels from the top of the hierarchy down to this gateway. */
function levelsAbove(gateway: DeviceRecord): number {
  let levels = 0;
  for (let at: DeviceRecord | undefined = gateway; at !== undefined; at = at.parent) levels++;
  return levels;
}

function levelsOfEdges(device: DeviceRecord): number {
  if (device.ownScope === undefined) return 0;
  return 1 + Math.max(0, ...[...device.children].map(levelsOfEdges));
}

function invalidDeviceScope(message: string): HubFault {
  return new HubFault("InvalidDeviceScope", 400, message);
}
