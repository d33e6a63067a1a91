import { isSame } from "../../values/json.ts";
import { emptyJsonObject, isJsonObject, type JsonObject } from "../json.ts";

/** Returns the merge patch (RFC 7396) that makes one object the other; an empty one where they are the same. */
export function mergePatch(before: JsonObject, after: JsonObject): JsonObject {
  const patch = emptyJsonObject();
  for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) patch[name] = null;
  for (const [name, value] of Object.entries(after)) {
    const old = Object.hasOwn(before, name) ? before[name] : undefined;
    if (isJsonObject(value) && isJsonObject(old)) {
      const below = mergePatch(old, value);
      if (Object.keys(below).length > 0) patch[name] = below;
    } else if (!isSame(value, old)) patch[name] = value;
  }
  return patch;
}
