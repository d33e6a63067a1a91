// deno-lint-ignore-file no-import-prefix
import ts from "npm:typescript@6.0.3";
import { join } from "node:path/posix";
import { makeDeclarations } from "./npm_declarations.ts";
import { isClassItself, isHidden, TypeTexts } from "./type_texts.ts";

/** Where the declarations seem to lie; no file of the project can be mistaken for one of these. */
const FOLDER = "/declarations";

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true, // Otherwise a member that may be `undefined` looks like one that may be left out.
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ["lib.esnext.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.dom.asynciterable.d.ts"],
  noEmit: true,
  types: [],
};

/** The constructors that the sources keep from users in words only. */
const NOT_PUBLIC = /^Not (?:public|for users)\b/;

/**
 * What users of one entry see: a text for each kind of each name, such as `type Twins` and `class Twins`, and for each member
 * of it, such as `Twins.getTwin` and `static Twins.fromManager`.
 */
export type EntryApi = ReadonlyMap<string, string>;

/**
 * Reads what the entries of a checkout export, as users' compilers see it. Classes and interfaces have what they inherit as
 * members of their own, and from whom does not matter.
 *
 * @param root The checkout's folder.
 * @returns The exports of each entry by its name in `deno.json`.
 * @throws {Error} When the declarations do not compile: a type that is not found would be equal to any other.
 */
export function readPublicApi(root: string): Map<string, EntryApi> {
  const config: { exports: Record<string, string> } = JSON.parse(Deno.readTextFileSync(join(root, "deno.json")));
  const entries = Object.entries(config.exports).map((
    [name, path],
  ): [string, string] => [name, path.replace("./", "")]);
  const program = programOf(makeDeclarations(root, entries.map(([, path]) => path)));
  return new Map(entries.map(([name, path]) => {
    const source = program.getSourceFile(join(FOLDER, path.replace(/\.ts$/, ".d.ts")))!;
    return [name, new EntryReader(program, source).read()];
  }));
}

function programOf(declarations: Map<string, string>): ts.Program {
  const texts = new Map(Array.from(declarations, ([path, text]) => [join(FOLDER, path), text]));
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.getSourceFile = (path, version, ...others) => {
    const text = texts.get(path);
    return text === undefined ? getSourceFile(path, version, ...others) : ts.createSourceFile(path, text, version);
  };
  delete host.directoryExists; // Otherwise nothing is looked for in folders that only seem to be there.
  const program = ts.createProgram([...texts.keys()], OPTIONS, host);
  const [problem] = ts.getPreEmitDiagnostics(program);
  if (problem !== undefined) {
    const text = ts.flattenDiagnosticMessageText(problem.messageText, "\n");
    throw new Error(`The declarations do not compile: ${problem.file?.fileName ?? ""}: ${text}`);
  }
  return program;
}

/** Reads the exports of one entry. */
class EntryReader {
  readonly #checker: ts.TypeChecker;
  readonly #exports: readonly ts.Symbol[];
  readonly #texts: TypeTexts;
  readonly #api = new Map<string, string>();

  constructor(program: ts.Program, source: ts.SourceFile) {
    this.#checker = program.getTypeChecker();
    this.#exports = this.#checker.getExportsOfModule(this.#checker.getSymbolAtLocation(source)!);
    const names = this.#exports.map((exported): [ts.Symbol, string] => [this.#declared(exported), exported.name]);
    this.#texts = new TypeTexts(program, new Map(names));
  }

  read(): EntryApi {
    for (const exported of this.#exports) {
      const symbol = this.#declared(exported);
      if (symbol.flags & ts.SymbolFlags.Type) this.#readType(exported.name, symbol);
      if (symbol.flags & ts.SymbolFlags.Value && !isTypeOnly(exported)) this.#readValue(exported.name, symbol);
    }
    return this.#api;
  }

  #declared(exported: ts.Symbol): ts.Symbol {
    return exported.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(exported) : exported;
  }

  #readType(name: string, symbol: ts.Symbol): void {
    const type = this.#checker.getDeclaredTypeOfSymbol(symbol);
    const parameters = symbol.flags & ts.SymbolFlags.TypeAlias
      ? type.aliasTypeArguments as readonly ts.TypeParameter[] | undefined
      : (type as ts.InterfaceType).typeParameters;
    const title = `type ${name}${this.#texts.typeParameters(parameters)}`;
    const isAnothers = symbol.flags & ts.SymbolFlags.TypeAlias && type.aliasSymbol !== symbol;
    if (isAnothers || !this.#texts.hasMembers(type)) {
      const text = isAnothers ? this.#texts.of(type) : this.#texts.structureOf(type);
      this.#api.set(`type ${name}`, `${title} = ${text}`);
      return;
    }
    this.#api.set(`type ${name}`, title);
    for (const [member, text] of this.#texts.membersOf(type)) this.#api.set(`${name}.${member}`, text);
  }

  #readValue(name: string, symbol: ts.Symbol): void {
    const type = this.#checker.getTypeOfSymbol(symbol);
    if (symbol.flags & ts.SymbolFlags.Function) {
      const signatures = type.getCallSignatures().map((signature) => name + this.#texts.signature(signature));
      this.#api.set(`function ${name}`, signatures.join("; "));
    } else if (isClassItself(type)) {
      this.#readClass(name, type);
    } else {
      this.#api.set(`const ${name}`, `const ${name}: ${this.#texts.of(type)}`);
    }
  }

  #readClass(name: string, type: ts.Type): void {
    const isAbstract = type.symbol.declarations!.some((node) =>
      (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Abstract) !== 0
    );
    this.#api.set(`class ${name}`, `${isAbstract ? "abstract " : ""}class ${name}`);
    const constructors = type.getConstructSignatures().filter((signature) => this.#isForUsers(signature));
    if (constructors.length > 0) {
      const texts = constructors.map((signature) => `new ${this.#texts.signature(signature)}`);
      this.#api.set(`new ${name}`, texts.join("; "));
    }
    for (const [member, text] of this.#texts.membersOf(type)) {
      this.#api.set(`static ${name}.${member}`, `static ${text}`);
    }
  }

  #isForUsers(signature: ts.Signature): boolean {
    const node = signature.getDeclaration() as ts.SignatureDeclaration | undefined;
    if (node === undefined) return true; // The class has none of its own: it is made with `new` and no arguments.
    if (isHidden(node)) return false;
    if (signature.getJsDocTags().some(({ name }) => name === "internal")) return false;
    if (NOT_PUBLIC.test(ts.displayPartsToString(signature.getDocumentationComment(this.#checker)))) return false;
    return signature.parameters.every((parameter) =>
      (this.#checker.getTypeOfSymbol(parameter).flags & ts.TypeFlags.Never) === 0
    );
  }
}

function isTypeOnly(exported: ts.Symbol): boolean {
  return exported.declarations?.some((node) => ts.isTypeOnlyImportOrExportDeclaration(node)) ?? false;
}
