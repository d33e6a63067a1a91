import type { Device, DeviceRequest } from "../../gen/types.gen.ts";
import { checkMembers } from "../values/members.ts";
import {
  AUTHENTICATION_CHANGE,
  type AuthenticationChange,
  changed,
  changedAuthentication,
} from "./authentication_change.ts";
import { deviceBody } from "./device_fields.ts";

/** What is to change of a device identity. What is left out, or `undefined`, stays as it is. */
export interface DeviceChange extends AuthenticationChange {
  /** Whether the device may connect. */
  status?: "enabled" | "disabled" | undefined;
  /** The reason for the status, in at most 128 characters; `null` removes it. */
  statusReason?: string | null | undefined;
  /**
   * Whether the device is an IoT Edge device. One that becomes an ordinary device loses its parent, as the hub has it, and
   * can be given one by a second change.
   */
  iotEdge?: boolean | undefined;
  /** The scope of the gateway, if this is a leaf device; `""` takes the device from its gateway. */
  deviceScope?: string | undefined;
  /** The scope of an IoT Edge device's parent, alone or in an array; `[]` takes the device from its parent. */
  parentScopes?: string | string[] | undefined;
}

/** Returns the identity to write for a change of the one that was read. Throws unless the change is legal. */
export function changedDevice(deviceId: string, device: Device, change: DeviceChange): DeviceRequest {
  checkMembers("the change", change, [
    "status",
    "statusReason",
    "iotEdge",
    "deviceScope",
    "parentScopes",
    ...AUTHENTICATION_CHANGE,
  ]);
  const wasEdge = device.capabilities?.iotEdge === true;
  const iotEdge = changed(change.iotEdge, wasEdge);
  let { deviceScope, parentScopes } = device;
  // The hub gives a device that becomes an Edge device its scope, and takes it from one that ceases to be one.
  if (iotEdge !== wasEdge) deviceScope = iotEdge ? "" : undefined;
  // It works out a leaf's parent from the scope alone.
  if (!iotEdge) parentScopes = undefined;
  return deviceBody(deviceId, changedAuthentication(change, device.authentication), {
    status: changed(change.status, device.status),
    statusReason: changed(change.statusReason, device.statusReason),
    iotEdge,
    deviceScope: changed(change.deviceScope, deviceScope),
    parentScopes: changed(change.parentScopes, parentScopes),
  });
}
