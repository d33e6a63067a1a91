import { describeType } from "./checks.ts";

/** Something that JSON cannot represent: where it is, what it is, and the class of error to throw for it. */
interface JsonFault {
  path: string;
  readonly what: string;
  readonly kind: typeof TypeError | typeof RangeError;
}

/** How deep objects may be within each other, and how many there may be, for them to be taken as they are. */
const MAX_DEPTH = 50;
const MAX_OBJECTS = 5000;

/** A walk through a value. */
interface Walk {
  /** The objects around the one that is looked at, if they are to be compared with it. */
  readonly ancestors?: object[];
  /** How many objects were looked at. */
  objects: number;
}

/**
 * Throws unless JSON can represent `value`. `JSON.stringify` would turn NaN into null, which deletes a twin property, and
 * would silently leave out functions. Members that are `undefined` may be left out.
 */
export function checkJson(name: string, value: unknown): void {
  // To compare each object with those around it takes a third of the time, so that is done only if there is a doubt.
  if (findFault(value, { objects: 0 }, 0) === undefined) return;
  const fault = findFault(value, { ancestors: [], objects: 0 }, 0);
  if (fault !== undefined) {
    throw new fault.kind(`Cannot use ${name}${fault.path}, ${fault.what}: JSON cannot represent it`);
  }
}

/** Finds the first fault in a value. Its path is built on the way back, so that a value without a fault costs nothing. */
function findFault(value: unknown, walk: Walk, depth: number): JsonFault | undefined {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : wrong(`the number ${value}`, RangeError);
  if (typeof value !== "object") return wrong(describeType(value));
  // Using `in` here would take half of the time of the whole check.
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON !== "function") return faultInside(value, walk, depth);
  // JSON.stringify turns an invalid Date into null.
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? wrong("an invalid Date") : undefined;
  const replacement: unknown = toJSON.call(value, "");
  // JSON.stringify calls toJSON only once, even if the replacement has a toJSON too.
  return typeof replacement === "object" && replacement !== null
    ? faultInside(replacement, walk, depth)
    : findFault(replacement, walk, depth);
}

function faultInside(value: object, walk: Walk, depth: number): JsonFault | undefined {
  const { ancestors } = walk;
  if (ancestors === undefined && (++walk.objects > MAX_OBJECTS || depth > MAX_DEPTH)) return wrong("in doubt");
  if (ancestors?.includes(value)) return wrong("a circular reference");
  ancestors?.push(value);
  const fault = Array.isArray(value) ? faultInArray(value, walk, depth + 1) : faultInObject(value, walk, depth + 1);
  ancestors?.pop();
  return fault;
}

function faultInArray(array: readonly unknown[], walk: Walk, depth: number): JsonFault | undefined {
  for (let index = 0; index < array.length; index++) {
    const fault = findFault(array[index], walk, depth);
    if (fault !== undefined) return below(`[${index}]`, fault);
  }
  return undefined;
}

function faultInObject(object: object, walk: Walk, depth: number): JsonFault | undefined {
  // This is faster than making a list of the keys. Inherited members are not sent, so they can be anything.
  let isEmpty = true;
  for (const key in object) {
    isEmpty = false;
    const member = (object as Record<string, unknown>)[key];
    // Most members are strings, which need no call.
    if (typeof member === "string" || member === undefined) continue;
    const fault = findFault(member, walk, depth);
    if (fault !== undefined && Object.hasOwn(object, key)) return below(`.${key}`, fault);
  }
  // This comes last, and only for objects without members, since it takes long.
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

/** Returns an object without its members that are `null`. Hubs return it for what is not there. */
export function withoutNulls<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, member]) => member !== null)) as T;
}

/** Parses JSON. Returns `undefined`, which JSON cannot represent, if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether two values are equal as JSON, in any order of their members. */
export function isSame(one: unknown, other: unknown): boolean {
  return isMerged(one, other) && isMerged(other, one);
}

/**
 * Whether `found` can be the result of a merge of `sent`: it has every member of `sent` with the same value, and has none
 * that is `null` there. Members of `sent` that are `undefined` were not sent, and do not count.
 */
export function isMerged(sent: unknown, found: unknown): boolean {
  if (Array.isArray(sent) && Array.isArray(found)) {
    return sent.length === found.length && sent.every((member, index) => isSame(member, found[index]));
  }
  if (!isObject(sent) || !isObject(found)) return sent === found;
  return Object.entries(sent).every(([key, value]) =>
    // The hub sets these itself and ignores the values that are sent.
    value === undefined || key === "$metadata" || key === "$version" ||
    isMerged(value, Object.hasOwn(found, key) ? found[key] : null)
  );
}
