/**
 * Queries as text, and what they mean as plain functions over whole documents: a second engine, slow and simple, that knows
 * nothing of the first.
 */
import fc from "fast-check";
import { anyCase, anyCondition, type ModelPath, type Term, vocabularyOf } from "./query_terms.ts";
import type { Json } from "./rest_caller.ts";

/** A query and its rows. */
export interface ModelQuery {
  readonly text: string;
  readonly itemType: "Twin" | "Raw";
  /** Whether the order of the rows is left to the hub. */
  readonly isGrouped: boolean;
  /** How many rows there are at most. */
  readonly top: number;
  /** Returns the documents that the condition lets through. */
  readonly matches: (documents: readonly Json[]) => Json[];
  /** Returns all rows, TOP aside. */
  readonly rows: (documents: readonly Json[]) => Json[];
}

/** Any query of some documents, most of which find some and leave some out. */
export function queriesOf(
  collection: "devices" | "devices.modules",
  documents: readonly Json[],
): fc.Arbitrary<ModelQuery> {
  const vocabulary = vocabularyOf(collection, documents);
  const { path } = vocabulary;
  const where = fc.option(anyCondition(vocabulary), { freq: 4, nil: undefined });
  const top = fc.option(fc.integer({ min: 0, max: 12 }), { freq: 3, nil: undefined });
  const source = anyCase(collection);

  const plain = fc.record({
    top,
    source,
    where,
    columns: fc.option(fc.array(plainColumn(path), { minLength: 1, maxLength: 4 })),
  })
    .map(({ top, source, where, columns }): ModelQuery => ({
      text: queryText({ top, select: columns?.map(({ text }) => text).join(", ") ?? "*", source, where }),
      itemType: columns === null ? "Twin" : "Raw",
      isGrouped: false,
      top: top ?? Infinity,
      matches: (documents) => matchesOf(documents, where),
      rows: (documents) =>
        matchesOf(documents, where).map((document) =>
          columns === null ? document : rowOf(columns, (column) => column.of(document))
        ),
    }));

  const grouped = fc.record({
    top,
    source,
    where,
    keys: fc.array(path, { maxLength: 2 }),
    aggregates: fc.array(aggregate(path), { maxLength: 3 }),
    alias: fc.boolean(),
  }).filter(({ keys, aggregates }) => keys.length + aggregates.length > 0).map(
    ({ top, source, where, keys, aggregates, alias }): ModelQuery => {
      const columns = keys.map((key, at) => ({ key, name: alias ? `key${at}` : key.last }));
      const named = aggregates.map((one, at) => ({ ...one, name: alias ? `n${at}` : `$${at + 1}` }));
      const select = [
        ...columns.map(({ key, name }) => alias ? `${key.text} AS ${name}` : key.text),
        ...named.map(({ text, name }) => alias ? `${text} as ${name}` : text),
      ];
      return {
        text: queryText({ top, select: select.join(","), source, where, groupBy: keys.map(({ text }) => text) }),
        itemType: "Raw",
        isGrouped: true,
        top: top ?? Infinity,
        matches: (documents) => matchesOf(documents, where),
        rows: (documents) =>
          groupsOf(matchesOf(documents, where), keys).map((group) => ({
            ...rowOf(columns, ({ key }) => group.length > 0 ? key.of(group[0]) : undefined),
            ...rowOf(named, (one) => one.of(group)),
          })),
      };
    },
  );
  return fc.oneof({ weight: 3, arbitrary: plain }, { weight: 2, arbitrary: grouped });
}

function queryText(
  { top, select, source, where, groupBy = [] }: {
    top: number | undefined;
    select: string;
    source: string;
    where: Term | undefined;
    groupBy?: readonly string[];
  },
): string {
  return [
    "SELECT",
    ...(top === undefined ? [] : [`TOP ${top}`]),
    select,
    `FROM ${source}`,
    ...(where === undefined ? [] : [`WHERE ${where.text}`]),
    ...(groupBy.length === 0 ? [] : [`GROUP BY ${groupBy.join(", ")}`]),
  ].join(" ");
}

function matchesOf(documents: readonly Json[], where: Term | undefined): Json[] {
  return documents.filter((document) => where === undefined || where.of(document) === true);
}

function rowOf<T extends { readonly name: string }>(columns: readonly T[], of: (column: T) => unknown): Json {
  const defined = columns.map((column) => [column.name, of(column)]).filter(([, value]) => value !== undefined);
  return Object.fromEntries(defined);
}

/** Documents with equal values at some paths together; all of them, even if there are none, where there is no path. */
function groupsOf(documents: readonly Json[], keys: readonly Term[]): Json[][] {
  if (keys.length === 0) return [[...documents]];
  const groups: { key: string; members: Json[] }[] = [];
  for (const document of documents) {
    const key = keys.map(({ of }) => JSON.stringify(of(document)) ?? "nothing").join(" and ");
    const group = groups.find((group) => group.key === key);
    if (group === undefined) groups.push({ key, members: [document] });
    else group.members.push(document);
  }
  return groups.map(({ members }) => members);
}

interface Column {
  readonly text: string;
  readonly name: string;
  readonly of: (document: Json) => unknown;
}

function plainColumn(path: fc.Arbitrary<ModelPath>): fc.Arbitrary<Column> {
  return fc.tuple(path, fc.constantFrom(undefined, "a", "B", "[[two words]]", "[[group]]")).map(([path, alias]) => ({
    text: alias === undefined ? path.text : `${path.text} AS ${alias}`,
    name: alias === undefined ? path.last : alias.replace(/^\[\[|\]\]$/g, ""),
    of: path.of,
  }));
}

interface Aggregate {
  readonly text: string;
  readonly of: (group: readonly Json[]) => unknown;
}

function aggregate(path: fc.Arbitrary<ModelPath>): fc.Arbitrary<Aggregate> {
  return fc.tuple(fc.constantFrom("COUNT", "AVG", "SUM", "MIN", "MAX", "max"), path).map(([name, path]) => ({
    text: name === "COUNT" ? "COUNT()" : `${name}(${path.text})`,
    of: (group) => {
      const numbers = group.map(path.of).filter((value) => typeof value === "number");
      const sum = numbers.reduce((sum, value) => sum + value, 0);
      switch (name) {
        case "COUNT":
          return group.length;
        case "SUM":
          return sum;
        case "AVG":
          return numbers.length === 0 ? undefined : sum / numbers.length;
        case "MIN":
          return numbers.length === 0 ? undefined : Math.min(...numbers);
        default:
          return numbers.length === 0 ? undefined : Math.max(...numbers);
      }
    },
  }));
}
