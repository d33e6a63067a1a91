import { emptyJsonObject, isJsonObject, type JsonObject, type JsonValue } from "../json.ts";

/** One of the two property sections of a twin. It is never changed in place: a write creates a new one. */
export interface TwinSection {
  readonly values: JsonObject;
  readonly metadata: JsonObject;
  readonly version: number;
}

/** What a write adds to `$metadata` at every level that it changes. */
export interface Stamp extends Partial<ConfigurationStamp> {
  readonly $lastUpdated: string;
  readonly $lastUpdatedVersion?: number;
}

/** What `$metadata` has at a level that a configuration has changed last. */
export interface ConfigurationStamp {
  /** The id of the configuration. */
  readonly $lastUpdatedBy: string;
  /** Tells the content of the configuration from others that it had under the same id: when that was made, in ticks. */
  readonly $lastUpdatedByDigest: string;
}

/** Returns the section of a new twin, at version 1. */
export function newSection(content: JsonObject, stamp: Stamp): TwinSection {
  const [values, metadata] = merge(emptyJsonObject(), emptyJsonObject(), content, stamp);
  return { values, metadata, version: 1 };
}

/**
 * Returns a section after a merge patch: `null` deletes a key at any depth, objects are merged, and anything else
 * replaces what was there. The version grows by one. The root, every object on the way and every leaf written get the
 * stamp.
 */
export function mergeSection(section: TwinSection, patch: JsonObject, stamp: Stamp): TwinSection {
  const [values, metadata] = merge(section.values, section.metadata, patch, stamp);
  return { values, metadata, version: section.version + 1 };
}

/** Returns a section with other content. The version grows by one, as with any write. */
export function replaceSection(section: TwinSection, content: JsonObject, stamp: Stamp): TwinSection {
  return { ...newSection(content, stamp), version: section.version + 1 };
}

/** Returns tags after a merge patch. Tags have neither versions nor metadata. */
export function mergeTags(tags: JsonObject, patch: JsonObject): JsonObject {
  return merge(tags, undefined, patch, undefined)[0];
}

function merge(
  values: JsonObject,
  metadata: JsonObject | undefined,
  patch: JsonObject,
  stamp: Stamp | undefined,
): [JsonObject, JsonObject] {
  const nextValues = Object.assign(emptyJsonObject(), values);
  const nextMetadata = stamped(Object.assign(emptyJsonObject(), metadata), stamp);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      delete nextValues[key];
      delete nextMetadata[key];
    } else if (isJsonObject(value)) {
      const below = objectAt(nextValues, key) ?? emptyJsonObject();
      const merged = merge(below, objectAt(nextMetadata, key), value, stamp);
      nextValues[key] = merged[0];
      nextMetadata[key] = merged[1];
    } else {
      nextValues[key] = value;
      nextMetadata[key] = Object.assign(emptyJsonObject(), stamp);
    }
  }
  return [nextValues, nextMetadata];
}

function objectAt(holder: JsonObject, key: string): JsonObject | undefined {
  const value: JsonValue | undefined = holder[key];
  return isJsonObject(value) ? value : undefined;
}

function stamped(metadata: JsonObject, stamp: Stamp | undefined): JsonObject {
  delete metadata["$lastUpdatedBy"];
  delete metadata["$lastUpdatedByDigest"];
  return Object.assign(metadata, stamp);
}
