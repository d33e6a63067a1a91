import { checkIdentityIfMatch } from "../identities/device_registry.ts";
import { preconditionFailed } from "../hub_fault.ts";
import { createdDeviceDocument, deviceDocument, withParentScopes } from "../identities/identity_documents.ts";
import { requireDevice } from "../records/find_identity.ts";
import { type DeviceRecord, identityEtag } from "../records/identity_records.ts";
import { regenerateKeys } from "../identities/key_regeneration.ts";
import { checkIdInBody, requireObject } from "../identities/identity_rules.ts";
import { ok, type RestAnswer, type RestCall } from "./call.ts";
import { admitBulk } from "./throttled.ts";

const MAX_LISTED = 1000;

/** `GET /devices`: reads up to a thousand devices. */
export function listDevices({ hub, query }: RestCall): RestAnswer {
  const top = Number(query.get("top"));
  const limit = Number.isInteger(top) && top > 0 && top <= MAX_LISTED ? top : MAX_LISTED;
  const devices = [];
  for (const device of hub.store.devices.after(0)) {
    if (devices.length === limit) break;
    devices.push(deviceDocument(device, hub.queues.count(device)));
  }
  return ok(devices);
}

/** `GET /devices/{id}`: reads a device. */
export function readDevice({ hub, deviceId }: RestCall): RestAnswer {
  const device = requireDevice(hub.store, deviceId);
  return ok(deviceDocument(device, hub.queues.count(device)), etagHeader(device));
}

/** `PUT /devices/{id}`: creates a device, or replaces it when there is an `If-Match`. */
export async function putDevice(call: RestCall): Promise<RestAnswer> {
  const { hub, deviceId, ifMatch } = call;
  const body = requireObject("a device identity", await call.json());
  checkIdInBody("deviceId", body, deviceId);
  if (ifMatch === undefined) {
    const device = hub.devices.create(deviceId, body);
    return ok(createdDeviceDocument(device, hub.queues.count(device)), etagHeader(device));
  }
  const device = requireDevice(hub.store, deviceId);
  checkIdentityIfMatch(device, ifMatch);
  hub.devices.replace(device, body);
  const document = deviceDocument(device, hub.queues.count(device));
  const namesParents = Array.isArray(body["parentScopes"]);
  return ok(namesParents ? withParentScopes(document) : document, etagHeader(device));
}

/** `DELETE /devices/{id}`: deletes a device. */
export function removeDevice({ hub, deviceId, ifMatch }: RestCall): RestAnswer {
  if (ifMatch === undefined) throw preconditionFailed("Etag missing");
  const device = requireDevice(hub.store, deviceId);
  checkIdentityIfMatch(device, ifMatch);
  hub.devices.delete(device);
  return { status: 204 };
}

/** `POST /devices`: carries out a bulk call. */
export async function postDevices(call: RestCall): Promise<RestAnswer> {
  const body = await call.json();
  await admitBulk(call.hub.throttle, body);
  const result = call.hub.bulk.run(body);
  if (result.isSuccessful) return ok(result);
  // Some clients read the one header, some the other.
  const headers = {
    "iothub-errorcode": "BulkRegistryOperationFailure",
    "IotHubErrorCode": "BulkRegistryOperationFailure",
  };
  return { status: 400, body: result, headers };
}

/** `POST /devices/keys/regenerate`: gives devices and modules new keys. */
export async function regenerateDeviceKeys(call: RestCall): Promise<RestAnswer> {
  const { store } = call.hub;
  const body = await call.json();
  const result = store.together(() => regenerateKeys(store, body));
  if (result.errors.length === 0) return ok(result);
  if (result.rotatedKeys.length > 0) return { status: 207, body: result };
  return { status: 400, body: result, headers: { "iothub-errorcode": "BulkRegenerateDeviceKeyOperationFailure" } };
}

/** `DELETE /devices/{id}/commands`: purges the messages of a device. */
export function purgeMessages({ hub, deviceId }: RestCall): RestAnswer {
  const device = requireDevice(hub.store, deviceId);
  return ok({ totalMessagesPurged: hub.queues.of(device).purge(hub.now()), deviceId, moduleId: null });
}

/** `GET /statistics/devices`: counts devices by status. */
export function readDeviceStatistics({ hub }: RestCall): RestAnswer {
  let enabledDeviceCount = 0;
  for (const device of hub.store.devices.after(0)) if (device.status === "enabled") enabledDeviceCount++;
  const totalDeviceCount = hub.store.devices.size;
  return ok({ totalDeviceCount, enabledDeviceCount, disabledDeviceCount: totalDeviceCount - enabledDeviceCount });
}

/** `GET /statistics/service`: counts connected devices. */
export function readServiceStatistics({ hub }: RestCall): RestAnswer {
  let connectedDeviceCount = 0;
  for (const device of hub.store.devices.after(0)) if (device.connected) connectedDeviceCount++;
  return ok({ connectedDeviceCount });
}

function etagHeader(device: DeviceRecord): Record<string, string> {
  return { etag: `"${identityEtag(device)}"` };
}
