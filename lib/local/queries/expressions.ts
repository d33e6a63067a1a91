import { QUERY_FUNCTIONS } from "./functions.ts";
import type { ArithmeticOperator, ComparisonOperator } from "./operators.ts";
import type { TokenReader } from "./tokens.ts";

/** The names along a path, from the root of a document down. */
export type Path = readonly string[];

/** A value that can be written in a query, including `undefined`. */
export type Literal = null | undefined | boolean | number | string | readonly Literal[];

/** A condition, or a part of one. */
export type Expression =
  | { readonly kind: "literal"; readonly value: Literal }
  | { readonly kind: "path"; readonly path: Path }
  | { readonly kind: "not"; readonly operand: Expression }
  | { readonly kind: "and" | "or"; readonly operands: readonly Expression[] }
  | {
    readonly kind: "comparison";
    readonly operator: ComparisonOperator;
    readonly left: Expression;
    readonly right: Expression;
  }
  | {
    readonly kind: "arithmetic";
    readonly operator: ArithmeticOperator;
    readonly left: Expression;
    readonly right: Expression;
  }
  | { readonly kind: "in" | "nin"; readonly operand: Expression; readonly values: readonly Literal[] }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[] };

/** Reserved words. A property of such a name must be written in `[[double brackets]]`. */
const RESERVED: ReadonlySet<string> = new Set(
  "SELECT FROM WHERE GROUP BY AS AND OR NOT IN NIN TRUE FALSE NULL UNDEFINED ORDER JOIN LIKE BETWEEN HAVING DISTINCT"
    .split(" "),
);

const COMPARISONS: ReadonlyMap<string, ComparisonOperator> = new Map([
  ["=", "="],
  ["!=", "!="],
  ["<>", "!="],
  ["<", "<"],
  [">", ">"],
  ["<=", "<="],
  [">=", ">="],
]);

/** Limits the recursion, since each level of nesting takes place on the call stack. */
const MAX_DEPTH = 100;

/** Parses a condition. OR binds most loosely, then AND, NOT, comparisons and arithmetic. */
export function parseExpression(reader: TokenReader, depth = 0): Expression {
  if (depth > MAX_DEPTH) throw reader.fault(`the condition is nested more than ${MAX_DEPTH} levels deep`);
  const operands = [parseAnd(reader, depth)];
  while (reader.takeKeyword("OR")) operands.push(parseAnd(reader, depth));
  return operands.length === 1 ? operands[0]! : { kind: "or", operands };
}

/** Parses a path such as `properties.reported.$version` or `tags.[[group]]`. */
export function parsePath(reader: TokenReader): Path {
  const path = [parseName(reader)];
  while (reader.takeSymbol(".")) path.push(parseName(reader));
  return path;
}

function parseName(reader: TokenReader): string {
  const token = reader.next;
  if (token.kind === "quotedName") return reader.take().text;
  if (token.kind !== "name") throw reader.fault("a name is expected here");
  if (RESERVED.has(token.text.toUpperCase())) {
    throw reader.fault(`${token.text} is a reserved word; write [[${token.text}]] for a property of that name`);
  }
  return reader.take().text;
}

function parseAnd(reader: TokenReader, depth: number): Expression {
  const operands = [parseNot(reader, depth)];
  while (reader.takeKeyword("AND")) operands.push(parseNot(reader, depth));
  return operands.length === 1 ? operands[0]! : { kind: "and", operands };
}

function parseNot(reader: TokenReader, depth: number): Expression {
  if (depth > MAX_DEPTH) throw reader.fault(`the condition is nested more than ${MAX_DEPTH} levels deep`);
  if (reader.takeKeyword("NOT")) return { kind: "not", operand: parseNot(reader, depth + 1) };
  return parseComparison(reader, depth);
}

function parseComparison(reader: TokenReader, depth: number): Expression {
  const left = parseSum(reader, depth);
  const operator = reader.next.kind === "symbol" ? COMPARISONS.get(reader.next.text) : undefined;
  if (operator !== undefined) {
    reader.take();
    return { kind: "comparison", operator, left, right: parseSum(reader, depth) };
  }
  if (reader.takeKeyword("IN")) return { kind: "in", operand: left, values: parseArray(reader) };
  if (reader.takeKeyword("NIN")) return { kind: "nin", operand: left, values: parseArray(reader) };
  return left;
}

