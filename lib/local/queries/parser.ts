import { type AggregateName, AGGREGATES } from "./aggregates.ts";
import { type Expression, parseExpression, parsePath, type Path } from "./expressions.ts";
import { TokenReader } from "./tokens.ts";

/** A column of the result: a path, or an aggregate over one. */
export type Column =
  | { readonly kind: "path"; readonly name: string; readonly path: Path }
  /** `path` is empty for COUNT. */
  | { readonly kind: "aggregate"; readonly name: string; readonly aggregate: AggregateName; readonly path: Path };

/** A parsed query. */
export interface Query {
  /** The name of the collection, in lower case. */
  readonly source: string;
  readonly top: number | undefined;
  /** `undefined` for `*`. */
  readonly columns: readonly Column[] | undefined;
  readonly where: Expression | undefined;
  readonly groupBy: readonly Path[];
  /** Whether a row stands for a group of documents, by GROUP BY or by an aggregate. */
  readonly isGrouped: boolean;
}

/** The one collection of which a query returns whole documents only. */
const WHOLE_DOCUMENTS = "devices.jobs";

/**
 * Parses a query.
 *
 * @param sources The names of the collections that there are.
 * @throws {HubFault} `ArgumentInvalid` (400) when the text is too long or not a valid query.
 */
export function parseQuery(text: string, sources: readonly string[]): Query {
  const reader = new TokenReader(text);
  reader.expectKeyword("SELECT");
  const top = parseTop(reader);
  const columns = reader.takeSymbol("*") ? undefined : parseColumns(reader);
  reader.expectKeyword("FROM");
  const source = parseSource(reader, sources);
  const where = reader.takeKeyword("WHERE") ? parseExpression(reader) : undefined;
  const groupBy = parseGroupBy(reader);
  reader.expectEnd();
  if (source === WHOLE_DOCUMENTS && (columns !== undefined || groupBy.length > 0)) {
    throw reader.fault(`${WHOLE_DOCUMENTS} supports only SELECT *`);
  }
  const isGrouped = groupBy.length > 0 || (columns?.some(({ kind }) => kind === "aggregate") ?? false);
  if (isGrouped && columns === undefined) throw reader.fault("SELECT * cannot be combined with GROUP BY");
  return { source, top, columns, where, groupBy, isGrouped };
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
  return { kind: "aggregate", aggregate, path, name };
}

function parseAlias(reader: TokenReader): string | undefined {
  if (!reader.takeKeyword("AS")) return undefined;
  const alias = parsePath(reader);
  if (alias.length > 1) throw reader.fault("an alias must be a single name");
  return alias[0];
}

/** Parses the name of a collection, which may be written in any case. */
export function parseSource(reader: TokenReader, sources: readonly string[]): string {
  const fault = reader.fault(`FROM must be followed by one of ${sources.join(", ")}`);
  const source = parsePath(reader).join(".").toLowerCase();
  if (!sources.includes(source)) throw fault;
  return source;
}

function parseGroupBy(reader: TokenReader): Path[] {
  if (!reader.takeKeyword("GROUP")) return [];
  reader.expectKeyword("BY");
  const paths: Path[] = [];
  do paths.push(parsePath(reader)); while (reader.takeSymbol(","));
  return paths;
}
