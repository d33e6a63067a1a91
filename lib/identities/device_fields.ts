import type { AuthenticationMechanism, Device, Module } from "../../gen/types.gen.ts";
import { checkChoice, checkLength, checkType } from "../values/checks.ts";
import { isMerged } from "../values/json.ts";
import type { OperationOptions } from "../timing/operation_options.ts";

/** The hub refuses a longer one. */
const MAX_STATUS_REASON_LENGTH = 128;

/** What can be said of a device identity beside how it signs in. What is left out of an update is reset. */
export interface DeviceFields extends OperationOptions {
  /**
   * Whether the device may connect.
   * @default {"enabled"}
   */
  status?: "enabled" | "disabled";
  /**
   * Whether it is an IoT Edge device.
   * @default {false}
   */
  iotEdge?: boolean;
  /** Why it has its status; at most 128 characters. */
  statusReason?: string;
  /** For a leaf device, the scope of its gateway; for an IoT Edge device its own, which every update must repeat. */
  deviceScope?: string;
  /** The scope of an IoT Edge device's parent. */
  parentScopes?: string | string[];
}

/** The body of a create or update of a device identity. */
export function deviceBody(deviceId: string, authentication: AuthenticationMechanism, fields: DeviceFields): Device {
  const { status = "enabled", iotEdge = false, statusReason, deviceScope, parentScopes } = fields;
  checkChoice("status", status, ["enabled", "disabled"]);
  checkType("iotEdge", iotEdge, "boolean");
  if (statusReason !== undefined) {
    checkType("statusReason", statusReason, "string");
    checkLength("statusReason", statusReason, 0, MAX_STATUS_REASON_LENGTH, "characters");
  }
  if (deviceScope !== undefined) checkType("deviceScope", deviceScope, "string");
  const scopes = parentScopes === undefined ? undefined : [parentScopes].flat();
  scopes?.forEach((scope, index) => checkType(`parentScopes[${index}]`, scope, "string"));
  return {
    deviceId,
    status,
    statusReason,
    authentication,
    capabilities: { iotEdge },
    deviceScope,
    parentScopes: scopes,
  };
}

/** Whether an identity is the one that was sent. Keys that the hub made itself prove nothing. */
export function isOwnIdentity(sent: Device | Module, found: Device | Module): boolean {
  const keys = sent.authentication?.symmetricKey;
  if (keys && !keys.primaryKey) return false;
  // The parents are left to the hub, which works them out from the scopes.
  return isMerged({ ...sent, parentScopes: undefined }, found);
}