function parseSum(reader: TokenReader, depth: number): Expression {
  let left = parseProduct(reader, depth);
  for (let operator = readOneOf(reader, "+", "-"); operator; operator = readOneOf(reader, "+", "-")) {
    left = { kind: "arithmetic", operator, left, right: parseProduct(reader, depth) };
  }
  return left;
}

function parseProduct(reader: TokenReader, depth: number): Expression {
  let left = parseOperand(reader, depth);
  for (let operator = readOneOf(reader, "*", "/", "%"); operator; operator = readOneOf(reader, "*", "/", "%")) {
    left = { kind: "arithmetic", operator, left, right: parseOperand(reader, depth) };
  }
  return left;
}

function readOneOf(reader: TokenReader, ...operators: ArithmeticOperator[]): ArithmeticOperator | undefined {
  return operators.find((operator) => reader.takeSymbol(operator));
}

function parseOperand(reader: TokenReader, depth: number): Expression {
  if (depth > MAX_DEPTH) throw reader.fault(`the condition is nested more than ${MAX_DEPTH} levels deep`);
  if (reader.takeSymbol("(")) {
    const inner = parseExpression(reader, depth + 1);
    reader.expectSymbol(")");
    return inner;
  }
  if (reader.takeSymbol("-")) {
    const zero: Expression = { kind: "literal", value: 0 };
    return { kind: "arithmetic", operator: "-", left: zero, right: parseOperand(reader, depth + 1) };
  }
  if (reader.isSymbol("[")) return { kind: "literal", value: parseArray(reader) };
  if (reader.next.kind === "name" && reader.isFollowedBy("(")) return parseCall(reader, depth);
  const literal = parseLiteral(reader);
  return literal === undefined ? { kind: "path", path: parsePath(reader) } : { kind: "literal", value: literal.value };
}

function parseCall(reader: TokenReader, depth: number): Expression {
  const name = reader.next.text.toUpperCase();
  const arity = QUERY_FUNCTIONS.get(name)?.arity;
  if (arity === undefined) {
    throw reader.fault(
      `there is no function ${reader.next.text}; use one of ${[...QUERY_FUNCTIONS.keys()].join(", ")}`,
    );
  }
  const fault = reader.fault(`${name} takes ${argumentsOf(name, arity)}`);
  reader.take();
  reader.expectSymbol("(");
  const args: Expression[] = [];
  while (!reader.takeSymbol(")")) {
    if (args.length > 0) reader.expectSymbol(",");
    args.push(parseExpression(reader, depth + 1));
  }
  if (args.length !== arity || (name === "IS_DEFINED" && args[0]!.kind !== "path")) throw fault;
  return { kind: "call", name, args };
}

function argumentsOf(name: string, arity: number): string {
  if (name === "IS_DEFINED") return "the path of a property";
  return arity === 1 ? "1 argument" : `${arity} arguments`;
}

function parseArray(reader: TokenReader): Literal[] {
  reader.expectSymbol("[");
  const values: Literal[] = [];
  while (!reader.takeSymbol("]")) {
    if (values.length > 0) reader.expectSymbol(",");
    const negative = reader.takeSymbol("-");
    const literal = parseLiteral(reader);
    if (literal === undefined || (negative && typeof literal.value !== "number")) {
      throw reader.fault("an array may contain only literals");
    }
    values.push(negative ? -literal.value! : literal.value);
  }
  return values;
}

function parseLiteral(reader: TokenReader): { value: Literal } | undefined {
  if (reader.next.kind === "number") return { value: reader.take().number };
  if (reader.next.kind === "string") return { value: reader.take().text };
  if (reader.takeKeyword("TRUE")) return { value: true };
  if (reader.takeKeyword("FALSE")) return { value: false };
  if (reader.takeKeyword("NULL")) return { value: null };
  if (reader.takeKeyword("UNDEFINED")) return { value: undefined };
  return undefined;
}
