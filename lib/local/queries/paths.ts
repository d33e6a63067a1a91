import { cannotUse, quote } from "../../values/checks.ts";
import type { Reader } from "../records/document_shape.ts";
import type { Documents } from "./collection.ts";
import type { Expression, Path } from "./expressions.ts";
import { invalidQuery } from "./query_fault.ts";

/** Returns how the value at a path is read. */
export function compilePath<R>(path: Path, documents: Documents<R>): Reader<R> {
  return documents.shape.reader(resolvePath(path, documents)) ?? (() => undefined);
}

/**
 * Returns a path as documents have it. As it is written, it may start with the name of the collection or with `devices`,
 * and the case of the member at the root does not matter, unlike that of the names below.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when it names a member that these documents cannot have.
 */
export function resolvePath<R>(path: Path, { name, shape, hasFixedMembers }: Documents<R>): Path {
  const [root, ...below] = withoutCollection(path, name);
  const member = shape.nameLike(root!);
  if (member === undefined && hasFixedMembers) {
    throw invalidQuery(cannotUse(`the member ${quote(path.join("."))}`, `one that the documents of ${name} have`));
  }
  return [member ?? root!, ...below];
}

/** Returns every path in an expression, in the order of the text. */
export function pathsOf(expression: Expression): Path[] {
  switch (expression.kind) {
    case "literal":
      return [];
    case "path":
      return [expression.path];
    case "not":
    case "in":
    case "nin":
      return pathsOf(expression.operand);
    case "and":
    case "or":
      return expression.operands.flatMap(pathsOf);
    case "comparison":
    case "arithmetic":
      return [...pathsOf(expression.left), ...pathsOf(expression.right)];
    case "call":
      return expression.args.flatMap(pathsOf);
  }
}

function withoutCollection(path: Path, name: string): Path {
  for (const prefix of [name.split("."), ["devices"]]) {
    const isPrefixed = path.length > prefix.length && prefix.every((word, at) => path[at]!.toLowerCase() === word);
    if (isPrefixed) return path.slice(prefix.length);
  }
  return path;
}
