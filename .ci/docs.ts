/**
 * Writes the API reference as web pages to `.cache/docs`: those of `deno doc`, with what a newcomer misses there; then
 * checks them.
 *
 *     deno run -A .ci/docs.ts
 *
 * @module
 */
import { join, relative, resolve } from "node:path";
import { faultsOf } from "./docs/check_pages.ts";
import { readEntries } from "./docs/doc_model.ts";
import { improveEntry, improveLanding, improvePage, STYLE } from "./docs/pages.ts";
import { type IndexedSymbol, rankSymbols } from "./docs/rank_symbols.ts";
import * as main from "../mod.ts";

const ROOT = resolve(import.meta.dirname!, "..");
const OUTPUT = join(ROOT, ".cache", "docs");
const TITLE = "IoT Hub registry manager";

const entries = await readEntries(ROOT);
await Deno.remove(OUTPUT, { recursive: true }).catch(() => {});
await Deno.mkdir(OUTPUT, { recursive: true });
await makePages();

const html = new Map<string, string>();
for await (const path of pagesBelow(OUTPUT)) html.set(path, await Deno.readTextFile(join(OUTPUT, path)));
const allSymbols = html.get("all_symbols.html") ?? "";
for (const [path, text] of html) {
  let improved = path === "index.html" ? improveLanding(text, allSymbols, entries) : text;
  const entry = entries.find(({ folder }) => path.startsWith(`${folder}/`));
  if (entry !== undefined) improved = improveEntry(improved, entry, entries[0]!);
  improved = improvePage(path, improved, entries);
  html.set(path, improved);
  await Deno.writeTextFile(join(OUTPUT, path), improved);
}
const script = await Deno.readTextFile(join(import.meta.dirname!, "docs", "search.js"));
await Deno.writeTextFile(join(OUTPUT, "search.js"), `${rankSymbols}\n\n${script}`);
await Deno.writeTextFile(join(OUTPUT, "page.css"), STYLE, { append: true });

const faults = faultsOf({ html, entries, index: await readIndex(), classes: main });
for (const fault of faults) console.error(fault);
if (faults.length > 0) Deno.exit(1);
console.log(`${html.size} pages are in ${relative(Deno.cwd(), OUTPUT)}; begin with index.html.`);

async function makePages(): Promise<void> {
  const { exports }: { exports: Record<string, string> } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const args = ["doc", "--html", `--name=${TITLE}`, `--output=${OUTPUT}`, ...Object.values(exports)];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stdout: "null" }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** The index that the pages search in: a script that sets a member of `window`. */
async function readIndex(): Promise<IndexedSymbol[]> {
  const window: { DENO_DOC_SEARCH_INDEX?: { nodes: IndexedSymbol[] } } = {};
  new Function("window", await Deno.readTextFile(join(OUTPUT, "search_index.js")))(window);
  return window.DENO_DOC_SEARCH_INDEX?.nodes ?? [];
}

async function* pagesBelow(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* pagesBelow(path);
    else if (name.endsWith(".html")) yield relative(OUTPUT, path);
  }
}
