import { type CallLimits, checkLimits } from "../timing/call_limiter.ts";
import { checkAbortSignal } from "../timing/deadline.ts";
import { HUB_TIERS, type HubTier } from "../timing/hub_tiers.ts";
import { checkChoice, checkType, checkWhole } from "../values/checks.ts";
import { checkMembers } from "../values/members.ts";
import type { FleetProgress } from "./fleet_progress.ts";
import type { Journal } from "./journal.ts";

/** What a run works on: an array, a query, a generator, a stream. It is read only as fast as the hub takes it. */
export type FleetSource<T> = Iterable<T> | AsyncIterable<T>;

/** A device by its id, or a device or module by an object that names it, such as its twin. */
export type FleetTarget = string | { readonly deviceId: string; readonly moduleId?: string | undefined };

/** How a hub was bought, which decides how fast it is. */
export interface FleetThrottle {
  /** The tier: free (F1), basic (B1 to B3), or standard (S1 to S3). */
  tier: HubTier;
  /**
   * How many units of it.
   * @default {1}
   */
  units?: number | undefined;
}

/** Limits for the requests of one run. */
export type FleetLimits = Pick<CallLimits, "maxConcurrentRequests" | "maxRequestsPerSecond">;

/** The options of every run. */
export interface FleetOptions {
  /**
   * Limits for the requests of this run, in addition to those of the manager. By default 16 requests in bulk are in
   * progress at the same time, or 100 single ones.
   */
  limits?: FleetLimits | undefined;
  /**
   * How the hub was bought. The run then keeps to the documented rates, and counts a bulk request as its devices until the
   * hub shows that it does not. By default it finds out how fast the hub is. All runs of one manager, and of those that
   * share its connections, keep to the rates together.
   */
  throttle?: FleetThrottle | undefined;
  /** Where to keep what is done, so that a run that was killed can be started again with the same source. */
  journal?: Journal | undefined;
  /** How many entries the source has, for the progress. That of an array is known. */
  total?: number | undefined;
  /** Called with the progress at most ten times a second, and at the end. What it throws ends the run. */
  onProgress?: ((progress: FleetProgress) => void) | undefined;
  /**
   * Ends the run. Requests that are in progress are aborted, and their entries reported as `"unknown"`; then the loop
   * throws the signal's reason.
   */
  abortSignal?: AbortSignal | undefined;
}

/** Throws unless the options have known members with legal values. `others` names further members. */
export function checkFleetOptions(options: FleetOptions, others: readonly string[] = []): void {
  checkMembers("options", options, [
    ...others,
    "limits",
    "throttle",
    "journal",
    "total",
    "onProgress",
    "abortSignal",
  ]);
  const { limits, throttle, journal, total, onProgress, abortSignal } = options;
  if (limits !== undefined) {
    checkMembers("limits", limits, ["maxConcurrentRequests", "maxRequestsPerSecond"]);
    checkLimits(limits);
  }
  if (throttle !== undefined) {
    checkMembers("throttle", throttle, ["tier", "units"]);
    checkChoice("throttle.tier", throttle.tier, HUB_TIERS);
    checkWhole("throttle.units", throttle.units, 1);
  }
  if (journal !== undefined) {
    checkType("journal", journal, "object");
    checkType("journal.read", journal.read, "function");
    checkType("journal.append", journal.append, "function");
  }
  checkWhole("total", total, 0);
  if (onProgress !== undefined) checkType("onProgress", onProgress, "function");
  if (abortSignal !== undefined) checkAbortSignal(abortSignal);
}
