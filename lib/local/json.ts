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

/** An empty prototype. Without any, engines would keep an object in a hash table, which is slow to read. */
const NOTHING: object = Object.freeze(Object.create(null));

/** Creates an object that inherits nothing, so that `__proto__` is a key like any other. */
export function emptyJsonObject(): JsonObject {
  return Object.create(NOTHING);
}

/** Copies a JSON value deeply. */
export function copyJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

/** How deep the JSON may be nested that comes from outside, so that no later step runs out of stack. */
export const MAX_JSON_DEPTH = 128;

/**
 * Parses a JSON text that comes from outside.
 *
 * @throws {SyntaxError} When it is not JSON.
 * @throws {RangeError} When it is nested deeper than {@linkcode MAX_JSON_DEPTH}.
 */
export function parseOutsideJson(text: string): JsonValue {
  if (isNestedTooDeep(text)) throw new RangeError(`The JSON is nested deeper than ${MAX_JSON_DEPTH} levels`);
  return JSON.parse(text);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [OPENING_BRACKET, OPENING_BRACE] = [0x5b, 0x7b];
const [CLOSING_BRACKET, CLOSING_BRACE] = [0x5d, 0x7d];

/** Counts the open brackets, since some runtimes parse by recursion. The text need not be valid JSON. */
function isNestedTooDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (isInString) {
      if (unit === BACKSLASH) at++;
      else if (unit === QUOTE) isInString = false;
    } else if (unit === QUOTE) isInString = true;
    else if (unit === OPENING_BRACKET || unit === OPENING_BRACE) {
      if (++depth > MAX_JSON_DEPTH) return true;
    } else if (unit === CLOSING_BRACKET || unit === CLOSING_BRACE) depth--;
  }
  return false;
}
