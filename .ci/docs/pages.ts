import { type DocSymbol, type Entry, internalNames, type Noun, nounsOf } from "./doc_model.ts";

/** The first section of a symbol's page that lists members: what a manager is made of comes before it. */
const MEMBERS_REGEXP = /<section class="section"\s+id="(?:static-methods|properties|methods)"/;

/** A button to a file on the machine that made the pages. */
const SOURCE_BUTTON_REGEXP = /<a\s+class="sourceButton"[\s\S]*?<\/a>/g;

/**
 * Makes one of the pages of `deno doc` what a newcomer needs.
 *
 * @param path The page's path, from the folder of all pages.
 * @param html The page as `deno doc` made it.
 * @param entries The package's entries.
 * @returns The page.
 */
export function improvePage(path: string, html: string, entries: readonly Entry[]): string {
  const usable = withSpecifiers(html.replaceAll(SOURCE_BUTTON_REGEXP, ""), entries);
  const text = withoutRepetitions(withoutConstructors(withoutInternalParents(usable, entries)));
  const [main] = entries;
  const name = /^~\/([\w$]+)\.html$/.exec(path)?.[1];
  const symbol = main?.symbols.find((one) => one.name === name);
  if (main === undefined || symbol === undefined) return text;
  const nouns = nounsOf(symbol, main);
  return nouns.length > 1 ? withNouns(text, symbol, nouns) : text;
}

