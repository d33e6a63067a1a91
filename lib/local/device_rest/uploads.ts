import { wrongArgument, wrongArgumentType } from "../argument_faults.ts";
import { HubFault } from "../hub_fault.ts";
import { requireObject } from "../identities/identity_rules.ts";
import { ok, type RestAnswer, type RestCall } from "../rest/call.ts";
import { callingDevice } from "./calling_device.ts";

/** `POST /devices/{id}/files`: begins an upload, and tells where to write the file. */
export async function beginUpload(call: RestCall): Promise<RestAnswer> {
  const { hub } = call;
  callingDevice(call);
  const { blobName } = requireObject("an upload", await call.json());
  if (typeof blobName !== "string") throw wrongArgumentType("blobName", blobName, "a string");
  const device = callingDevice(call);
  const begun = hub.uploads.begin(device, blobName);
  hub.presence.touch(device);
  const { correlationId, ...rest } = begun;
  return ok({ correlationId, hostName: new URL(originOf(call)).host, ...rest });
}

/**
 * `POST /devices/{id}/files/notifications[/{correlationId}]`: ends an upload. The id is in the path or in the body, or in
 * both, where that in the path counts.
 */
export async function endUpload(call: RestCall): Promise<RestAnswer> {
  const { hub, ids } = call;
  callingDevice(call);
  const body = requireObject("the end of an upload", await call.json());
  const correlationId = ids[1] ?? body["correlationId"];
  if (typeof correlationId !== "string") throw wrongArgumentType("correlationId", correlationId, "a string");
  const isSuccess = body["isSuccess"];
  if (typeof isSuccess !== "boolean") {
    const { message } = wrongArgument("isSuccess", isSuccess, "true or false");
    throw new HubFault("InvalidFileUploadCompletionStatus", 400, message);
  }
  const device = callingDevice(call);
  hub.uploads.end(device, correlationId, isSuccess, originOf(call));
  hub.presence.touch(device);
  return { status: 204 };
}

/** The origin at which the device has reached the hub; what is no host of the hub is not handed on. */
function originOf({ hub, request }: RestCall): string {
  const { protocol, host: own } = new URL(request.url);
  const address = `${protocol}//${request.headers.get("host") ?? own}`;
  const { origin, host } = new URL(URL.canParse(address) ? address : request.url);
  return hub.hosts.has(host) ? origin : `${protocol}//${hub.hostName}`;
}
