import { describeType } from "./identifiers.ts";

/**
 * Throws unless JSON can carry `value` as it is. `JSON.stringify` would turn NaN into null, which deletes a twin property,
 * and leave out functions without a word. Members that are undefined are left out on purpose.
 */
export function checkJson(name: string, value: unknown): void {
  const fault = findFault(value);
  if (fault === undefined) return;
  const message = `Cannot use ${name}${fault.path}: JSON cannot carry ${fault.what}`;
  throw fault.what.startsWith("the number") ? new RangeError(message) : new TypeError(message);
}

/** What JSON cannot carry, and where; the path grows on the way back, so that a good value costs no text. */
function findFault(value: unknown, ancestors: object[] = []): { path: string; what: string } | undefined {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : { path: "", what: `the number ${value}` };
  if (typeof value !== "object") return { path: "", what: describeType(value) };
  if (ancestors.includes(value)) return { path: "", what: "an object within itself" };
  // Says itself what it is in JSON, as a Date does; one of no time says null.
  if ("toJSON" in value) {
    return value instanceof Date && Number.isNaN(value.getTime()) ? { path: "", what: "an invalid Date" } : undefined;
  }
  ancestors.push(value);
  const isArray = Array.isArray(value);
  for (const key of isArray ? value.keys() : Object.keys(value)) {
    const member = (value as Record<string | number, unknown>)[key];
    const fault = member === undefined && !isArray ? undefined : findFault(member, ancestors);
    if (fault !== undefined) return { path: `${isArray ? `[${key}]` : `.${key}`}${fault.path}`, what: fault.what };
  }
  ancestors.pop();
  return undefined;
}
