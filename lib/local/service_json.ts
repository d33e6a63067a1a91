import { emptyJsonObject, isJsonObject, type JsonValue } from "./json.ts";

/** What a part of a service's JSON is: as it is, a number, true or false, a list of parts, or an object of named parts. */
export type Shape = "any" | "number" | "boolean" | ListShape | ObjectShape;

/** A list, each element of which has the same shape. */
export interface ListShape {
  readonly element: Shape;
}

/** An object; the shapes of its members with their names, by their names in lower case. */
export interface ObjectShape {
  readonly members: ReadonlyMap<string, readonly [name: string, shape: Shape]>;
}

/** Describes a list by its elements. */
export function listOf(element: Shape): ListShape {
  return { element };
}

/** Describes an object by its members. */
export function objectOf(members: Readonly<Record<string, Shape>>): ObjectShape {
  return { members: new Map(Object.entries(members).map(([name, shape]) => [name.toLowerCase(), [name, shape]])) };
}

/**
 * Reads the JSON of a service's user as the real hub, a .NET service, does: names without regard to case, and numbers,
 * `true` and `false` in texts, too. A known name comes out as the shape writes it, and the last of several counts. What
 * the shape does not know, or has another type, stays as it is: the reader of the member judges it.
 */
export function readServiceJson(value: JsonValue, shape: Shape): JsonValue {
  if (typeof shape === "string") return typeof value === "string" ? readText(value, shape) : value;
  if ("element" in shape) {
    return Array.isArray(value) ? value.map((element) => readServiceJson(element, shape.element)) : value;
  }
  if (!isJsonObject(value)) return value;
  const read = emptyJsonObject();
  for (const [name, member] of Object.entries(value)) {
    const [knownName, memberShape] = shape.members.get(name.toLowerCase()) ?? [name, "any"];
    read[knownName] = readServiceJson(member, memberShape);
  }
  return read;
}

function readText(text: string, shape: "any" | "number" | "boolean"): JsonValue {
  if (shape === "number" && /^\s*[+-]?\d+\s*$/.test(text)) return Number(text);
  if (shape === "boolean" && /^\s*(?:true|false)\s*$/i.test(text)) return /true/i.test(text);
  return text;
}
