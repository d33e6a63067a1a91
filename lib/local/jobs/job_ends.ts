import type { FaultListeners } from "../fault_listeners.ts";
import { HubFault } from "../hub_fault.ts";

/** Says for the owner of a job why it has failed. What is no fault of the job is reported, and only its tracking id told. */
export function failureReasonOf(error: unknown, faults: FaultListeners): string {
  if (error instanceof HubFault) return `${error.code}: ${error.message}`;
  return `The hub failed for an internal reason, which hub.onFault tells: ${faults.report(error)}`;
}

/** How long a job can be read after its end. */
export const JOB_HISTORY_IN_MS: number = 30 * 24 * 3_600_000;
