import { quote } from "../../values/checks.ts";
import { emptyJsonObject, isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { TwinRecord } from "../records/identity_records.ts";
import { reportedValue } from "./acknowledgement.ts";
import { component, isComponent, isMark } from "./components.ts";
import { applyJsonPatch, type PatchStep, type Pointer, readJsonPatch, wrongPatch } from "./json_patch.ts";

/**
 * Returns what a JSON Patch of a digital twin means for its desired properties, as a merge patch. The steps see the
 * properties as they are wanted, or as the device reports them where nothing is wanted of them.
 *
 * @throws {HubFault} `InvalidDigitalTwinJsonPatch`, `InvalidDigitalTwinPatchPath` or `InvalidDigitalTwinPatch` (400).
 */
export function desiredPatchOf({ desired, reported }: TwinRecord, body: unknown): JsonObject {
  const before = overlay(desired.values, reported.values, true);
  const steps = readJsonPatch(body).map((step) => withComponent(step, before));
  const after = applyJsonPatch(before, steps);
  const patch = emptyJsonObject();
  for (const path of steps.flatMap(writtenPaths)) {
    write(patch, upToArray(path, [before, after]), desired.values, after);
  }
  return patch;
}

/** A value at the root that has metadata is a component, and nothing else can take the place of one. */
function withComponent(step: PatchStep, before: JsonObject): PatchStep {
  if ((step.op !== "add" && step.op !== "replace") || step.path.length > 1) return step;
  const { value, path: [name = ""] } = step;
  if (!isJsonObject(value) || !Object.hasOwn(value, "$metadata")) {
    if (!isComponent(before[name])) return step;
    throw wrongPatch(`${quote(name)} is a component, so its value must be an object with "$metadata": {}`);
  }
  const { $metadata: _, ...properties } = value;
  return { ...step, value: component(properties) };
}

/** Returns the desired values, and the reported ones where there are none. */
function overlay(desired: JsonObject, reported: JsonObject, isRoot: boolean): JsonObject {
  const values = Object.assign(emptyJsonObject(), desired);
  for (const [name, told] of Object.entries(reported)) {
    const wanted = desired[name];
    if (isRoot && isComponent(told)) {
      values[name] = overlay(isJsonObject(wanted) ? wanted : emptyJsonObject(), told, false);
    } else if (wanted === undefined) {
      const value = isMark(name) ? told : reportedValue(told);
      if (value !== undefined) values[name] = value;
    }
  }
  return values;
}

function writtenPaths(step: PatchStep): Pointer[] {
  switch (step.op) {
    case "test":
      return [];
    case "move":
      return [step.from, step.path];
    default:
      return [step.path];
  }
}

/** A twin holds an array as a whole: returns the path to the array that a path leads into, or else the path itself. */
function upToArray(path: Pointer, documents: readonly JsonObject[]): Pointer {
  for (let length = 1; length < path.length; length++) {
    if (documents.some((document) => Array.isArray(valueAt(document, path.slice(0, length))))) {
      return path.slice(0, length);
    }
  }
  return path;
}

/** Adds to a merge patch what makes of the desired values at a path what they are afterwards. */
function write(patch: JsonObject, path: Pointer, desired: JsonObject, after: JsonObject): void {
  let holder = patch;
  for (const [at, name] of path.slice(0, -1).entries()) {
    holder[name] ??= at === 0 && isComponent(after[name]) ? component({}) : emptyJsonObject();
    const next: JsonValue = holder[name];
    // All that is above the path is written already.
    if (!isJsonObject(next)) return;
    holder = next;
  }
  holder[path.at(-1)!] = replacement(valueAt(desired, path), valueAt(after, path));
}

/** Returns the merge patch that makes of one value the other one. */
function replacement(from: JsonValue | undefined, to: JsonValue | undefined): JsonValue {
  if (to === undefined) return null;
  if (!isJsonObject(to) || !isJsonObject(from)) return to;
  const patch = emptyJsonObject();
  for (const name of Object.keys(from)) if (!Object.hasOwn(to, name)) patch[name] = null;
  for (const [name, value] of Object.entries(to)) patch[name] = replacement(from[name], value);
  return patch;
}

function valueAt(document: JsonObject, path: Pointer): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const name of path) value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return value;
}
