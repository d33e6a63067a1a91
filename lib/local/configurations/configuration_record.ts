import { ticksAt } from "../hub_time.ts";
import type { ConfigurationStamp } from "../records/twin_section.ts";
import type { Content } from "./content.ts";
import type { Target } from "./target_condition.ts";

/** What an update of a configuration can change. */
export interface ConfigurationSettings {
  readonly schemaVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: Target;
  readonly priority: number;
  /** The queries of the owner's metrics, by their names. */
  readonly metricQueries: Readonly<Record<string, string>>;
}

/** A configuration of the hub. It is never changed in place. Times are in milliseconds since the epoch. */
export interface ConfigurationRecord extends ConfigurationSettings {
  readonly id: string;
  /** The position in the order of creation. */
  readonly sequence: number;
  readonly content: Content;
  readonly createdTime: number;
  readonly lastUpdatedTime: number;
  readonly etagCounter: number;
}

/** Orders configurations by their rank, the lowest first: by priority, and among equals the newest is the highest. */
export function compareRank(one: ConfigurationRecord, other: ConfigurationRecord): number {
  return one.priority - other.priority || one.sequence - other.sequence;
}

/** Returns the etag of a configuration: its counter in decimal, as base64. */
export function configurationEtag({ etagCounter }: ConfigurationRecord): string {
  return btoa(String(etagCounter));
}

/** Returns what a configuration leaves in the metadata of the properties that it sets. */
export function stampOf({ id, createdTime }: ConfigurationRecord): ConfigurationStamp {
  return { $lastUpdatedBy: id, $lastUpdatedByDigest: String(ticksAt(createdTime)) };
}
