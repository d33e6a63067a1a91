import type { Reader } from "../records/document_shape.ts";
import type { Expression, Literal, Path } from "./expressions.ts";
import { QUERY_FUNCTIONS } from "./functions.ts";
import { calculate, COMPARISONS, isPrimitive, not } from "./operators.ts";

/**
 * Compiles a condition, or a part of one, into a function of the record. Its value is `undefined` where something is
 * missing, and where a condition is neither true nor false.
 *
 * @param readerOf Returns how the value at a path is read.
 */
export function compile<R>(expression: Expression, readerOf: (path: Path) => Reader<R>): Reader<R> {
  switch (expression.kind) {
    case "literal":
      return () => expression.value;
    case "path":
      return readerOf(expression.path);
    case "not": {
      const operand = compile(expression.operand, readerOf);
      return (record) => not(operand(record));
    }
    case "and":
    case "or": {
      const operands = expression.operands.map((operand) => compile(operand, readerOf));
      // The value with which any operand decides the result alone.
      const decisive = expression.kind === "or";
      return (record) => junction(decisive, operands, record);
    }
    case "comparison": {
      const [left, right] = [compile(expression.left, readerOf), compile(expression.right, readerOf)];
      const compare = COMPARISONS[expression.operator];
      return (record) => compare(left(record), right(record));
    }
    case "arithmetic": {
      const [left, right] = [compile(expression.left, readerOf), compile(expression.right, readerOf)];
      return (record) => calculate(expression.operator, left(record), right(record));
    }
    case "in":
    case "nin": {
      const operand = compile(expression.operand, readerOf);
      const values = new Set(expression.values);
      return expression.kind === "in"
        ? (record) => isAmong(operand(record), values)
        : (record) => not(isAmong(operand(record), values));
    }
    case "call": {
      const { of } = QUERY_FUNCTIONS.get(expression.name)!;
      const [value, other] = expression.args.map((arg) => compile(arg, readerOf));
      return other === undefined ? (record) => of(value!(record)) : (record) => of(value!(record), other(record));
    }
  }
}

function junction<R>(decisive: boolean, operands: readonly Reader<R>[], record: R): boolean | undefined {
  let result: boolean | undefined = !decisive;
  for (const operand of operands) {
    const value = operand(record);
    if (value === decisive) return decisive;
    if (value !== !decisive) result = undefined;
  }
  return result;
}

function isAmong(value: unknown, values: ReadonlySet<Literal>): boolean | undefined {
  return isPrimitive(value) ? values.has(value) : undefined;
}
