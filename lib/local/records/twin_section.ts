import { emptyJsonObject, isJsonObject, type JsonObject, type JsonValue } from "../json.ts";

/** One of the two property sections of a twin. Never changed in place: a write makes a new one. */
export interface TwinSection {
  readonly values: JsonObject;
  readonly metadata: JsonObject;
  readonly version: number;
}

/** What a write leaves in `$metadata` at every place it touches. */
export interface Stamp {
  readonly $lastUpdated: string;
  readonly $lastUpdatedVersion?: number;
}

/** The section of a new twin: empty, version 1. */
export function newSection(time: string): TwinSection {
  return { values: emptyJsonObject(), metadata: stamped(emptyJsonObject(), { $lastUpdated: time }), version: 1 };
}

/**
 * A section after a merge patch: `null` deletes a key at any depth, objects merge, everything else replaces. The
 * version moves by one, and so do the stamps at the root, on the path and at each leaf written.
 */
export function mergeSection(section: TwinSection, patch: JsonObject, stamp: Stamp): TwinSection {
  const [values, metadata] = merge(section.values, section.metadata, patch, stamp);
  return { values, metadata, version: section.version + 1 };
}

/** A section whose whole content gives way to another. The version goes on from where it was. */
export function replaceSection(section: TwinSection, content: JsonObject, stamp: Stamp): TwinSection {
  const [values, metadata] = merge(emptyJsonObject(), emptyJsonObject(), content, stamp);
  return { values, metadata, version: section.version + 1 };
}

/** Tags have neither versions nor metadata. */
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
      nextMetadata[key] = stamped(emptyJsonObject(), stamp);
    }
  }
  return [nextValues, nextMetadata];
}

function objectAt(holder: JsonObject, key: string): JsonObject | undefined {
  const value: JsonValue | undefined = holder[key];
  return isJsonObject(value) ? value : undefined;
}

function stamped(metadata: JsonObject, stamp: Stamp | undefined): JsonObject {
  return Object.assign(metadata, stamp);
}
