import type { JsonPatchOperation } from "../../gen/types.gen.ts";
import { checkChoice, checkText, wrongType, wrongValue } from "../values/checks.ts";
import { checkJson } from "../values/json.ts";
import { checkMembers } from "../values/members.ts";

/** What RFC 6902 lets an operation be, each with the member that it needs beside its path. */
const NEEDS = {
  add: "value",
  remove: undefined,
  replace: "value",
  move: "from",
  copy: "from",
  test: "value",
} as const;

/** A JSON Pointer, of RFC 6901. */
const POINTER = /^(?:\/(?:[^~]|~[01])*)?$/;
const POINTER_RULE = "a JSON Pointer such as /thermostat1/targetTemperature, with ~ as ~0 and / as ~1 in names";

/** Throws unless an argument is a JSON Patch. */
export function checkJsonPatch(patch: readonly JsonPatchOperation[]): void {
  if (!Array.isArray(patch)) throw wrongType("patch", "an array", patch);
  if (patch.length === 0) throw wrongValue("patch of no operations", "one or more operations");
  for (const [index, operation] of patch.entries()) checkOperation(`patch[${index}]`, operation);
  checkJson("patch", patch);
}

function checkOperation(name: string, operation: JsonPatchOperation): void {
  checkMembers(name, operation, ["op", "path", "from", "value"]);
  const { op, path, from, value } = operation;
  checkChoice(`${name}.op`, op, Object.keys(NEEDS));
  checkText(`${name}.path`, path, POINTER, POINTER_RULE);
  const needed = NEEDS[op!];
  if (needed === "value" && value === undefined) throw wrongType(`${name}.value`, "a JSON value", value);
  if (needed !== "from") return;
  checkText(`${name}.from`, from, POINTER, POINTER_RULE);
  if (op === "move" && path.startsWith(`${from}/`)) throw wrongValue(`${name}.path`, "outside of what is moved");
}
