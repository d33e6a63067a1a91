/** A symbol of the search index that `deno doc` writes. */
export interface IndexedSymbol {
  readonly name: string;
  readonly kind: readonly { readonly kind: string; readonly char: string; readonly title: string }[];
  /** The entry's folder. */
  readonly file: string;
  readonly doc: string;
  /** From the folder of all pages. */
  readonly url: string;
}

/**
 * The symbols whose name has what was typed, the likeliest first: those called so, those that begin so, those that have
 * it somewhere; among these what can be called before what can only be named, and the main entry before the others.
 *
 * The page's search script holds this function as text, so it uses nothing from outside itself.
 */
export function rankSymbols(symbols: readonly IndexedSymbol[], typed: string): IndexedSymbol[] {
  const wanted = typed.trim().toLowerCase();
  const folders = [".", "http", "local", "fleet"];
  const kinds = [["Method", "Function"], ["Class"], ["Interface", "TypeAlias"]];
  const found: { symbol: IndexedSymbol; ranks: number[] }[] = [];
  const seen = new Set<string>();
  symbols.forEach((symbol, position) => {
    const name = symbol.name.replace(".prototype", "").toLowerCase();
    const last = name.slice(name.lastIndexOf(".") + 1);
    const likeness = [last === wanted || name === wanted, last.startsWith(wanted), last.includes(wanted), true];
    // The same name in /http is the same thing.
    const isRepeated = symbol.file === "http" && seen.has(symbol.name);
    if (!name.includes(wanted) || isRepeated) return;
    seen.add(symbol.name);
    const kind = kinds.findIndex((names) => symbol.kind.some(({ kind }) => names.includes(kind)));
    const folder = folders.indexOf(symbol.file);
    found.push({
      symbol,
      ranks: [
        likeness.indexOf(true),
        kind < 0 ? kinds.length : kind,
        folder < 0 ? folders.length : folder,
        position,
      ],
    });
  });
  found.sort((one, other) => {
    const differing = one.ranks.findIndex((rank, i) => rank !== other.ranks[i]);
    return differing < 0 ? 0 : one.ranks[differing]! - other.ranks[differing]!;
  });
  return found.map(({ symbol }) => symbol);
}
