import type { Documents } from "./collection.ts";
import { compile } from "./evaluator.ts";
import { type Expression, parseExpression } from "./expressions.ts";
import { parseSource } from "./parser.ts";
import { compilePath } from "./paths.ts";
import { TokenReader } from "./tokens.ts";

/** A condition that stands alone, as jobs and configurations have it. */
export interface Condition {
  /** The collection that the text names, in lower case; `undefined` where it begins with the condition itself. */
  readonly source: string | undefined;
  readonly expression: Expression;
}

/**
 * Parses a condition as it follows WHERE in a query.
 *
 * @param sources The collections that `FROM <collection> WHERE` may name before the condition, as in the target
 * conditions of configurations for modules. Without any, that is not allowed.
 * @throws {HubFault} `ArgumentInvalid` (400) when the text is too long or not a valid condition.
 */
export function parseCondition(text: string, sources: readonly string[] = []): Condition {
  const reader = new TokenReader(text);
  const source = sources.length > 0 && reader.takeKeyword("FROM") ? parseSource(reader, sources) : undefined;
  if (source !== undefined) reader.expectKeyword("WHERE");
  const expression = parseExpression(reader);
  reader.expectEnd();
  return { source, expression };
}

/**
 * Compiles a condition into a function of the record. A document matches only when the condition is exactly `true`, or
 * when there is none.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when the condition names a member that these documents cannot have.
 */
export function compileCondition<R>(
  expression: Expression | undefined,
  documents: Documents<R>,
): (record: R) => boolean {
  if (expression === undefined) return () => true;
  const condition = compile(expression, (path) => compilePath(path, documents));
  return (record) => condition(record) === true;
}
