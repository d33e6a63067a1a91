// deno-lint-ignore-file no-import-prefix
import ts from "npm:typescript@6.0.3";

/** A type member that may be left out, in a source text. */
export interface OptionalMember {
  name: string;
  type: ts.TypeNode;
}

/** The members of types and classes that may be left out, but not be `undefined`. */
export function membersWithoutUndefined(source: ts.SourceFile): OptionalMember[] {
  const found: OptionalMember[] = [];
  visit(source);
  return found;

  function visit(node: ts.Node): void {
    ts.forEachChild(node, visit);
    if (!ts.isPropertySignature(node) && !ts.isPropertyDeclaration(node)) return;
    if (node.questionToken === undefined || node.type === undefined) return;
    if (!allowsUndefined(node.type)) found.push({ name: node.name.getText(source), type: node.type });
  }
}

/**
 * Lets every member that may be left out be `undefined` as well. Users with `exactOptionalPropertyTypes` could not pass
 * on what they have just read otherwise, nor could the code itself.
 */
export function withUndefined(path: string, text: string): string {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  const inserts = membersWithoutUndefined(source).flatMap(({ type }): [number, string][] => {
    const needsBrackets = ts.isFunctionTypeNode(type) || ts.isConditionalTypeNode(type);
    return needsBrackets ? [[type.getStart(source), "("], [type.end, ") | undefined"]] : [[type.end, " | undefined"]];
  });
  let result = text;
  for (const [position, insert] of inserts.sort(([a], [b]) => b - a)) {
    result = result.slice(0, position) + insert + result.slice(position);
  }
  return result;
}

function allowsUndefined(type: ts.TypeNode): boolean {
  if (ts.isUnionTypeNode(type)) return type.types.some(allowsUndefined);
  return [ts.SyntaxKind.UndefinedKeyword, ts.SyntaxKind.UnknownKeyword, ts.SyntaxKind.AnyKeyword].includes(type.kind);
}
