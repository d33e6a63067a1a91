import { emptyJsonObject, isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { mergeTags } from "../records/twin_section.ts";

/** Sets the desired property at a path. An empty path stands for all of them. */
export interface Assignment {
  readonly path: readonly string[];
  readonly value: JsonValue;
}

/** Carries out assignments one after the other, and returns the properties as they are then. */
export function assign(properties: JsonObject, assignments: readonly Assignment[]): JsonObject {
  let next = properties;
  for (const { path, value } of assignments) next = setAt(next, path, value);
  return next;
}

/** A value takes the place of all that was there. `null` removes it. */
function setAt(properties: JsonObject, [name, ...below]: readonly string[], value: JsonValue): JsonObject {
  if (name === undefined) return isJsonObject(value) ? withoutNulls(value) : properties;
  const next = Object.assign(emptyJsonObject(), properties);
  if (below.length > 0) {
    const object = next[name];
    next[name] = setAt(isJsonObject(object) ? object : emptyJsonObject(), below, value);
  } else if (value === null) delete next[name];
  else next[name] = isJsonObject(value) ? withoutNulls(value) : value;
  return next;
}

/** A twin holds no `null`. */
function withoutNulls(object: JsonObject): JsonObject {
  return mergeTags(emptyJsonObject(), object);
}
