import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";

/** The member that tells a component of a device from a property that is an object. */
const MARK = "__t";
const COMPONENT = "c";

/** Whether a part of a twin is a component. */
export function isComponent(value: JsonValue | undefined): value is JsonObject {
  return isJsonObject(value) && value[MARK] === COMPONENT;
}

/** Whether a name is none of a property. */
export function isMark(name: string): boolean {
  return name === MARK;
}

/** Returns a component with these properties. */
export function component(properties: JsonObject): JsonObject {
  return { [MARK]: COMPONENT, ...properties };
}
