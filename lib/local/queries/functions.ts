import { isJsonObject } from "../json.ts";
import { isPrimitive } from "./operators.ts";

/** A function of the language. `undefined` stands for a result that is neither true nor false. */
export interface QueryFunction {
  /** How many arguments it takes: one or two. */
  readonly arity: 1 | 2;
  readonly of: (value: unknown, other?: unknown) => boolean | undefined;
}

/**
 * The functions that a real hub takes in queries for twins. Those for routes, such as `CONTAINS` and `UPPER`, are not
 * among them.
 */
export const QUERY_FUNCTIONS: ReadonlyMap<string, QueryFunction> = new Map<string, QueryFunction>([
  ["IS_DEFINED", { arity: 1, of: (value) => value !== undefined }],
  ["STARTSWITH", { arity: 2, of: (value, other) => ofTexts(value, other, (text, start) => text.startsWith(start)) }],
  ["ENDSWITH", { arity: 2, of: (value, other) => ofTexts(value, other, (text, end) => text.endsWith(end)) }],
  ["ARRAY_CONTAINS", { arity: 2, of: arrayContains }],
  ["IS_ARRAY", { arity: 1, of: (value) => Array.isArray(value) }],
  ["IS_BOOL", { arity: 1, of: (value) => typeof value === "boolean" }],
  ["IS_NULL", { arity: 1, of: (value) => value === null }],
  ["IS_NUMBER", { arity: 1, of: (value) => typeof value === "number" }],
  ["IS_OBJECT", { arity: 1, of: isJsonObject }],
  ["IS_PRIMITIVE", { arity: 1, of: isPrimitive }],
  ["IS_STRING", { arity: 1, of: (value) => typeof value === "string" }],
]);

function ofTexts(
  value: unknown,
  other: unknown,
  test: (text: string, other: string) => boolean,
): boolean | undefined {
  return typeof value === "string" && typeof other === "string" ? test(value, other) : undefined;
}

/** As everywhere in the language, only primitives are compared. */
function arrayContains(array: unknown, value: unknown): boolean | undefined {
  return Array.isArray(array) && isPrimitive(value) ? array.includes(value) : undefined;
}
