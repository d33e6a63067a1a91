import { dirname, join, normalize } from "node:path/posix";
import { type Entry, nounsOf } from "./doc_model.ts";
import { type IndexedSymbol, rankSymbols } from "./rank_symbols.ts";

/** What the pages must show whoever comes to them for the first time. */
export interface Pages {
  /** The text of each page by its path, from the folder of all pages. */
  readonly html: ReadonlyMap<string, string>;
  readonly entries: readonly Entry[];
  readonly index: readonly IndexedSymbol[];
  /** What the main entry exports, as it runs: classes and functions. */
  readonly classes: Readonly<Record<string, { readonly prototype: object }>>;
}

/**
 * Looks for faults of the pages: symbols without a word of documentation, entries without a link, methods that are not
 * within a click of the manager's page, types before methods in a search, constructors that are not public, usage lines
 * that nobody can copy, links to nowhere.
 *
 * @returns What is wrong, each in a sentence.
 */
export function faultsOf(pages: Pages): string[] {
  return [
    ...faultsOfSymbols(pages),
    ...faultsOfLanding(pages),
    ...faultsOfManager(pages),
    ...faultsOfSearch(pages),
    ...[...pages.html].flatMap(([path, html]) => faultsOfPage(path, html, pages)),
  ];
}

function faultsOfSymbols({ entries }: Pages): string[] {
  return entries.flatMap(({ specifier, symbols }) =>
    symbols
      // What another entry has too is said there.
      .filter(({ declarations }) => !declarations.some(({ jsDoc, def }) => jsDoc?.doc || def?.target))
      .map(({ name }) => `${specifier} does not say what ${name} is`)
  );
}

function faultsOfLanding({ html, entries }: Pages): string[] {
  const links = linksOf(html.get("index.html") ?? "");
  return entries
    .filter(({ specifier }) => !links.some(({ text, href }) => text === specifier && href !== ""))
    .map(({ specifier }) => `index.html does not link ${specifier}`);
}

function faultsOfManager({ html, entries, classes }: Pages): string[] {
  const [main] = entries;
  const path = "~/IoTHubRegistryManager.html";
  const symbol = main?.symbols.find(({ name }) => name === "IoTHubRegistryManager");
  const manager = classes["IoTHubRegistryManager"];
  const page = html.get(path);
  if (main === undefined || symbol === undefined || manager === undefined || page === undefined) {
    return [`There is no ${path}`];
  }
  const links = linksOf(page);
  const targets = new Set(links.map(({ href }) => normalize(join("~", href))));
  const nouns = nounsOf(symbol, main).map(({ name }) => name).filter((name) => !targets.has(`~/${name}.html`));
  const methods = methodsOf(manager.prototype).filter((name) =>
    !links.some(({ text, href }) => text === name && href.endsWith(`.prototype.${name}.html`))
  );
  return [
    ...nouns.map((name) => `${path} does not link ${name}`),
    ...methods.map((name) => `${path} does not link the method ${name}`),
  ];
}

/** The names of all methods that an object has, wherever they come from. */
function methodsOf(prototype: object): string[] {
  const names = new Set<string>();
  for (let level = prototype; level !== Object.prototype; level = Object.getPrototypeOf(level)) {
    for (const name of Object.getOwnPropertyNames(level)) names.add(name);
  }
  names.delete("constructor");
  return [...names];
}

/** The beginning of a name finds the methods that begin so, and a whole name finds its method, before anything else. */
function faultsOfSearch({ index, classes }: Pages): string[] {
  const methods = methodsOf(classes["IoTHubRegistryManager"]!.prototype);
  return ["createDevice", ...methods].flatMap((typed) => {
    const wanted = typed === "createDevice" ? methods.filter((name) => name.startsWith(typed)) : [typed];
    const first = rankSymbols(index, typed).slice(0, wanted.length);
    const names = first.filter(({ kind }) => kind.some(({ kind }) => kind === "Method"))
      .map(({ name }) => name.slice(name.lastIndexOf(".") + 1));
    if (wanted.length > 0 && wanted.every((name) => names.includes(name))) return [];
    return [`A search for ${typed} shows first ${first.map(({ name }) => name).join(", ")}, not ${wanted.join(", ")}`];
  });
}

function faultsOfPage(path: string, html: string, { html: pages, entries, classes }: Pages): string[] {
  const faults: string[] = [];
  if (/\bnot (?:public|for users)\b/i.test(html)) faults.push(`${path} shows what is not public`);
  const made = classes[/~\/(\w+)\.html$/.exec(path)?.[1] ?? ""];
  if (made !== undefined && "fromConnectionString" in made && html.includes('id="constructors"')) {
    faults.push(`${path} shows a constructor of what factories make`);
  }
  if (html.includes("file:&#x2F;&#x2F;")) faults.push(`${path} links a file of the machine that made it`);
  const specifiers = entries.map(({ specifier }) => specifier);
  for (const [, from = ""] of html.matchAll(/language-typescript">import [^;]*? from &quot;(.*?)&quot;/g)) {
    if (!specifiers.includes(from)) faults.push(`${path} imports from "${from}", which is none of the entries`);
  }
  for (const { href } of linksOf(html)) {
    if (/^(?:https?:|#|$)/.test(href)) continue;
    const [file = ""] = href.split("#");
    const target = normalize(join(dirname(path), file.endsWith("/") ? `${file}index.html` : file));
    if (!pages.has(target)) faults.push(`${path} links ${href}, which is not there`);
  }
  return faults;
}

/** The links of a page, with their text. */
function linksOf(html: string): { href: string; text: string }[] {
  return Array.from(
    html.matchAll(/<a\b[^>]*?\bhref="([^"]*)"[^>]*>([\s\S]*?)<\/a>/g),
    ([, href = "", content = ""]) => ({
      href: href.replaceAll("&#x2F;", "/"),
      text: content.replaceAll(/<[^>]*>/g, "").trim(),
    }),
  );
}
