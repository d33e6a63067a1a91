import type { Reader } from "../records/document_shape.ts";
import type { Collection } from "./collection.ts";
import { compileCondition } from "./conditions.ts";
import type { Query } from "./parser.ts";
import { compilePath } from "./paths.ts";
import type { QueryPlan, Rows } from "./query_plan.ts";
import { rowOf } from "./row.ts";

/** Runs a query that returns a row for each match: the whole document, or some columns of it. */
export class RowPlan<R extends { readonly sequence: number }> implements QueryPlan {
  readonly #records: Collection<R>["records"];
  readonly #isMatch: (record: R) => boolean;
  readonly #project: Reader<R>;

  constructor(query: Query, collection: Collection<R>) {
    this.#records = collection.records;
    this.#isMatch = compileCondition(query.where, collection);
    this.#project = compileProjection(query, collection);
  }

  rows(size: number, after: number | string | undefined): Rows {
    const items: unknown[] = [];
    let last = Number(after ?? 0);
    for (const record of this.#records.after(last)) {
      if (!this.#isMatch(record)) continue;
      // One more than asked for, since a page that ends with the last row must say so.
      if (items.length >= size) return { items, last };
      items.push(this.#project(record));
      last = record.sequence;
    }
    return { items };
  }
}

function compileProjection<R extends { readonly sequence: number }>(
  { columns }: Query,
  collection: Collection<R>,
): Reader<R> {
  if (columns === undefined) return (record) => collection.shape.build(record);
  const names = columns.map(({ name }) => name);
  const readers = columns.map(({ path }) => compilePath(path, collection));
  return (record) => rowOf(names, (at) => readers[at]!(record));
}
