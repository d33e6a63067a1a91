// deno-lint-ignore-file no-import-prefix
import ts from "npm:typescript@6.0.3";
import { join } from "node:path/posix";
import { publicPartOf } from "./public_declarations.ts";

const OPTIONS: ts.CompilerOptions = {
  declaration: true,
  emitDeclarationOnly: true,
  isolatedDeclarations: true,
  noCheck: true, // The sources have been checked with Deno, and all that is exported says its type.
  allowImportingTsExtensions: true,
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.NodeNext,
  types: [],
};

/**
 * Makes the declarations of what is public: what the entries export, and what that names.
 *
 * @param root The folder of the sources.
 * @param entries Their paths in it.
 * @returns The text of each file by its path, which is the source's with `.d.ts` at its end.
 */
export function makeDeclarations(root: string, entries: readonly string[]): Map<string, string> {
  const names = entries.map((entry) => join(root, entry));
  const program = ts.createProgram(names, { ...OPTIONS, rootDir: root, outDir: root });
  const emitted = new Map<string, ts.SourceFile>();
  const { diagnostics } = program.emit(undefined, (path, text) => {
    emitted.set(path.slice(root.length + 1), ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true));
  });
  const [problem] = diagnostics;
  if (problem !== undefined) throw new Error(ts.flattenDiagnosticMessageText(problem.messageText, "\n"));
  return publicPartOf(emitted, entries.map((entry) => entry.replace(/\.ts$/, ".d.ts")));
}
