import { checkNumber, checkType, checkWhole } from "../../values/checks.ts";
import { checkMembers } from "../../values/members.ts";
import type { EventRetention } from "./event_log.ts";

/** Which events a local hub has, and how it keeps them. */
export interface LocalEventOptions {
  /**
   * Whether changes of twins are events, with the source `"twinChangeEvents"`.
   * @default {false}
   */
  twinChanges?: boolean | undefined;
  /**
   * Whether it is an event when an identity is created or deleted, with the source `"deviceLifecycleEvents"`.
   * @default {false}
   */
  lifecycle?: boolean | undefined;
  /**
   * Whether it is an event when a device connects or disconnects, with the source `"deviceConnectionStateEvents"`.
   * @default {false}
   */
  connectionState?: boolean | undefined;
  /**
   * How many partitions there are, from 1 to 32. All events of a device are in the same one. A hub that has events of more
   * partitions, by its storage or a snapshot, has those too.
   * @default {4}
   */
  partitions?: number | undefined;
  /** What is kept of the events. */
  retention?: LocalEventRetention | undefined;
}

/** What a local hub keeps of its events. However many they are, they take no more than 64 MiB in each partition. */
export interface LocalEventRetention {
  /**
   * How many events of each partition are kept.
   * @default {50000}
   */
  maxEvents?: number | undefined;
  /**
   * How long an event is kept, in milliseconds of the hub's clock.
   * @default {86400000}
   */
  maxAgeInMs?: number | undefined;
}

const MOST_PARTITIONS = 32;
const DEFAULT_PARTITIONS = 4;
const DEFAULT_MAX_EVENTS = 50_000;
const DEFAULT_MAX_AGE_IN_MS = 86_400_000;

/** The options with their defaults. */
export interface ResolvedEventOptions {
  readonly twinChanges: boolean;
  readonly lifecycle: boolean;
  readonly connectionState: boolean;
  readonly partitions: number;
  readonly retention: EventRetention;
}

/** Fills in the defaults. */
export function resolveEventOptions(options: LocalEventOptions = {}): ResolvedEventOptions {
  const { twinChanges = false, lifecycle = false, connectionState = false } = options;
  const { partitions = DEFAULT_PARTITIONS, retention: { maxEvents, maxAgeInMs } = {} } = options;
  return {
    twinChanges,
    lifecycle,
    connectionState,
    partitions,
    retention: {
      maxEvents: maxEvents ?? DEFAULT_MAX_EVENTS,
      maxAgeInMs: maxAgeInMs ?? DEFAULT_MAX_AGE_IN_MS,
    },
  };
}

/**
 * Throws unless each option is what it should be.
 *
 * @throws {TypeError} For a wrong type, or an option that there is not.
 * @throws {RangeError} For a value that is not legal.
 */
export function checkEventOptions(options: LocalEventOptions): void {
  checkMembers("events", options, ["twinChanges", "lifecycle", "connectionState", "partitions", "retention"]);
  const { twinChanges, lifecycle, connectionState, partitions, retention } = options;
  for (const [name, value] of Object.entries({ twinChanges, lifecycle, connectionState })) {
    if (value !== undefined) checkType(`events.${name}`, value, "boolean");
  }
  if (partitions !== undefined) checkWhole("events.partitions", partitions, 1, MOST_PARTITIONS);
  if (retention === undefined) return;
  checkMembers("events.retention", retention, ["maxEvents", "maxAgeInMs"]);
  const { maxEvents, maxAgeInMs } = retention;
  if (maxEvents !== undefined) checkWhole("events.retention.maxEvents", maxEvents, 1);
  if (maxAgeInMs !== undefined) {
    checkNumber("events.retention.maxAgeInMs", maxAgeInMs, (time) => time > 0, "over 0, or Infinity for no limit");
  }
}
