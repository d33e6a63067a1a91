import type { Twin } from "../../gen/types.gen.ts";
import { wrongType } from "../values/checks.ts";
import { checkJson, isMerged, isObject, isSame } from "../values/json.ts";

/**
 * What a twin can be written with. Members beside these, such as those of a twin just read, are sent along; the hub
 * ignores the ones it owns.
 */
export interface TwinPatch {
  /** Data of the back end, which the device never sees. `null` deletes a tag. */
  tags?: Record<string, unknown> | null;
  /** The sections of properties; only the desired ones can be written from here. */
  properties?: {
    /** What the back end wants of the device. `null` deletes a property. */
    desired?: Record<string, unknown> | null;
    /** Ignored: only the device writes these. */
    reported?: Record<string, unknown>;
  };
  /** Members of a twin just read. */
  [member: string]: unknown;
}

/** Throws unless `patch` is an object with sections that are objects, all of values that JSON can carry. */
export function checkTwinPatch(name: string, patch: TwinPatch): void {
  checkSection(name, patch);
  checkSection(`${name}.tags`, patch.tags ?? {});
  checkSection(`${name}.properties`, patch.properties ?? {});
  checkSection(`${name}.properties.desired`, patch.properties?.desired ?? {});
  checkJson(name, patch);
}

function checkSection(name: string, section: unknown): void {
  if (!isObject(section)) throw wrongType(name, "an object", section);
}

/** Whether a twin has all that a merge patch set, and nothing that it deleted. */
export function hasPatch(patch: TwinPatch, found: Twin): boolean {
  return isMerged(writable(patch), writable(found));
}

/** Whether a twin is what a replacement made of it. */
export function isReplacement(replacement: TwinPatch, found: Twin): boolean {
  return isSame(writable(replacement), writable(found));
}

function writable({ tags, properties }: TwinPatch | Twin): Record<string, unknown> {
  return { tags: tags ?? {}, desired: properties?.desired ?? {} };
}
