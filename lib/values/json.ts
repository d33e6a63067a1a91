import { describeType } from "./checks.ts";

/** What JSON cannot carry: where it is, what it is, and whether its type or its value is wrong. */
interface JsonFault {
  path: string;
  readonly what: string;
  readonly kind: typeof TypeError | typeof RangeError;
}

/**
 * Throws unless JSON can carry `value` as it is. `JSON.stringify` would turn NaN into null, which deletes a twin property,
 * and leave out functions without a word. Members that are undefined are left out on purpose.
 */
export function checkJson(name: string, value: unknown): void {
  const fault = findFault(value, []);
  if (fault !== undefined) throw new fault.kind(`Cannot use ${name}${fault.path}, ${fault.what}: JSON cannot carry it`);
}

/** The first fault in a value. Its path grows on the way back, so that a good value costs no text. */
function findFault(value: unknown, ancestors: object[]): JsonFault | undefined {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : wrong(`the number ${value}`, RangeError);
  if (typeof value !== "object") return wrong(describeType(value));
  // (`in` would take half of the whole time.)
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON !== "function") return faultInside(value, ancestors);
  // A Date that is no point in time becomes null.
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? wrong("an invalid Date") : undefined;
  const replacement: unknown = toJSON.call(value, "");
  // JSON.stringify calls toJSON once, and takes the replacement as it is even where that has a toJSON of its own.
  return typeof replacement === "object" && replacement !== null
    ? faultInside(replacement, ancestors)
    : findFault(replacement, ancestors);
}

function faultInside(value: object, ancestors: object[]): JsonFault | undefined {
  if (ancestors.includes(value)) return wrong("an object within itself");
  ancestors.push(value);
  const fault = Array.isArray(value) ? faultInArray(value, ancestors) : faultInObject(value, ancestors);
  ancestors.pop();
  return fault;
}

function faultInArray(array: readonly unknown[], ancestors: object[]): JsonFault | undefined {
  for (let index = 0; index < array.length; index++) {
    const fault = findFault(array[index], ancestors);
    if (fault !== undefined) return below(`[${index}]`, fault);
  }
  return undefined;
}

function faultInObject(object: object, ancestors: object[]): JsonFault | undefined {
  // Quicker than with a list of the keys. Inherited members are not sent, so that they may be anything.
  let isEmpty = true;
  for (const key in object) {
    isEmpty = false;
    const member = (object as Record<string, unknown>)[key];
    const fault = member === undefined ? undefined : findFault(member, ancestors);
    if (fault !== undefined && Object.hasOwn(object, key)) return below(`.${key}`, fault);
  }
  // Looked at last, and only where it can matter, to save time.
  return isEmpty && (object instanceof Map || object instanceof Set) ? wrong("a Map or a Set") : undefined;
}

function wrong(what: string, kind: JsonFault["kind"] = TypeError): JsonFault {
  return { path: "", what, kind };
}

function below(key: string, fault: JsonFault): JsonFault {
  fault.path = key + fault.path;
  return fault;
}

/** Whether a value is what JSON calls an object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a text says in JSON; `undefined`, which JSON cannot say, where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** JSON equality, whatever the order of members. */
export function isSame(one: unknown, other: unknown): boolean {
  return isMerged(one, other) && isMerged(other, one);
}

/** Whether all that was sent is there; null stands for what is gone, and what is undefined was not sent. */
export function isMerged(sent: unknown, found: unknown): boolean {
  if (Array.isArray(sent) && Array.isArray(found)) {
    return sent.length === found.length && sent.every((member, index) => isSame(member, found[index]));
  }
  if (!isObject(sent) || !isObject(found)) return sent === found;
  return Object.entries(sent).every(([key, value]) =>
    // The hub writes these itself and ignores what is sent.
    value === undefined || key === "$metadata" || key === "$version" ||
    isMerged(value, Object.hasOwn(found, key) ? found[key] : null)
  );
}
