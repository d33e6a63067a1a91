/** What `deno doc --json` tells of the entries, as far as the web pages need it. */

/** One of the package's entries, as `exports` in `deno.json` names it. */
export interface Entry {
  /** What users import: `@iothub/registry-manager/http`. */
  readonly specifier: string;
  /** Its folder among the pages, which `deno doc` calls it by: `.` or `http`. */
  readonly folder: string;
  /** The first sentence of its documentation. */
  readonly summary: string;
  readonly symbols: readonly DocSymbol[];
}

/** One exported name; a class and an interface may share it. */
export interface DocSymbol {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

interface Declaration {
  readonly kind: string;
  readonly jsDoc?: JsDoc;
  readonly location: { readonly filename: string; readonly line: number };
  readonly def?: {
    readonly methods?: readonly { readonly name: string; readonly isStatic?: boolean; readonly jsDoc?: JsDoc }[];
    /** A class names what it extends, an interface lists types. */
    readonly extends?: string | readonly { readonly repr: string }[];
    /** What a reference stands for. */
    readonly target?: { readonly filename: string; readonly line: number };
  };
}

interface JsDoc {
  readonly doc?: string;
  readonly tags?: readonly { readonly kind: string }[];
}

/** A method with the first sentence of its documentation. */
export interface Method {
  readonly name: string;
  readonly summary: string;
}

/** A class or interface whose methods a manager has. */
export interface Noun {
  readonly name: string;
  readonly summary: string;
  readonly methods: readonly Method[];
}

interface DenoConfig {
  readonly name: string;
  readonly exports: Record<string, string>;
}

/** Asks `deno doc` about the entries in `root`. */
export async function readEntries(root: string): Promise<Entry[]> {
  const { name, exports }: DenoConfig = JSON.parse(await Deno.readTextFile(`${root}/deno.json`));
  const args = ["doc", "--json", ...Object.values(exports)];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: root }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const { nodes }: { nodes: Record<string, { module_doc?: JsDoc; symbols: DocSymbol[] }> } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  return Object.entries(exports).map(([exported, path]) => {
    const suffix = path.replace(/^\./, "");
    const node = Object.entries(nodes).find(([url]) => url.endsWith(suffix))?.[1];
    if (node === undefined) throw new Error(`deno doc tells nothing of ${path}`);
    return {
      specifier: exported === "." ? name : `${name}/${exported.replace("./", "")}`,
      folder: exported.replace("./", ""),
      summary: firstSentence(node.module_doc?.doc),
      symbols: node.symbols,
    };
  });
}

/**
 * What a class is made of: the exported classes and interfaces above it that bring methods, the nearest first, whether
 * by a chain of classes or by an interface of the class's own name that extends them.
 */
export function nounsOf(symbol: DocSymbol, { symbols }: Entry): Noun[] {
  const nouns: Noun[] = [];
  const seen = new Set([symbol.name]);
  const open = heritageOf(symbol);
  for (let name = open.shift(); name !== undefined; name = open.shift()) {
    const parent = symbols.find((candidate) => candidate.name === name);
    if (parent === undefined || seen.has(name)) continue;
    seen.add(name);
    open.push(...heritageOf(parent));
    const methods = methodsOf(parent);
    if (methods.length > 0) nouns.push({ name, summary: summaryOf(parent), methods });
  }
  return nouns;
}

/** The names of what is exported only because a class extends it: `deno doc` makes no pages of it. */
export function internalNames({ symbols }: Entry): string[] {
  const isInternal = ({ jsDoc }: Declaration): boolean => jsDoc?.tags?.some(({ kind }) => kind === "internal") ?? false;
  return symbols.filter(({ declarations }) => declarations.some(isInternal)).map(({ name }) => name);
}

function heritageOf({ declarations }: DocSymbol): string[] {
  return declarations.flatMap(({ def }) => {
    if (def?.extends === undefined) return [];
    return typeof def.extends === "string" ? [def.extends] : def.extends.map(({ repr }) => repr);
  });
}

/** Its own methods that users call on an object; those with a symbol for a name are left out. */
function methodsOf({ declarations }: DocSymbol): Method[] {
  const methods = declarations.flatMap(({ def }) => def?.methods ?? [])
    .filter(({ name, isStatic }) => isStatic !== true && /^\w+$/.test(name))
    .map(({ name, jsDoc }) => ({ name, summary: firstSentence(jsDoc?.doc) }));
  return [...new Map(methods.map((method) => [method.name, method])).values()];
}

function summaryOf({ declarations }: DocSymbol): string {
  return firstSentence(declarations.find(({ jsDoc }) => jsDoc?.doc)?.jsDoc?.doc);
}

function firstSentence(doc = ""): string {
  const [paragraph = ""] = doc.split(/\n\s*\n/);
  const text = paragraph.replaceAll("\n", " ").replaceAll(/\{@link(?:code)? ([^}]+)\}/g, "`$1`");
  return /^.*?\.(?= |$)/.exec(text)?.[0] ?? text;
}
