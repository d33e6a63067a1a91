import { cannotUse } from "../../values/checks.ts";
import { wrongArgument, wrongArgumentType } from "../argument_faults.ts";
import { HubFault, invalidArgument } from "../hub_fault.ts";
import { isJsonObject } from "../json.ts";
import { fromBase64 } from "../keys.ts";
import { checkTelemetryMessage, MAX_TELEMETRY_BYTES, type TelemetryMessage } from "../messages/telemetry_message.ts";
import type { RestAnswer, RestCall } from "../rest/call.ts";
import { takeTelemetry } from "../sessions/device_requests.ts";
import { callingDevice, signInMethodOf } from "./calling_device.ts";
import { readMessageHeaders } from "./message_headers.ts";

const BATCH_TYPE = /^\s*application\/vnd\.microsoft\.iothub\.json\s*(?:;|$)/i;
const MAX_BATCH = 500;
const NO_DATA = new Uint8Array(0);

/** `POST /devices/{id}/messages/events`: takes a message, or a batch of them. */
export async function sendTelemetry(call: RestCall): Promise<RestAnswer> {
  const { hub, request } = call;
  callingDevice(call);
  const isBatch = BATCH_TYPE.test(request.headers.get("content-type") ?? "");
  const messages = isBatch ? readBatch(call, await call.json()) : [await readSingle(call)];
  takeTelemetry(hub, callingDevice(call), messages, { signedInWith: signInMethodOf(call.principal) });
  return { status: 204 };
}

/** Reads a message whose properties are headers, which are checked before its body is read. */
async function readSingle(call: RestCall): Promise<TelemetryMessage> {
  const message = messageOf(call, call.request.headers, NO_DATA);
  checkTelemetryMessage(message);
  return { ...message, data: await call.bytes() };
}

/**
 * Reads `[{ "body", "base64Encoded", "properties" }, …]`. A body is base64 unless `base64Encoded` is `false`: the SDKs for
 * Node write no more than the base64, that for Java adds `true`, and that for C sends texts with `false`.
 */
function readBatch(call: RestCall, batch: unknown): TelemetryMessage[] {
  if (!Array.isArray(batch)) throw wrongArgumentType("the body", batch, "an array of messages");
  if (batch.length === 0 || batch.length > MAX_BATCH) {
    throw invalidArgument(cannotUse(`a batch of ${batch.length} messages`, `from 1 to ${MAX_BATCH} messages`));
  }
  const messages = batch.map((element: unknown, index) => {
    if (!isJsonObject(element)) throw wrongArgumentType(`element ${index}`, element, "an object");
    const { body, base64Encoded = true, properties } = element;
    if (base64Encoded !== null && typeof base64Encoded !== "boolean") {
      throw wrongArgument(`base64Encoded of element ${index}`, base64Encoded, "true or false");
    }
    if (typeof body !== "string") throw wrongArgumentType(`body of element ${index}`, body, "a string");
    const data = base64Encoded === false ? new TextEncoder().encode(body) : fromBase64(body);
    if (data === undefined) {
      throw invalidArgument(cannotUse(`body of element ${index}`, "standard base64, or have base64Encoded false"));
    }
    return messageOf(call, readProperties(properties ?? {}, index), data);
  });
  const size = messages.reduce((sum, { data }) => sum + data.byteLength, 0);
  if (size <= MAX_TELEMETRY_BYTES) return messages;
  throw new HubFault(
    "MessageTooLarge",
    413,
    cannotUse("the bodies of a batch", `at most ${MAX_TELEMETRY_BYTES} bytes`),
  );
}

function readProperties(properties: unknown, index: number): [name: string, value: string][] {
  if (!isJsonObject(properties)) throw wrongArgumentType(`properties of element ${index}`, properties, "an object");
  return Object.entries(properties).map(([name, value]) => {
    if (typeof value === "object") {
      throw wrongArgumentType(`the property ${JSON.stringify(name)} of element ${index}`, value, "a string");
    }
    return [name, String(value)];
  });
}

function messageOf(
  { deviceId }: RestCall,
  headers: Iterable<[name: string, value: string]>,
  data: Uint8Array,
): TelemetryMessage {
  const to = `/devices/${encodeURIComponent(deviceId)}/messages/events`;
  return { to, data, ...readMessageHeaders(headers) };
}
