import { desiredPatchOf } from "../digital_twins/digital_twin_patch.ts";
import { digitalTwinDocument } from "../digital_twins/digital_twin_document.ts";
import { unauthorized } from "../hub_fault.ts";
import type { JsonValue } from "../json.ts";
import { requireDevice, requireIdentity } from "../records/find_identity.ts";
import { type DeviceRecord, twinEtag } from "../records/identity_records.ts";
import { readMethodCall } from "../presence/direct_method_broker.ts";
import { checkIfMatch } from "../twins/twin_writes.ts";
import { ok, type RestAnswer, type RestCall } from "./call.ts";

/** `GET /digitaltwins/{id}`: reads the twin of a device as a digital twin. */
export function readDigitalTwin({ hub, deviceId }: RestCall): RestAnswer {
  const record = requireDevice(hub.store, deviceId);
  return ok(digitalTwinDocument(record), { "etag": etagOf(record) });
}

/** `PATCH /digitaltwins/{id}`: changes what is wanted of a digital twin. */
export async function patchDigitalTwin(call: RestCall): Promise<RestAnswer> {
  const { hub, deviceId, query } = call;
  const body = await call.json();
  const record = requireDevice(hub.store, deviceId);
  // Whoever patches another version than is there learns that first, rather than what does not fit.
  checkIfMatch(record, call.ifMatch);
  hub.twins.patch(record, { properties: { desired: desiredPatchOf(record.twin, body) } }, undefined);
  const location = `/digitaltwins/${encodeURIComponent(deviceId)}?api-version=${query.get("api-version")}`;
  return { status: 202, headers: { "etag": etagOf(record), "location": location } };
}

/** `POST /digitaltwins/{id}/commands/{name}`: calls a command. */
export async function invokeCommand(call: RestCall): Promise<RestAnswer> {
  return await invoke(call, call.ids[1]!);
}

/** `POST /digitaltwins/{id}/components/{path}/commands/{name}`: calls a command of a component. */
export async function invokeComponentCommand(call: RestCall): Promise<RestAnswer> {
  return await invoke(call, `${call.ids[1]}*${call.ids[2]}`);
}

/** A command is a direct method; its status is in a header only. */
async function invoke(call: RestCall, methodName: string): Promise<RestAnswer> {
  const { hub, deviceId, principal, query, request } = call;
  if (principal.kind === "bearer") {
    const message = "Unauthorized: as the real hub, this one takes no bearer token for commands: use a signature";
    throw unauthorized("IotHubUnauthorizedAccess", message);
  }
  const method = readMethodCall({
    methodName,
    payload: await call.json() as JsonValue,
    connectTimeoutInSeconds: readSeconds(query, "connectTimeoutInSeconds"),
    responseTimeoutInSeconds: readSeconds(query, "responseTimeoutInSeconds"),
  });
  const record = requireIdentity(hub.store, { deviceId }, { includeDisabled: false, missingModule: "ModuleNotFound" });
  const { status, payload } = await hub.methods.invoke(record, method, request.signal);
  return ok(payload, { "x-ms-command-statuscode": String(status) });
}

/** Whatever is no number is left to be refused. */
function readSeconds(query: URLSearchParams, name: string): JsonValue {
  const text = query.get(name) || null;
  return text === null || Number.isNaN(Number(text)) ? text : Number(text);
}

function etagOf({ twin }: DeviceRecord): string {
  return `"${twinEtag(twin)}"`;
}
