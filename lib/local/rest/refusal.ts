import { type FaultReporter, newTrackingId } from "../fault_listeners.ts";
import { HubFault } from "../hub_fault.ts";
import { faultAnswer, internalFaultAnswer } from "./errors.ts";
import { SERVER, toResponse } from "./response.ts";

/**
 * Creates the response for whatever was thrown before a request was known for an operation. Only a {@linkcode HubFault}
 * has a text that callers may see; anything else is reported, which gives it a tracking id.
 */
export function refusalBeforeRouting(error: unknown, reporter: FaultReporter): Response {
  const now = reporter.now();
  if (error instanceof HubFault) {
    const trackingId = newTrackingId();
    return toResponse(faultAnswer(error, "plain", now, trackingId), now, trackingId);
  }
  const trackingId = reporter.report(error);
  return toResponse(internalFaultAnswer(trackingId, "plain", now), now, trackingId);
}

/** Creates the response to what is no request that can be read, of which the status says all. */
export function emptyResponse(status: number): Response {
  return new Response(null, { status, headers: { "content-length": "0", "server": SERVER } });
}
