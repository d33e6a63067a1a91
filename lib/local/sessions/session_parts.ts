import type { Activity } from "../activity/activity.ts";
import type { IdentityQueues } from "../identities/identity_queues.ts";
import type { Presence } from "../presence/presence.ts";
import type { IdentityStore } from "../records/identity_store.ts";
import type { Throttle } from "../throttle.ts";
import type { TwinWrites } from "../twins/twin_writes.ts";
import type { TelemetrySink } from "./telemetry_sink.ts";

/** What sessions need from the hub. */
export interface SessionParts {
  readonly now: () => number;
  readonly store: IdentityStore;
  readonly presence: Presence;
  readonly queues: IdentityQueues;
  readonly twins: TwinWrites;
  readonly telemetry: TelemetrySink;
  readonly activity: Activity;
  /** What limits the hub's callers, if anything does. */
  readonly throttle: Throttle | undefined;
}
