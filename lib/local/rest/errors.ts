import { utcTime } from "../hub_time.ts";
import { HubFault } from "../hub_fault.ts";
import type { RestAnswer } from "./call.ts";

/** The shapes of an error body: text (`plain`), JSON inside a text (`nested`, of direct methods), and JSON (`bare`). */
export type Envelope = "plain" | "nested" | "bare";

/** 405 `GenericMethodNotAllowed`: the resource has other methods. */
export class MethodNotAllowed extends HubFault {
  readonly methods: readonly string[];

  constructor(method: string, methods: readonly string[]) {
    super("GenericMethodNotAllowed", 405, `The requested resource does not support http method '${method}'.`);
    this.methods = methods;
  }
}

/** Creates the response for an exception inside the hub. Its text is not for callers: the hub's owner is told. */
export function internalFaultAnswer(trackingId: string, envelope: Envelope, now: number): RestAnswer {
  const fault = new HubFault("ServerError", 500, "The hub failed for an internal reason, which hub.onFault tells");
  return faultAnswer(fault, envelope, now, trackingId);
}

/** Creates the response for an error, in the shape that its operation uses. */
export function faultAnswer(
  fault: HubFault,
  envelope: Envelope,
  now: number,
  trackingId: string,
): RestAnswer {
  return {
    status: fault.status,
    headers: {
      "iothub-errorcode": fault.code,
      ...(fault instanceof MethodNotAllowed && { "allow": fault.methods.join(", ") }),
    },
    body: envelope === "plain"
      ? plainBody(fault, now, trackingId)
      : envelope === "bare"
      ? detail(fault, now, trackingId)
      : nestedBody(fault, now, trackingId),
  };
}

function plainBody(fault: HubFault, now: number, trackingId: string): unknown {
  const [date = "", time = ""] = new Date(now).toISOString().split(/[T.]/);
  const [year, month, day] = date.split("-");
  return {
    Message: `ErrorCode:${fault.code};${fault.message}`,
    ExceptionMessage: `Tracking ID:${trackingId}-G:0-TimeStamp:${month}/${day}/${year} ${time}`,
  };
}

/** Puts the details into `Message` as JSON text. Their `info` must be null, since an SDK reads them as a flat map. */
function nestedBody(fault: HubFault, now: number, trackingId: string): unknown {
  return { Message: JSON.stringify(detail(fault, now, trackingId)), ExceptionMessage: "" };
}

function detail(fault: HubFault, now: number, trackingId: string): unknown {
  return {
    errorCode: fault.errorNumber ?? fault.status * 1000,
    trackingId,
    message: fault.message,
    timestampUtc: utcTime(now),
    info: null,
  };
}
