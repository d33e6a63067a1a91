import type { Reader } from "../records/document_shape.ts";
import { Tally } from "./aggregates.ts";
import type { Collection, Documents } from "./collection.ts";
import { compileCondition } from "./conditions.ts";
import type { Path } from "./expressions.ts";
import { isPrimitive } from "./operators.ts";
import type { Query } from "./parser.ts";
import { compilePath, resolvePath } from "./paths.ts";
import { invalidQuery } from "./query_fault.ts";
import type { QueryPlan, Rows } from "./query_plan.ts";
import { rowOf } from "./row.ts";

interface Group<R> {
  /** The values that its records share, as one text. */
  readonly key: string;
  /** Its first record, which has the shared values; `undefined` for the one group of a query without GROUP BY. */
  readonly first: R | undefined;
  /** One for each aggregate. */
  readonly tallies: readonly Tally[];
}

/**
 * Runs a query with aggregates or GROUP BY. Rows are ordered by the keys of their groups, which keeps the order while
 * records come and go, so that a page can continue where the previous one ended.
 */
export class GroupPlan<R extends { readonly sequence: number }> implements QueryPlan {
  readonly #records: Collection<R>["records"];
  readonly #isMatch: (record: R) => boolean;
  readonly #keys: readonly Reader<R>[];
  /** How the value is read that each aggregate is computed from. */
  readonly #tallied: readonly Reader<R>[];
  readonly #names: readonly string[];
  /** How the value of each column is had from a group. */
  readonly #values: readonly ((group: Group<R>) => unknown)[];

  constructor(query: Query, collection: Collection<R>) {
    checkColumns(query, collection);
    const { columns = [], groupBy, where } = query;
    this.#records = collection.records;
    this.#isMatch = compileCondition(where, collection);
    this.#keys = groupBy.map((path) => compilePath(path, collection));
    const aggregates = columns.filter(({ kind }) => kind === "aggregate");
    this.#tallied = aggregates.map(({ path }) => path.length === 0 ? () => undefined : compilePath(path, collection));
    this.#names = columns.map(({ name }) => name);
    this.#values = columns.map((column) => {
      if (column.kind === "aggregate") {
        const place = aggregates.indexOf(column);
        return ({ tallies }) => tallies[place]!.result(column.aggregate);
      }
      const read = compilePath(column.path, collection);
      return ({ first }) => first && read(first);
    });
  }

  rows(size: number, after: number | string | undefined): Rows {
    const groups = this.#groups().filter(({ key }) => after === undefined || key > String(after))
      .sort((one, other) => one.key < other.key ? -1 : 1);
    const page = groups.slice(0, size);
    const items = page.map((group) => rowOf(this.#names, (at) => this.#values[at]!(group)));
    return page.length > 0 && page.length < groups.length ? { items, last: page.at(-1)!.key } : { items };
  }

  #groups(): Group<R>[] {
    const groups = new Map<string, Group<R>>();
    const groupOf = (key: string, first: R | undefined): Group<R> => {
      let group = groups.get(key);
      if (group === undefined) groups.set(key, group = { key, first, tallies: this.#tallied.map(() => new Tally()) });
      return group;
    };
    // Without GROUP BY there is exactly one row, even when nothing matches.
    if (this.#keys.length === 0) groupOf("", undefined);
    const texts = this.#keys.map(() => new ValueTexts());
    for (const record of this.#records.after(0)) {
      if (!this.#isMatch(record)) continue;
      let key = "";
      for (let at = 0; at < texts.length; at++) {
        const text = texts[at]!.of(this.#keys[at]!(record));
        key = at === 0 ? text : `${key},${text}`;
      }
      const { tallies } = groupOf(key, record);
      for (let at = 0; at < tallies.length; at++) tallies[at]!.add(this.#tallied[at]!(record));
    }
    return [...groups.values()];
  }
}

/** Throws unless every plain column is one of those in GROUP BY. */
function checkColumns<R>({ columns = [], groupBy }: Query, documents: Documents<R>): void {
  const nameOf = (path: Path): string => JSON.stringify(resolvePath(path, documents));
  const grouped = new Set(groupBy.map(nameOf));
  for (const { kind, path } of columns) {
    if (kind === "aggregate" || grouped.has(nameOf(path))) continue;
    throw invalidQuery(`${path.join(".")} must be in GROUP BY or in an aggregate`);
  }
}

/** Writes values as JSON. There are few different ones in many records, so it remembers them. */
class ValueTexts {
  readonly #texts = new Map<unknown, string>();

  of(value: unknown): string {
    let text = this.#texts.get(value);
    if (text !== undefined) return text;
    // "-" is not JSON, so nothing else is written like it.
    text = JSON.stringify(value) ?? "-";
    if (value === undefined || isPrimitive(value)) this.#texts.set(value, text);
    return text;
  }
}
