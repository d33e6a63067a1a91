import type { AuthenticationRequest, Device, DeviceRequest, Module, ModuleRequest } from "../../gen/types.gen.ts";
import { checkChoice, checkLength, checkType, wrongType } from "../values/checks.ts";
import { isMerged } from "../values/json.ts";
import type { OperationOptions } from "../timing/operation_options.ts";

/** The hub refuses longer ones. */
const MAX_STATUS_REASON_LENGTH = 128;

/** The fields of a device identity, apart from how it signs in. An update resets the fields that are left out. */
export interface DeviceFields extends OperationOptions {
  /**
   * Whether the device may connect.
   * @default {"enabled"}
   */
  status?: "enabled" | "disabled" | undefined;
  /**
   * Whether the device is an IoT Edge device.
   * @default {false}
   */
  iotEdge?: boolean | undefined;
  /** The reason for the status, in at most 128 characters; `null`, as in a device without one, is the same as none. */
  statusReason?: string | null | undefined;
  /**
   * The scope of the gateway, if this is a leaf device. An IoT Edge device has a scope of its own, which every update must
   * repeat.
   */
  deviceScope?: string | undefined;
  /** The scope of an IoT Edge device's parent, alone or in an array. */
  parentScopes?: string | string[] | undefined;
}

/** The fields of an update. It resets all that are left out, so that the status must be given. */
export interface DeviceUpdate extends DeviceFields {
  /** Whether the device may connect. It must be given, since an update without it would enable a disabled device. */
  status: "enabled" | "disabled";
  /** The etag that the identity must still have. Without it, the update is unconditional. */
  etag?: string | undefined;
}

/** Throws unless an update says whether the device may connect. */
export function checkUpdate({ status }: DeviceFields): void {
  if (status === undefined) throw wrongType("status", '"enabled" or "disabled", since an update replaces it', status);
}

/** Returns the body of a request that creates or updates a device identity. */
export function deviceBody(
  deviceId: string,
  authentication: AuthenticationRequest,
  fields: DeviceFields,
): DeviceRequest {
  const { status = "enabled", iotEdge = false, statusReason, deviceScope, parentScopes } = fields;
  checkChoice("status", status, ["enabled", "disabled"]);
  checkType("iotEdge", iotEdge, "boolean");
  if (statusReason !== undefined && statusReason !== null) {
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

/** Whether an identity is the one that was sent. This cannot be known if the hub generated its keys. */
export function isOwnIdentity(sent: DeviceRequest | ModuleRequest, found: Device | Module): boolean {
  const keys = sent.authentication?.symmetricKey;
  if (keys && !keys.primaryKey) return false;
  // The parents are not compared, since the hub works them out from the scopes.
  return isMerged({ ...sent, parentScopes: undefined }, found);
}
