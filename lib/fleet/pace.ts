import { hubRate, type ThrottledOperation } from "../timing/hub_tiers.ts";
import type { FleetThrottle } from "./fleet_options.ts";
import { Lane } from "./lane.ts";

/** How fast a hub takes each kind of request. All runs of all managers that share a hub's connections have one pace. */
export class Pace {
  readonly #lanes = new Map<ThrottledOperation, Lane>();
  #throttle: FleetThrottle | undefined;

  /** Keeps to the documented rates of a hub from now on. */
  document(throttle: FleetThrottle): void {
    this.#throttle = throttle;
    for (const [operation, lane] of this.#lanes) lane.document(rateOf(operation, throttle));
  }

  lane(operation: ThrottledOperation): Lane {
    let lane = this.#lanes.get(operation);
    if (lane === undefined) {
      this.#lanes.set(operation, lane = new Lane());
      if (this.#throttle !== undefined) lane.document(rateOf(operation, this.#throttle));
    }
    return lane;
  }
}

function rateOf(operation: ThrottledOperation, { tier, units = 1 }: FleetThrottle): number {
  return hubRate(operation, tier, units);
}

const paces = new WeakMap<object, Pace>();

/** Returns the pace of a hub, which all managers share that share its connections. */
export function paceOf(hub: object): Pace {
  let pace = paces.get(hub);
  if (pace === undefined) paces.set(hub, pace = new Pace());
  return pace;
}
