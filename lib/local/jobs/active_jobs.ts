import type { HubTier } from "../../timing/hub_tiers.ts";
import { HubFault } from "../hub_fault.ts";

/** How many scheduled jobs may wait or run at a time. */
const MAX_ACTIVE_JOBS: Readonly<Record<HubTier, number>> = { F1: 1, B1: 0, B2: 0, B3: 0, S1: 1, S2: 5, S3: 10 };

/**
 * Checks that a hub of a tier may have one job more.
 *
 * @throws {HubFault} `OperationNotAvailableInCurrentTier` (403), or `ThrottlingMaxActiveJobCountExceeded` (429).
 */
export function checkActiveJobs(tier: HubTier, active: number): void {
  const max = MAX_ACTIVE_JOBS[tier];
  if (active < max) return;
  if (max === 0) {
    throw new HubFault("OperationNotAvailableInCurrentTier", 403, `A hub of the tier ${tier} has no scheduled jobs`);
  }
  throw new HubFault(
    "ThrottlingMaxActiveJobCountExceeded",
    429,
    `The hub has ${active} jobs that wait or run, and a hub of the tier ${tier} may have ${max}`,
  );
}
