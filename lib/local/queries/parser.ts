import { type Expression, parseExpression, parsePath, type Path } from "./expressions.ts";
import { queryFault, TokenReader } from "./tokens.ts";

const MAX_LENGTH = 8192;
const AGGREGATES: readonly string[] = ["COUNT", "AVG", "SUM", "MIN", "MAX"];

export type AggregateName = "COUNT" | "AVG" | "SUM" | "MIN" | "MAX";

/** A column of the result: a path, or an aggregate over one. */
export type Column =
  | { readonly kind: "path"; readonly name: string; readonly path: Path }
  /** `path` is empty for COUNT. */
  | { readonly kind: "aggregate"; readonly name: string; readonly aggregate: AggregateName; readonly path: Path };

/** A parsed query. */
export interface Query {
  readonly source: "devices" | "devices.modules" | "devices.jobs";
  readonly top: number | undefined;
  /** `undefined` for `*`. */
  readonly columns: readonly Column[] | undefined;
  readonly where: Expression | undefined;
  readonly groupBy: readonly Path[];
}

/**
 * Parses a query.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when the text is too long or not a valid query.
 */
export function parseQuery(text: string): Query {
  if (text.length > MAX_LENGTH) {
    throw queryFault(`it has ${text.length} characters, and at most ${MAX_LENGTH} are allowed`, text, MAX_LENGTH);
  }
  const reader = new TokenReader(text);
  reader.expectKeyword("SELECT");
  const top = parseTop(reader);
  const columns = reader.takeSymbol("*") ? undefined : parseColumns(reader);
  reader.expectKeyword("FROM");
  const source = parseSource(reader);
  const where = reader.takeKeyword("WHERE") ? parseExpression(reader) : undefined;
  const groupBy = parseGroupBy(reader);
  if (reader.next.kind !== "end") throw reader.fault("the query is expected to end here");
  checkGrouping(reader, source, columns, groupBy);
  return { source, top, columns, where, groupBy };
}

function parseTop(reader: TokenReader): number | undefined {
  if (!reader.takeKeyword("TOP")) return undefined;
  const { kind, number } = reader.next;
  if (kind !== "number" || !Number.isInteger(number)) throw reader.fault("TOP must be followed by a whole number");
  return reader.take().number;
}

function parseColumns(reader: TokenReader): Column[] {
  const columns: Column[] = [];
  do columns.push(parseColumn(reader, columns)); while (reader.takeSymbol(","));
  return columns;
}

function parseColumn(reader: TokenReader, before: readonly Column[]): Column {
  const aggregate = AGGREGATES.find((name) => reader.isKeyword(name) && reader.isFollowedBy("("));
  if (aggregate === undefined) {
    const path = parsePath(reader);
    return { kind: "path", path, name: parseAlias(reader) ?? path.at(-1)! };
  }
  reader.take();
  reader.expectSymbol("(");
  const path = aggregate === "COUNT" ? [] : parsePath(reader);
  reader.expectSymbol(")");
  const unnamed = before.filter((column) => column.kind === "aggregate" && column.name.startsWith("$")).length;
  const name = parseAlias(reader) ?? `$${unnamed + 1}`;
  return { kind: "aggregate", aggregate: aggregate as AggregateName, path, name };
}

function parseAlias(reader: TokenReader): string | undefined {
  if (!reader.takeKeyword("AS")) return undefined;
  const alias = parsePath(reader);
  if (alias.length > 1) throw reader.fault("an alias must be a single name");
  return alias[0];
}

function parseSource(reader: TokenReader): Query["source"] {
  const fault = reader.fault("FROM must be followed by devices, devices.modules or devices.jobs");
  const source = parsePath(reader).join(".").toLowerCase();
  if (source === "devices" || source === "devices.modules" || source === "devices.jobs") return source;
  throw fault;
}

function parseGroupBy(reader: TokenReader): Path[] {
  if (!reader.takeKeyword("GROUP")) return [];
  reader.expectKeyword("BY");
  const paths: Path[] = [];
  do paths.push(parsePath(reader)); while (reader.takeSymbol(","));
  return paths;
}

/** With an aggregate or GROUP BY, every plain column must be one of those in GROUP BY. */
function checkGrouping(
  reader: TokenReader,
  source: Query["source"],
  columns: readonly Column[] | undefined,
  groupBy: readonly Path[],
): void {
  if (source === "devices.jobs" && (columns !== undefined || groupBy.length > 0)) {
    throw reader.fault("devices.jobs supports only SELECT *");
  }
  if (columns === undefined) {
    if (groupBy.length > 0) throw reader.fault("SELECT * cannot be combined with GROUP BY");
    return;
  }
  if (groupBy.length === 0 && columns.every((column) => column.kind === "path")) return;
  const grouped = new Set(groupBy.map((path) => path.join("\n")));
  for (const column of columns) {
    if (column.kind === "path" && !grouped.has(column.path.join("\n"))) {
      throw reader.fault(`${column.path.join(".")} must be in GROUP BY or in an aggregate`);
    }
  }
}
