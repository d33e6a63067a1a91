import type { Twin } from "../../gen/types.gen.ts";
import { wrongType } from "../values/checks.ts";
import { checkJson, isMerged, isObject, isSame } from "../values/json.ts";

/**
 * The changes to write to a twin. Other members, such as those of a twin that was just read, are sent too, and the hub
 * ignores the ones that only it can write.
 */
export interface TwinPatch {
  /** Data of the back end, which the device cannot see. In an update, `null` deletes a tag. */
  tags?: Record<string, unknown> | null | undefined;
  /** The properties, of which a back end can only write the desired ones. */
  properties?: {
    /** The state that the device should have. In an update, `null` deletes a property. */
    desired?: Record<string, unknown> | null | undefined;
    /** Ignored, since only the device can write them. */
    reported?: Record<string, unknown> | undefined;
  } | undefined;
  /** Other members of a twin that was just read. */
  [member: string]: unknown;
}

/** Throws unless `patch` and its sections are objects, and JSON can represent all their values. */
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

/** Whether a twin has everything that a merge patch has set, and nothing that it has deleted. */
export function hasPatch(patch: TwinPatch, found: Twin): boolean {
  return isMerged(writable(patch), writable(found));
}

/** Whether a twin is the result of a replacement. */
export function isReplacement(replacement: TwinPatch, found: TwinPatch | Twin): boolean {
  return isSame(writable(replacement), writable(found));
}

function writable({ tags, properties }: TwinPatch | Twin): Record<string, unknown> {
  return { tags: tags ?? {}, desired: properties?.desired ?? {} };
}
