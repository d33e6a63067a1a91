import type { Twin } from "../../../gen/index.ts";
import type { ArithmeticOperator, ComparisonOperator, Expression, Literal, Path } from "./expressions.ts";

/**
 * Computes a value from a twin. `undefined` stands for a missing value, and for a condition that is neither true nor
 * false.
 */
export type Evaluator = (row: Twin) => unknown;

/** The properties at the root of a twin. Their case does not matter, unlike that of the keys below them. */
const ROOT_PROPERTIES: ReadonlyMap<string, string> = new Map(
  [
    "deviceId",
    "moduleId",
    "etag",
    "deviceEtag",
    "status",
    "statusReason",
    "statusUpdateTime",
    "connectionState",
    "lastActivityTime",
    "cloudToDeviceMessageCount",
    "authenticationType",
    "x509Thumbprint",
    "modelId",
    "version",
    "tags",
    "properties",
    "configurations",
    "capabilities",
    "deviceScope",
    "parentScopes",
  ].map((name) => [name.toLowerCase(), name]),
);

/** Compiles a path into a function that reads it. The path may start with the name of the collection. */
export function compilePath(path: Path, source: string): Evaluator {
  const [root = "", ...below] = withoutCollection(path, source);
  const names = [ROOT_PROPERTIES.get(root.toLowerCase()) ?? root, ...below];
  return (row) => {
    let value: unknown = row;
    for (const name of names) {
      if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) {
        return undefined;
      }
      value = (value as Record<string, unknown>)[name];
    }
    return value;
  };
}

/** Compiles a condition into a function. A twin matches only when the result is exactly `true`. */
export function compile(expression: Expression, source: string): Evaluator {
  switch (expression.kind) {
    case "literal":
      return () => expression.value;
    case "path":
      return compilePath(expression.path, source);
    case "not": {
      const operand = compile(expression.operand, source);
      return (row) => not(operand(row));
    }
    case "negative": {
      const operand = compile(expression.operand, source);
      return (row) => arithmetic("-", 0, operand(row));
    }
    case "and":
    case "or": {
      const [left, right] = [compile(expression.left, source), compile(expression.right, source)];
      // The value with which either side decides the result alone.
      const decisive = expression.kind === "or";
      return (row) => junction(decisive, left(row), () => right(row));
    }
    case "comparison": {
      const [left, right] = [compile(expression.left, source), compile(expression.right, source)];
      return (row) => compare(expression.operator, left(row), right(row));
    }
    case "arithmetic": {
      const [left, right] = [compile(expression.left, source), compile(expression.right, source)];
      return (row) => arithmetic(expression.operator, left(row), right(row));
    }
    case "in":
    case "nin": {
      const operand = compile(expression.operand, source);
      const isIn = (row: Twin): unknown => isAmong(operand(row), expression.values);
      return expression.kind === "in" ? isIn : (row) => not(isIn(row));
    }
    case "call": {
      const args = expression.args.map((arg) => compile(arg, source));
      return (row) => call(expression.name, args[0]!(row), args[1]?.(row));
    }
  }
}

function withoutCollection(path: Path, source: string): Path {
  const collection = source.split(".");
  let rest = path;
  for (const word of collection) {
    if (rest.length > 1 && rest[0]!.toLowerCase() === word) rest = rest.slice(1);
  }
  return rest;
}

function not(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? !value : undefined;
}

function junction(decisive: boolean, left: unknown, right: () => unknown): boolean | undefined {
  if (left === decisive) return decisive;
  const second = right();
  if (second === decisive) return decisive;
  return left === !decisive && second === !decisive ? !decisive : undefined;
}

function isPrimitive(value: unknown): value is null | boolean | number | string {
  return value === null || ["boolean", "number", "string"].includes(typeof value);
}

/** Compares primitives; anything else gives `undefined`. Values of different types are unequal and have no order. */
function compare(operator: ComparisonOperator, left: unknown, right: unknown): boolean | undefined {
  if (!isPrimitive(left) || !isPrimitive(right)) return undefined;
  if (operator === "=") return left === right;
  if (operator === "!=") return left !== right;
  if (typeof left === "number" && typeof right === "number") return order(operator, left - right);
  if (typeof left === "string" && typeof right === "string") {
    return order(operator, left < right ? -1 : left > right ? 1 : 0);
  }
  return undefined;
}

function order(operator: ComparisonOperator, difference: number): boolean {
  if (operator === "<") return difference < 0;
  if (operator === ">") return difference > 0;
  return operator === "<=" ? difference <= 0 : difference >= 0;
}

function isAmong(value: unknown, values: readonly Literal[]): boolean | undefined {
  return isPrimitive(value) ? values.some((candidate) => candidate === value) : undefined;
}

function arithmetic(operator: ArithmeticOperator, left: unknown, right: unknown): number | undefined {
  if (typeof left !== "number" || typeof right !== "number") return undefined;
  const result = calculate(operator, left, right);
  return Number.isFinite(result) ? result : undefined;
}

function calculate(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
  }
}

function call(name: string, value: unknown, other: unknown): boolean | undefined {
  switch (name) {
    case "IS_DEFINED":
      return value !== undefined;
    case "STARTSWITH":
      return typeof value === "string" && typeof other === "string" ? value.startsWith(other) : undefined;
    case "ENDSWITH":
      return typeof value === "string" && typeof other === "string" ? value.endsWith(other) : undefined;
    case "ARRAY_CONTAINS":
      return Array.isArray(value) && isPrimitive(other) ? value.includes(other) : undefined;
    case "IS_ARRAY":
      return Array.isArray(value);
    case "IS_BOOL":
      return typeof value === "boolean";
    case "IS_NULL":
      return value === null;
    case "IS_NUMBER":
      return typeof value === "number";
    case "IS_OBJECT":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "IS_PRIMITIVE":
      return isPrimitive(value);
    default:
      return typeof value === "string";
  }
}
