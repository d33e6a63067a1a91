import { type FaultReporter, newTrackingId } from "../fault_listeners.ts";
import { HubFault } from "../hub_fault.ts";
import { utcTime } from "../hub_time.ts";
import type { JsonObject } from "../json.ts";

/** What a device is told of a request for its twin that has failed. */
export interface TwinFault {
  readonly status: number;
  readonly body: JsonObject;
}

/** Says why a request for a twin has failed. */
export function twinFaultOf(error: unknown, reporter: FaultReporter): TwinFault {
  const isKnown = error instanceof HubFault;
  const trackingId = isKnown ? newTrackingId() : reporter.report(error);
  const status = isKnown ? error.status : 500;
  const body = {
    errorCode: isKnown ? error.errorNumber ?? status * 1000 : 500_001,
    trackingId,
    message: isKnown ? error.message : "The hub failed for an internal reason, which hub.onFault tells",
    timestampUtc: utcTime(reporter.now()),
  };
  return { status, body };
}
