import { type FaultReporter, newTrackingId } from "../fault_listeners.ts";
import type { HubAnswer } from "../hub_answer.ts";
import { HubFault } from "../hub_fault.ts";
import { faultAnswer, internalFaultAnswer } from "./errors.ts";
import { completeAnswer, SERVER } from "./complete_answer.ts";

/**
 * Creates the response for whatever was thrown before a request was known for an operation. Only a {@linkcode HubFault}
 * has a text that callers may see; anything else is reported, which gives it a tracking id.
 */
export function refusalBeforeRouting(error: unknown, reporter: FaultReporter): HubAnswer {
  const now = reporter.now();
  if (error instanceof HubFault) {
    const trackingId = newTrackingId();
    return completeAnswer(faultAnswer(error, "plain", now, trackingId), now, trackingId);
  }
  const trackingId = reporter.report(error);
  return completeAnswer(internalFaultAnswer(trackingId, "plain", now), now, trackingId);
}

/** Creates the response to what is no request that can be read, of which the status says all. */
export function emptyAnswer(status: number): HubAnswer {
  return { status, headers: { "content-length": "0", "server": SERVER }, body: null };
}
