import { wrongArgument } from "../argument_faults.ts";
import { HubFault, preconditionFailed } from "../hub_fault.ts";
import type { RestAnswer, RestCall } from "../rest/call.ts";
import { receiveMessage, type Settlement, settleMessage } from "../sessions/device_requests.ts";
import { callingDevice } from "./calling_device.ts";
import { writeMessageHeaders } from "./message_headers.ts";

const LOCK_TIMEOUT = "iothub-messagelocktimeout";
/** In seconds. Devices may ask for longer, and get this. */
const MAX_LOCK_TIMEOUT = 300;

/** `GET /devices/{id}/messages/devicebound`: locks the next message and returns it. */
export function lockMessage(call: RestCall): RestAnswer {
  const locked = receiveMessage(call.hub, callingDevice(call), readLockTimeout(call));
  if (locked === undefined) return { status: 204 };
  return { status: 200, bytes: new Uint8Array(locked.message.data), headers: writeMessageHeaders(locked) };
}

/** `DELETE /devices/{id}/messages/devicebound/{lockToken}`: completes a message, or rejects it with `?reject`. */
export function completeMessage(call: RestCall): RestAnswer {
  return settle(call, call.query.has("reject") ? "reject" : "complete");
}

/** `POST /devices/{id}/messages/devicebound/{lockToken}/abandon`: returns a message to its queue. */
export function abandonMessage(call: RestCall): RestAnswer {
  return settle(call, "abandon");
}

/** The token may stand in `If-Match` as well: in quotes, as it came, or without them. */
function settle(call: RestCall, how: Settlement): RestAnswer {
  const lockToken = call.ids[1]!;
  const ifMatch = call.request.headers.get("if-match")?.trim().replace(/^"(.*)"$/, "$1") ?? "*";
  if (ifMatch !== "*" && ifMatch !== lockToken) {
    throw preconditionFailed("If-Match names another lock than the path: both must be the token of the message");
  }
  if (settleMessage(call.hub, callingDevice(call), lockToken, how)) return { status: 204 };
  throw new HubFault(
    "DeviceMessageLockLost",
    412,
    "No message is locked by this token: a lock ends after a minute, or the time-out that was asked for, or with a " +
      "settlement. Receive the message again",
  );
}

/** Returns how long to lock a message, in milliseconds; `undefined` when nothing was asked for. */
function readLockTimeout({ request, query }: RestCall): number | undefined {
  const text = query.get(LOCK_TIMEOUT) ?? request.headers.get(LOCK_TIMEOUT);
  if (text === null) return undefined;
  const seconds = /^\d{1,9}(?:\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds > 0) return Math.min(seconds, MAX_LOCK_TIMEOUT) * 1000;
  throw wrongArgument(LOCK_TIMEOUT, text, "a number of seconds over 0");
}
