import { requireIdentity } from "../records/find_identity.ts";
import type { AnyRecord } from "../records/identity_records.ts";
import type { RestCall } from "../rest/call.ts";

/**
 * Returns the device that a request is from. Whoever has waited for a body asks again, since the device may be another
 * one by then, or none.
 *
 * @throws {HubFault} `DeviceNotFound` (404) when it does not exist or is disabled.
 */
export function callingDevice({ hub, deviceId }: RestCall): AnyRecord {
  return requireIdentity(hub.store, { deviceId }, { includeDisabled: false, missingModule: "DeviceNotFound" });
}
