import type { Twin } from "../../../gen/index.ts";
import { compilePath, type Evaluator } from "./evaluator.ts";
import type { AggregateName, Column, Query } from "./parser.ts";

/** A row of a grouped query, and the values that it stands for as one text. */
export interface GroupRow {
  readonly key: string;
  readonly row: Record<string, unknown>;
}

interface Group {
  readonly first: Twin | undefined;
  readonly tallies: Tally[];
}

/** What an aggregate needs to know of the twins of its group. */
interface Tally {
  rows: number;
  numbers: number;
  sum: number;
  min: number;
  max: number;
}

/**
 * The rows of a query with aggregates or GROUP BY, ordered by what they stand for: that order stays while twins come
 * and go, so that a page can go on where the one before it ended.
 */
export function groupRows(query: Query, twins: Iterable<Twin>): GroupRow[] {
  const columns = query.columns ?? [];
  const keys = query.groupBy.map((path) => compilePath(path, query.source));
  const values = columns.map((column) => compilePath(column.path, query.source));
  const groups = new Map<string, Group>();
  // Without GROUP BY there is one row, even over nothing.
  if (keys.length === 0) groups.set("[]", { first: undefined, tallies: columns.map(newTally) });
  for (const twin of twins) {
    // An array hides what is undefined behind null: that gets a mark which no JSON text is.
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
  const row: Record<string, unknown> = {};
  columns.forEach((column, i) => {
    const value = column.kind === "aggregate"
      ? aggregated(column.aggregate, group.tallies[i]!)
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

/** Over no number at all there is neither an average nor a smallest or largest one: the column is left out. */
function aggregated(name: AggregateName, tally: Tally): number | undefined {
  if (name === "COUNT") return tally.rows;
  if (name === "SUM") return tally.sum;
  if (tally.numbers === 0) return undefined;
  if (name === "AVG") return tally.sum / tally.numbers;
  return name === "MIN" ? tally.min : tally.max;
}
