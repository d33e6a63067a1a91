import { describeType } from "./checks.ts";

/**
 * Throws unless JSON can carry `value` as it is. `JSON.stringify` would turn NaN into null, which deletes a twin property,
 * and leave out functions without a word. Members that are undefined are left out on purpose.
 */
export function checkJson(name: string, value: unknown): void {
  const fault = findFault(value, []);
  if (fault === undefined) return;
  const message = `Cannot use ${name}${fault}: JSON cannot carry it`;
  throw /, the number \S+$/.test(fault) ? new RangeError(message) : new TypeError(message);
}

/** Where there is something that JSON cannot carry, and what; grows on the way back, so that a good value costs no text. */
function findFault(value: unknown, ancestors: object[]): string | undefined {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : `, the number ${value}`;
  if (typeof value !== "object") return `, ${describeType(value)}`;
  // Says itself what it is in JSON, as a Date does; one of no time says null. (`in` would take half of the whole time.)
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON !== "function") return faultInside(value, ancestors);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? ", an invalid Date" : undefined;
  const said: unknown = toJSON.call(value, "");
  // What it says is not asked again what it is.
  return typeof said === "object" && said !== null ? faultInside(said, ancestors) : findFault(said, ancestors);
}

function faultInside(value: object, ancestors: object[]): string | undefined {
  if (ancestors.includes(value)) return ", an object within itself";
  ancestors.push(value);
  const fault = Array.isArray(value) ? faultInArray(value, ancestors) : faultInObject(value, ancestors);
  ancestors.pop();
  return fault;
}

function faultInArray(array: readonly unknown[], ancestors: object[]): string | undefined {
  for (let index = 0; index < array.length; index++) {
    const fault = findFault(array[index], ancestors);
    if (fault) return `[${index}]${fault}`;
  }
  return undefined;
}

function faultInObject(object: object, ancestors: object[]): string | undefined {
  // Quicker than with a list of the keys; members that are inherited are not sent, so that they may be what they like.
  let isEmpty = true;
  for (const key in object) {
    isEmpty = false;
    const member = (object as Record<string, unknown>)[key];
    const fault = member === undefined ? undefined : findFault(member, ancestors);
    if (fault && Object.hasOwn(object, key)) return `.${key}${fault}`;
  }
  // Asked last and seldom, for the sake of time.
  return isEmpty && (object instanceof Map || object instanceof Set) ? ", a Map or a Set" : undefined;
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
