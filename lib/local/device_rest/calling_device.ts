import type { Principal } from "../auth/authorization.ts";
import { deviceNotFound } from "../hub_fault.ts";
import type { SignInMethod } from "../presence/device_connection.ts";
import { requireDevice } from "../records/find_identity.ts";
import { type DeviceRecord, isEnabled } from "../records/identity_records.ts";
import type { RestCall } from "../rest/call.ts";

/**
 * Returns the device that a request is from. Whoever has waited for a body asks again, since the device may be another
 * one by then, or none.
 *
 * @throws {HubFault} `DeviceNotFound` (404) when it does not exist or is disabled.
 */
export function callingDevice({ hub, deviceId }: RestCall): DeviceRecord {
  const device = requireDevice(hub.store, deviceId);
  if (!isEnabled(device)) throw deviceNotFound(deviceId);
  return device;
}

/** Returns what a device has proved with who it is. */
export function signInMethodOf({ kind, policyName }: Principal): SignInMethod {
  if (kind === "certificate") return "certificate";
  return policyName === undefined ? "identityKey" : "policyKey";
}
