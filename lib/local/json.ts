/** Any JSON value. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  [key: string]: JsonValue;
}

/** Whether a parsed JSON value is an object, not `null` or an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Creates an object without a prototype, so that `__proto__` is a key like any other. */
export function emptyJsonObject(): JsonObject {
  return Object.create(null);
}

/** Copies a JSON value deeply. */
export function copyJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}
