// deno-lint-ignore-file no-import-prefix
import ts from "npm:typescript@6.0.3";
import { join } from "node:path/posix";

/** Users whose `lib` is older would otherwise miss the symbol for `await using` in the types. */
const DISPOSABLE = '/// <reference lib="esnext.disposable" />\n';

/** What one file declares, and what of it is public. */
interface Declarations {
  path: string;
  statements: readonly ts.Statement[];
  /** The declarations of each name; functions may have several. */
  byName: Map<string, ts.Statement[]>;
  /** Names from other files, for use here or to be exported again. */
  imported: Map<string, Link>;
  exportedAgain: Map<string, Link>;
  kept: Set<ts.Node>;
}

/** A name in another file, and the node that mentions it here. */
interface Link {
  specifier: string;
  name: string;
  node: ts.ImportSpecifier | ts.ExportSpecifier;
}

/**
 * Takes from declarations what is public: all that the entries export, and what that names, file by file. What is not
 * would need the types of other packages, and show users what they are not to use.
 *
 * @throws {Error} When a public type needs another package: its types would have to be installed with this one.
 */
export function publicPartOf(sources: Map<string, ts.SourceFile>, entries: readonly string[]): Map<string, string> {
  const files = new Map(Array.from(sources, ([path, source]) => [path, declarationsOf(path, source)]));
  const fileAt = (path: string): Declarations => {
    const file = files.get(path);
    if (file === undefined) throw new Error(`There are no declarations ${path}`);
    return file;
  };

  function follow(file: Declarations, { specifier, name, node }: Link): void {
    if (file.kept.has(node)) return;
    file.kept.add(node);
    if (!specifier.startsWith(".")) throw new Error(`The public types of ${file.path} need "${specifier}"`);
    const target = fileAt(join(file.path, "..", specifier.replace(/\.ts$/, ".d.ts")));
    const again = target.exportedAgain.get(name);
    if (again === undefined) keep(target, name);
    else follow(target, again);
  }

  function keep(file: Declarations, name: string): void {
    const link = file.imported.get(name);
    if (link !== undefined) follow(file, link);
    for (const statement of file.byName.get(name) ?? []) {
      if (file.kept.has(statement)) continue;
      file.kept.add(statement);
      visit(statement);
    }

    // A member of the same name as a declaration keeps that too, which does no harm.
    function visit(node: ts.Node): void {
      if (ts.isImportTypeNode(node)) throw new Error(`${file.path} has an import in a type; import it by a statement`);
      if (ts.isIdentifier(node)) keep(file, node.text);
      ts.forEachChild(node, visit);
    }
  }

  for (const file of entries.map(fileAt)) {
    for (const link of file.exportedAgain.values()) follow(file, link);
    for (const name of file.byName.keys()) keep(file, name);
  }
  const parts = Array.from(files.values(), (file): [string, string] => [file.path, print(file)]);
  // A program exports nothing; its declarations say that.
  return new Map(
    parts.map(([path, text]): [string, string] => [path, text === "" && entries.includes(path) ? "export {};\n" : text])
      .filter(([, text]) => text !== ""),
  );
}

function declarationsOf(path: string, source: ts.SourceFile): Declarations {
  const { statements } = source;
  const file: Declarations = {
    path,
    statements,
    byName: new Map(),
    imported: new Map(),
    exportedAgain: new Map(),
    kept: new Set(),
  };
  for (const statement of statements) {
    for (const name of namesDeclaredBy(statement)) {
      file.byName.set(name, [...file.byName.get(name) ?? [], statement]);
    }
    const mentions = mentionsIn(statement);
    if (mentions === undefined) continue;
    const links = ts.isImportDeclaration(statement) ? file.imported : file.exportedAgain;
    for (const node of mentions.nodes) {
      links.set(node.name.text, { specifier: mentions.specifier, name: (node.propertyName ?? node.name).text, node });
    }
  }
  return file;
}

function namesDeclaredBy(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText());
  }
  const { name } = statement as ts.DeclarationStatement;
  return name === undefined ? [] : [name.getText()];
}

/** What an import or export names from another file. */
function mentionsIn(
  statement: ts.Statement,
): { specifier: string; nodes: readonly (ts.ImportSpecifier | ts.ExportSpecifier)[] } | undefined {
  if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return undefined;
  if (statement.moduleSpecifier === undefined) return undefined;
  const names = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : statement.exportClause;
  if (names !== undefined && (ts.isNamedImports(names) || ts.isNamedExports(names))) {
    return { specifier: (statement.moduleSpecifier as ts.StringLiteral).text, nodes: names.elements };
  }
  // What has no names to follow is only let through where nothing uses it: a package's default import, say.
  return undefined;
}

function print(file: Declarations): string {
  const text = file.statements.map((statement) => {
    const mentions = mentionsIn(statement);
    if (mentions === undefined) return file.kept.has(statement) ? statement.getFullText() : "";
    const nodes = mentions.nodes.filter((node) => file.kept.has(node));
    if (nodes.length === 0) return "";
    const comments = statement.getFullText().slice(0, statement.getLeadingTriviaWidth());
    const keyword = statement.getText().match(/^(?:import|export)(?: type\b)?/)![0];
    const specifier = mentions.specifier.replace(/\.ts$/, ".js"); // as in packages
    return `${comments}${keyword} { ${nodes.map((node) => node.getText()).join(", ")} } from "${specifier}";`;
  }).join("").trimStart();
  if (text === "") return "";
  return `${text.includes("Symbol.asyncDispose") ? DISPOSABLE : ""}${text}\n`;
}
