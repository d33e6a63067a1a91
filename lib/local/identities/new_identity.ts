import { emptyJsonObject } from "../json.ts";
import type { IdentityRecord } from "../records/identity_records.ts";
import { newSection } from "../records/twin_section.ts";

/**
 * Returns what every new identity starts with: an empty twin, a random etag, and no connection so far.
 *
 * @param $lastUpdated The time in the metadata of the twin.
 */
export function newIdentity(
  $lastUpdated: string,
): Omit<IdentityRecord, "deviceId" | "generationId" | "sequence" | "authentication"> {
  const section = newSection({}, { $lastUpdated });
  return {
    etagCounter: 100_000_000 + Math.floor(Math.random() * 900_000_000),
    twin: { tags: emptyJsonObject(), desired: section, reported: section, etagCounter: 1, configurations: {} },
    modelId: "",
    connected: false,
    connectionStateUpdatedTime: 0,
    lastActivityTime: 0,
  };
}
