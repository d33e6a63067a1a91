import { hubTime } from "../hub_time.ts";
import type { HubFault } from "../hub_fault.ts";
import type { RestAnswer } from "./call.ts";

/** The shapes of an error body: text (`plain`), JSON inside a text (`nested`, of direct methods), and JSON (`bare`). */
export type Envelope = "plain" | "nested" | "bare";

/** Creates the response for an error, in the shape that its operation uses. */
export function faultAnswer(fault: HubFault, envelope: Envelope, now: number): RestAnswer {
  return {
    status: fault.status,
    headers: { "iothub-errorcode": fault.code },
    body: envelope === "plain"
      ? plainBody(fault, now)
      : envelope === "bare"
      ? detail(fault, now)
      : nestedBody(fault, now),
  };
}

function plainBody(fault: HubFault, now: number): unknown {
  const [date = "", time = ""] = new Date(now).toISOString().split(/[T.]/);
  const [year, month, day] = date.split("-");
  return {
    Message: `ErrorCode:${fault.code};${fault.message}`,
    ExceptionMessage: `Tracking ID:${trackingId()}-G:0-TimeStamp:${month}/${day}/${year} ${time}`,
  };
}

/** Puts the details into `Message` as JSON text. Their `info` must be null, since an SDK reads them as a flat map. */
function nestedBody(fault: HubFault, now: number): unknown {
  return { Message: JSON.stringify(detail(fault, now)), ExceptionMessage: "" };
}

function detail(fault: HubFault, now: number): unknown {
  return {
    errorCode: fault.errorNumber ?? fault.status * 1000,
    trackingId: trackingId(),
    message: fault.message,
    timestampUtc: hubTime(now),
    info: null,
  };
}

function trackingId(): string {
  return crypto.randomUUID().replaceAll("-", "").toUpperCase();
}
