import { readMethodCall } from "../presence/direct_method_broker.ts";
import { requireIdentity } from "../records/find_identity.ts";
import type { AnyRecord } from "../records/identity_records.ts";
import { ok, type RestAnswer, type RestCall } from "./call.ts";
import { admitMethod } from "./throttled.ts";

/** `GET /twins/{id}` and `GET /twins/{id}/modules/{mid}`: reads a twin. */
export function readTwin(call: RestCall): RestAnswer {
  const record = requireRecord(call);
  return ok(call.hub.twinDocuments.read.build(record));
}

/** `PATCH /twins/{id}` and `PATCH /twins/{id}/modules/{mid}`: merges a patch into a twin. */
export async function patchTwin(call: RestCall): Promise<RestAnswer> {
  const body = await call.json();
  const record = requireRecord(call);
  call.hub.twins.patch(record, body, call.ifMatch);
  return ok(call.hub.twinDocuments.read.build(record));
}

/** `PUT /twins/{id}` and `PUT /twins/{id}/modules/{mid}`: replaces tags and desired properties. */
export async function putTwin(call: RestCall): Promise<RestAnswer> {
  const body = await call.json();
  const record = requireRecord(call);
  call.hub.twins.replace(record, body, call.ifMatch);
  return ok(call.hub.twinDocuments.read.build(record));
}

/** `POST /twins/{id}/methods` and `POST /twins/{id}/modules/{mid}/methods`: calls a direct method. */
export async function invokeMethod(call: RestCall): Promise<RestAnswer> {
  const { hub, deviceId, ids } = call;
  const methodCall = readMethodCall(await call.json());
  await admitMethod(hub.throttle, methodCall.payload);
  const target = { deviceId, moduleId: ids[1] };
  const record = requireIdentity(hub.store, target, { includeDisabled: false, missingModule: "ModuleNotFound" });
  return ok(await hub.methods.invoke(record, methodCall, call.request.signal));
}

function requireRecord({ hub, deviceId, ids }: RestCall): AnyRecord {
  const target = { deviceId, moduleId: ids[1] };
  return requireIdentity(hub.store, target, { includeDisabled: true, missingModule: "DeviceNotFound" });
}
