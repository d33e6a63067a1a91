/** Any JSON value. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  [key: string]: JsonValue;
}

/** Whether a parsed JSON value is an object: neither `null` nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A JSON object that inherits nothing, so that a key such as `__proto__` is a key like any other. */
export function emptyJsonObject(): JsonObject {
  return Object.create(null);
}

/** A deep copy that shares nothing with its source. */
export function copyJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}