/** The landing page: with the entries, and below the first call all that the main one exports. */
export function improveLanding(html: string, allSymbols: string, entries: readonly Entry[]): string {
  const lists = allSymbols.match(/<section class="section"\s+id="default_[\s\S]*?<\/section>/g);
  if (lists === null) throw new Error("deno doc lists no symbols of the main entry");
  const rows = entries.map(({ specifier, folder, summary }) => {
    const href = folder === "." ? "#everything" : `${folder}/index.html`;
    return `<li class="mb-1"><a class="link" href="${href}"><code>${specifier}</code></a> ${markup(summary)}</li>`;
  });
  const section = `<section class="section" id="entries">${heading("Entries")}<ul>${rows.join("")}</ul></section>`;
  const title = heading(`Everything in <code>${entries[0]!.specifier}</code>`);
  const everything = `<div class="section" id="everything">${title}</div>${lists.join("")}`;
  const links = ["Entries", "Everything"].map((name) => `<li><a href="#${name.toLowerCase()}">${name}</a></li>`);
  const withEntries = insertBefore(html, /<section class="section"\s+id="examples"/, section);
  const withAll = insertBefore(withEntries, /<\/main>/, everything.replaceAll(SOURCE_BUTTON_REGEXP, ""));
  return insertBefore(withAll, /<li><a href="#examples"/, links.join(""));
}

/** An entry's pages: what the main entry has under another name is linked by that name, as `deno doc` calls its page. */
export function improveEntry(html: string, entry: Entry, main: Entry): string {
  let text = html;
  for (const { here, inMain } of renamed(entry, main)) {
    text = text.replaceAll(new RegExp(`(~(?:&#x2F;|/))${here}(?=[.\\w]*\\.html)`, "g"), `$1${inMain}`);
  }
  return text;
}

/** What an entry exports that the main one exports too, but under another name. */
function renamed(entry: Entry, main: Entry): { here: string; inMain: string }[] {
  return entry.symbols.flatMap(({ name, declarations }) => {
    const target = declarations.find(({ kind }) => kind === "reference")?.def?.target;
    const original = main.symbols.find((symbol) =>
      symbol.declarations.some(({ location }) =>
        location.filename === target?.filename && location.line === target.line
      )
    );
    return original === undefined || original.name === name ? [] : [{ here: name, inMain: original.name }];
  });
}

/** The names that users import, where `deno doc` shows folders. */
function withSpecifiers(html: string, entries: readonly Entry[]): string {
  let text = html;
  for (const { folder, specifier } of entries) {
    text = text.replaceAll(` from &quot;${folder}&quot;;`, ` from &quot;${specifier}&quot;;`)
      .replaceAll(`class="contextLink">${folder}</a>`, `class="contextLink">${specifier}</a>`)
      .replaceAll(new RegExp(`(</span>\\s*)${folder}(\\s*</ul>)`, "g"), `$1${specifier}$2`);
  }
  // What another entry has under its usual name is for users of that entry.
  const [main, ...others] = entries;
  for (const entry of others) {
    for (const { here, inMain } of main === undefined ? [] : renamed(entry, main)) {
      const usage = new RegExp(`import \\{ (?:type )?${inMain} \\} from &quot;${main!.specifier}&quot;`, "g");
      text = text.replaceAll(usage, `import { ${here} } from &quot;${entry.specifier}&quot;`);
    }
  }
  return text.replaceAll(/class="contextLink">default<\/a>/g, `class="contextLink">${entries[0]!.specifier}</a>`)
    .replace(/import \* as mod from/g, "import * as iothub from");
}

/** What has no page of its own is not named as the class that another one extends: its nouns are listed instead. */
function withoutInternalParents(html: string, entries: readonly Entry[]): string {
  const names = [...new Set(entries.flatMap(internalNames))].join("|");
  if (names === "") return html;
  const parent = new RegExp(`<span class="type"> extends </span>(?:<[^>]+>)?(?:${names})</(?:span|a)>`, "g");
  return html.replaceAll(parent, "");
}

/** `deno doc` shows all members of a class a second time below the interface of its name. */
function withoutRepetitions(html: string): string {
  return html.replaceAll(/<section class="section"\s+id="[\w-]+-1"[\s\S]*?<\/section>/g, "")
    .replaceAll(/<li><a href="#[\w-]+-1" title="[^"]*">[^<]*<\/a><\/li><li><ul>.*?<\/ul><\/li>/g, "");
}

/** Leaves out constructors that say that they are not public: those objects are made by factories. */
function withoutConstructors(html: string): string {
  const [section] = /<section class="section"\s+id="constructors"[\s\S]*?<\/section>/.exec(html) ?? [];
  if (section === undefined || !/\bnot (?:public|for users)\b/i.test(section)) return html;
  return html.replace(section, "")
    .replace(/<li><a href="#constructors"[^>]*>Constructors<\/a><\/li><li><ul>.*?<\/ul><\/li>/, "");
}

/** The nouns of a manager with their methods, and an entry for them in the page's navigation. */
function withNouns(html: string, symbol: DocSymbol, nouns: readonly Noun[]): string {
  const blocks = nouns.map(({ name, summary, methods }) => {
    const items = methods.map((method) =>
      `<li class="mb-1"><a class="link" href="${name}.prototype.${method.name}.html"><code>${method.name}</code></a> ` +
      `${markup(method.summary)}</li>`
    );
    return `<div id="noun_${name.toLowerCase()}"><h3 class="mb-1 font-bold"><a class="link" href="${name}.html">${name}</a></h3>` +
      `<p>${markup(summary)}</p><ul class="ml-4">${items.join("")}</ul></div>`;
  });
  const section = `<section class="section" id="nouns">${heading("Methods by noun")}<div class="space-y-8">${
    blocks.join("")
  }</div></section>`;
  const items = nouns.map(({ name }) => `<li><a href="#noun_${name.toLowerCase()}" title="${name}">${name}</a></li>`);
  const links = `<li><a href="#nouns" title="Methods by noun">Methods by noun</a></li><li><ul>${
    items.join("")
  }</ul></li>`;
  const place = MEMBERS_REGEXP.test(html) ? MEMBERS_REGEXP : /<\/article>/;
  const text = insertBefore(html, place, section);
  // A class without members of its own has only its examples there.
  const navigation = /<li><a href="#(?:static-methods|properties|methods)"|<\/ul><\/nav>/;
  if (!navigation.test(text)) throw new Error(`The page of ${symbol.name} has no navigation to put its nouns into`);
  return insertBefore(text, navigation, links);
}

function heading(markup: string): string {
  return `<div><h2 class="anchorable mb-1">${markup}</h2></div>`;
}

function insertBefore(html: string, place: RegExp, inserted: string): string {
  const at = html.search(place);
  if (at < 0) throw new Error(`The page has no place that looks like ${place}`);
  return html.slice(0, at) + inserted + html.slice(at);
}

/** One sentence of Markdown, which has code and nothing else. */
function markup(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}

/** What the pages' style sheet lacks: usage lines are longer than their column. */
export const STYLE = ".usageContent pre code { white-space: pre-wrap; overflow-wrap: anywhere }\n";
