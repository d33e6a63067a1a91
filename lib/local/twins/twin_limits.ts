import { cannotUse } from "../../values/checks.ts";
import { byteLength } from "../byte_length.ts";
import { type HubFault, invalidArgument } from "../hub_fault.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";

const MAX_OBJECT_LEVELS = 10;
const MAX_KEY_BYTES = 1024;
const MAX_STRING_BYTES = 4096;
const MIN_INTEGER = -4503599627370496;
const MAX_INTEGER = 4503599627370495;
// deno-lint-ignore no-control-regex
const FORBIDDEN_IN_KEY = /[\u0000-\u001f\u007f-\u009f.$# ]/;
// deno-lint-ignore no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/g;
const KIBIBYTE = 1024;

/** The largest size of each section of a twin, in bytes. */
export const SECTION_LIMITS: { readonly tags: number; readonly desired: number; readonly reported: number } = {
  tags: 8 * KIBIBYTE,
  desired: 32 * KIBIBYTE,
  reported: 32 * KIBIBYTE,
};

/**
 * Checks the names and values in a section of a twin. `null`, which deletes a key, is legal anywhere but in an array and
 * below.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when one breaks a rule.
 */
export function checkSectionContent(section: string, content: JsonObject): void {
  checkObject(content, section, 0);
}

/**
 * Checks the size of a section.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when it is over the limit.
 */
export function checkSectionSize(section: keyof typeof SECTION_LIMITS, values: JsonObject): void {
  const size = sizeOf(values);
  const limit = SECTION_LIMITS[section];
  if (size > limit) {
    throw invalidArgument(cannotUse(`${section} of ${size} bytes`, `at most ${limit} bytes`));
  }
}

function checkObject(object: JsonObject, path: string, level: number, isInArray: boolean = false): void {
  if (level > MAX_OBJECT_LEVELS) {
    throw invalidArgument(
      `Property or Tag nesting is deeper than ${MAX_OBJECT_LEVELS} levels. Error in Property/Tag ${path}`,
    );
  }
  for (const [key, value] of Object.entries(object)) {
    const keyPath = `${path}.${key}`;
    checkKey(key, keyPath);
    if (value !== null) checkValue(value, key, keyPath, level, isInArray);
    else if (isInArray) throw nullInArray(key);
  }
}

function checkKey(key: string, path: string): void {
  if (FORBIDDEN_IN_KEY.test(key)) {
    throw invalidArgument(
      `Property or Tag name has invalid characters. Error in Property/Tag ${path}. ` +
        "Must not contain Control Characters, '.', '$', '#', or ' '.",
    );
  }
  if (byteLength(key) > MAX_KEY_BYTES) {
    throw invalidArgument(
      `Property or Tag name should be maximum ${MAX_KEY_BYTES} bytes. Error in Property/Tag ${path}`,
    );
  }
}

function checkValue(value: JsonValue, key: string, path: string, level: number, isInArray: boolean): void {
  if (typeof value === "string") {
    if (byteLength(value) > MAX_STRING_BYTES) {
      throw invalidArgument(
        `Property or Tag value should be maximum ${MAX_STRING_BYTES} bytes. Error in Property/Tag ${path}`,
      );
    }
  } else if (typeof value === "number") {
    // What no integer can be exactly is a double, which has no limits of its own.
    if (!Number.isFinite(value) || (Number.isSafeInteger(value) && (value < MIN_INTEGER || value > MAX_INTEGER))) {
      throw invalidArgument(
        `Property or Tag value should be an integer between ${MIN_INTEGER} and ${MAX_INTEGER}. Error in Property/Tag ${path}`,
      );
    }
  } else if (Array.isArray(value)) {
    for (const [index, element] of value.entries()) {
      if (element === null) throw nullInArray(key);
      checkValue(element, key, `${path}[${index}]`, level, true);
    }
  } else if (isJsonObject(value)) {
    checkObject(value, path, level + 1, isInArray);
  }
}

/** An array is replaced as a whole: there is nothing in it that \`null\` could delete. */
function nullInArray(key: string): HubFault {
  return invalidArgument(`Value of Property or Tag cannot be null. Error in Property/Tag ${key}`);
}

/** Returns a size as the hub counts it: names in UTF-8 bytes, strings in characters other than controls. */
function sizeOf(value: JsonValue): number {
  if (typeof value === "string") return value.replace(CONTROLS, "").length;
  if (typeof value === "number") return 8;
  if (typeof value === "boolean") return 4;
  if (value === null) return 0;
  if (Array.isArray(value)) return value.reduce<number>((sum, element) => sum + sizeOf(element), 0);
  let size = 0;
  for (const [key, below] of Object.entries(value)) size += byteLength(key) + sizeOf(below);
  return size;
}
