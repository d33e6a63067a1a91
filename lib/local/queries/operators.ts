export type ComparisonOperator = "=" | "!=" | "<" | ">" | "<=" | ">=";
export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%";

/** Compares two values. `undefined` stands for a result that is neither true nor false. */
type Comparison = (left: unknown, right: unknown) => boolean | undefined;

/**
 * The comparisons. Only primitives can be compared; anything else gives `undefined`. Values of different types are
 * unequal, and none of them is the greater.
 */
export const COMPARISONS: Readonly<Record<ComparisonOperator, Comparison>> = {
  "=": (left, right) => isPrimitive(left) && isPrimitive(right) ? left === right : undefined,
  "!=": (left, right) => isPrimitive(left) && isPrimitive(right) ? left !== right : undefined,
  "<": ofOrdered((left, right) => left < right),
  ">": ofOrdered((left, right) => left > right),
  "<=": ofOrdered((left, right) => left <= right),
  ">=": ofOrdered((left, right) => left >= right),
};

const ARITHMETIC: Readonly<Record<ArithmeticOperator, (left: number, right: number) => number>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "%": (left, right) => left % right,
};

/** Calculates with two numbers. Anything else gives `undefined`, and so does a result that is no finite number. */
export function calculate(operator: ArithmeticOperator, left: unknown, right: unknown): number | undefined {
  if (typeof left !== "number" || typeof right !== "number") return undefined;
  const result = ARITHMETIC[operator](left, right);
  return Number.isFinite(result) ? result : undefined;
}

/** Whether a value can be compared. */
export function isPrimitive(value: unknown): value is null | boolean | number | string {
  return value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

/** Negates a truth value. One that is neither true nor false stays so. */
export function not(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? !value : undefined;
}

function ofOrdered(compare: (left: number | string, right: number | string) => boolean): Comparison {
  return (left, right) => {
    if (typeof left === "number" && typeof right === "number") return compare(left, right);
    if (typeof left === "string" && typeof right === "string") return compare(left, right);
    return undefined;
  };
}
