import { quote } from "../../values/checks.ts";
import { setOwn } from "../../values/own_member.ts";
import { HubFault } from "../hub_fault.ts";
import { copyJson, isJsonObject, type JsonObject, type JsonValue } from "../json.ts";

/** A place in a document, by the names and indexes on the way to it. */
export type Pointer = readonly string[];

/** One step of a JSON Patch. */
export type PatchStep =
  | { readonly op: "add" | "replace" | "test"; readonly path: Pointer; readonly value: JsonValue }
  | { readonly op: "remove"; readonly path: Pointer }
  | { readonly op: "move" | "copy"; readonly path: Pointer; readonly from: Pointer };

/**
 * Reads a JSON Patch (RFC 6902).
 *
 * @throws {HubFault} `InvalidDigitalTwinJsonPatch` (400) when it is none.
 */
export function readJsonPatch(body: unknown): PatchStep[] {
  if (!Array.isArray(body)) throw noPatch("it must be an array of steps");
  return body.map((step, index) => readStep(step, `step ${index}`));
}

function readStep(step: unknown, what: string): PatchStep {
  if (!isJsonObject(step)) throw noPatch(`${what} must be an object`);
  const { op, value } = step;
  const path = readPointer(step["path"], `path of ${what}`);
  switch (op) {
    case "add":
    case "replace":
    case "test":
      if (value === undefined) throw noPatch(`${what} must have a value`);
      return { op, path, value };
    case "remove":
      return { op, path };
    case "move":
    case "copy":
      return { op, path, from: readPointer(step["from"], `from of ${what}`) };
    default:
      throw noPatch(`op of ${what} must be "add", "remove", "replace", "move", "copy" or "test"`);
  }
}

/** Reads a JSON Pointer (RFC 6901). No part of a digital twin has a name that begins with a dollar sign. */
function readPointer(text: JsonValue | undefined, what: string): Pointer {
  if (typeof text !== "string" || !text.startsWith("/") || /~(?![01])/.test(text)) {
    throw noPatch(`${what} must be a JSON Pointer to a part of the digital twin, such as "/thermostat1/target"`);
  }
  const path = text.slice(1).split("/").map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (path[0]!.startsWith("$")) throw wrongPath(text, "it is the hub's own");
  return path;
}

/**
 * Carries out the steps of a patch, all or none.
 *
 * @param document It stays as it is.
 * @returns The document afterwards.
 * @throws {HubFault} `InvalidDigitalTwinPatchPath` (400) when a path leads nowhere, or `InvalidDigitalTwinPatch` (400)
 * when a test fails.
 */
export function applyJsonPatch(document: JsonObject, steps: readonly PatchStep[]): JsonObject {
  const next = copyJson(document);
  for (const step of steps) {
    const { op, path } = step;
    switch (op) {
      case "add":
        put(next, path, copyJson(step.value));
        break;
      case "replace":
        take(next, path);
        put(next, path, copyJson(step.value));
        break;
      case "remove":
        take(next, path);
        break;
      case "copy":
        put(next, path, copyJson(find(next, step.from)));
        break;
      case "move": {
        if (path.length > step.from.length && step.from.every((name, at) => name === path[at])) {
          throw wrongPath(textOf(path), "a part cannot be moved into itself");
        }
        put(next, path, take(next, step.from));
        break;
      }
      case "test":
        if (!isSameJson(find(next, path), step.value)) {
          throw wrongPatch(`a test has failed, ${textOf(path)} has another value`);
        }
    }
  }
  return next;
}

/** Returns the value at a path. */
function find(document: JsonObject, path: Pointer): JsonValue {
  const [holder, name] = holderOf(document, path);
  const value = Array.isArray(holder) ? holder[indexIn(holder, name, path, 0)] : ownMember(holder, name);
  if (value === undefined) throw wrongPath(textOf(path), "there is nothing");
  return value;
}

/** Removes the value at a path, and returns it. */
function take(document: JsonObject, path: Pointer): JsonValue {
  const value = find(document, path);
  const [holder, name] = holderOf(document, path);
  if (Array.isArray(holder)) holder.splice(indexIn(holder, name, path, 0), 1);
  else delete holder[name];
  return value;
}

/** Puts a value at a path: into an array, or into an object in place of what is there. */
function put(document: JsonObject, path: Pointer, value: JsonValue): void {
  const [holder, name] = holderOf(document, path);
  if (Array.isArray(holder)) holder.splice(name === "-" ? holder.length : indexIn(holder, name, path, 1), 0, value);
  else setOwn(holder, name, value);
}

function holderOf(document: JsonObject, path: Pointer): [holder: JsonObject | JsonValue[], name: string] {
  const name = path.at(-1)!;
  if (path.length === 1) return [document, name];
  const holder = find(document, path.slice(0, -1));
  if (Array.isArray(holder) || isJsonObject(holder)) return [holder, name];
  throw wrongPath(textOf(path), "there is neither an object nor an array above it");
}

function ownMember(holder: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(holder, name) ? holder[name] : undefined;
}

function indexIn(holder: readonly JsonValue[], name: string, path: Pointer, beyond: 0 | 1): number {
  const index = /^(?:0|[1-9]\d*)$/.test(name) ? Number(name) : NaN;
  if (index < holder.length + beyond) return index;
  throw wrongPath(textOf(path), "there is no such element");
}

/** Whether two values are the same, whatever the order of the members of their objects is. */
function isSameJson(one: JsonValue, other: JsonValue): boolean {
  if (Array.isArray(one)) {
    return Array.isArray(other) && one.length === other.length &&
      one.every((value, at) => isSameJson(value, other[at]!));
  }
  if (!isJsonObject(one)) return one === other;
  if (!isJsonObject(other)) return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSameJson(one[name]!, other[name]!));
}

function textOf(path: Pointer): string {
  return path.map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

function noPatch(rule: string): HubFault {
  return patchFault("InvalidDigitalTwinJsonPatch", 400505, `Cannot use the JSON Patch: ${rule}`);
}

/** 400 `InvalidDigitalTwinPatch`: the patch is one, but not of this digital twin. */
export function wrongPatch(reason: string): HubFault {
  return patchFault("InvalidDigitalTwinPatch", 400507, `Cannot carry out the JSON Patch: ${reason}`);
}

function wrongPath(path: string, reason: string): HubFault {
  return patchFault("InvalidDigitalTwinPatchPath", 400508, `Cannot use the path ${quote(path)}: ${reason}`);
}

function patchFault(code: string, errorNumber: number, message: string): HubFault {
  return new HubFault(code, 400, message, { errorNumber });
}
