import type { Twin } from "../../../gen/index.ts";
import { emptyJsonObject } from "../json.ts";
import { compilePath, type Evaluator } from "./evaluator.ts";
import type { AggregateName, Column, Query } from "./parser.ts";

/** A row of the result of a grouped query. */
export interface GroupRow {
  /** The values that the twins of the group share, as one text. */
  readonly key: string;
  readonly row: Record<string, unknown>;
}

interface Group {
  readonly first: Twin | undefined;
  readonly tallies: Tally[];
}

/** The running totals from which an aggregate is computed. */
interface Tally {
  rows: number;
  numbers: number;
  sum: number;
  min: number;
  max: number;
}

/**
 * Computes the rows of a query with aggregates or GROUP BY. They are ordered by their keys, which keeps the order
 * stable while twins are added and removed, so that a page can continue where the previous one ended.
 */
export function groupRows(query: Query, twins: Iterable<Twin>): GroupRow[] {
  const columns = query.columns ?? [];
  const keys = query.groupBy.map((path) => compilePath(path, query.source));
  const values = columns.map((column) => compilePath(column.path, query.source));
  const groups = new Map<string, Group>();
  // Without GROUP BY there is exactly one row, even when no twin matches.
  if (keys.length === 0) groups.set("[]", { first: undefined, tallies: columns.map(newTally) });
  for (const twin of twins) {
    // In an array, JSON.stringify would write undefined as null, so undefined is written as "-", which is not JSON.
    const key = `[${keys.map((valueOf) => JSON.stringify(valueOf(twin)) ?? "-").join()}]`;
    let group = groups.get(key);
    if (group === undefined) groups.set(key, group = { first: twin, tallies: columns.map(newTally) });
    values.forEach((valueOf, i) => count(group.tallies[i]!, columns[i]!, valueOf, twin));
  }
  return [...groups].sort(([a], [b]) => a < b ? -1 : 1).map(([key, group]) => ({
    key,
    row: toRow(columns, values, group),
  }));
}

function toRow(columns: readonly Column[], values: readonly Evaluator[], group: Group): Record<string, unknown> {
  const row: Record<string, unknown> = emptyJsonObject();
  columns.forEach((column, i) => {
    const value = column.kind === "aggregate"
      ? aggregateOf(column.aggregate, group.tallies[i]!)
      : group.first && values[i]!(group.first);
    if (value !== undefined) row[column.name] = value;
  });
  return row;
}

function newTally(): Tally {
  return { rows: 0, numbers: 0, sum: 0, min: Infinity, max: -Infinity };
}

function count(tally: Tally, column: Column, valueOf: Evaluator, twin: Twin): void {
  if (column.kind === "path") return;
  tally.rows++;
  const value = column.aggregate === "COUNT" ? undefined : valueOf(twin);
  if (typeof value !== "number") return;
  tally.numbers++;
  tally.sum += value;
  tally.min = Math.min(tally.min, value);
  tally.max = Math.max(tally.max, value);
}

/** Returns the value of an aggregate. AVG, MIN and MAX of no numbers have none, and the column is left out. */
function aggregateOf(name: AggregateName, tally: Tally): number | undefined {
  if (name === "COUNT") return tally.rows;
  if (name === "SUM") return tally.sum;
  if (tally.numbers === 0) return undefined;
  if (name === "AVG") return tally.sum / tally.numbers;
  return name === "MIN" ? tally.min : tally.max;
}
