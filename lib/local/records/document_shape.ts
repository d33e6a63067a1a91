import { isJsonObject, type JsonObject } from "../json.ts";

/** Reads a value of a document out of the record that the document is about. */
export type Reader<R, V = unknown> = (record: R) => V | undefined;

/** An object within a document that can be looked into without being built. */
export interface Branch<R, V = unknown> {
  /** Builds the object; `undefined` where the document has none. */
  build(record: R): V | undefined;
  /** Returns how the value at a path below is read; `undefined` where there never is one. */
  reader(path: readonly string[]): Reader<R> | undefined;
}

/** How a member of a document is read out of a record. Without a value the document does not have it. */
export type Member<R, V = unknown> = Reader<R, V> | Branch<R, V>;

/** How the members of documents of the type `D` are read, in the order in which they are written. */
export type Members<R, D> = { readonly [Name in keyof D]?: Member<R, D[Name]> };

/**
 * Knows what the documents about one kind of record consist of, so that a query can read the few members that it asks
 * for, and builds whole documents of what it returns only.
 */
export class DocumentShape<R, D extends object = Record<string, unknown>> implements Branch<R, D> {
  readonly #members: ReadonlyMap<string, Member<R>>;
  readonly #names: ReadonlyMap<string, string>;

  constructor(members: Members<R, D>) {
    this.#members = new Map(Object.entries(members) as [string, Member<R>][]);
    this.#names = new Map(Object.keys(members).map((name) => [name.toLowerCase(), name]));
  }

  build(record: R): D {
    const document: Record<string, unknown> = {};
    for (const [name, member] of this.#members) {
      const value = typeof member === "function" ? member(record) : member.build(record);
      if (value !== undefined) document[name] = value;
    }
    return document as D;
  }

  reader([name = "", ...below]: readonly string[]): Reader<R> | undefined {
    const member = this.#members.get(name);
    if (typeof member === "function") {
      if (below.length === 0) return member;
      const read = readerAt(below);
      return (record) => read(member(record));
    }
    return below.length === 0 && member !== undefined ? (record) => member.build(record) : member?.reader(below);
  }

  /** Returns the name of a member in the case in which documents have it; `undefined` where there is no such member. */
  nameLike(name: string): string | undefined {
    return this.#names.get(name.toLowerCase());
  }
}

/** Returns how the value at a path below a JSON value is read. It is `undefined` where there is none. */
export function readerAt(path: readonly string[]): (value: unknown) => unknown {
  if (!path.every(isOrdinary)) return (value) => valueAt(value, path);
  const [name = ""] = path;
  // Most paths have one name here, for which a loop would take longer than the reading.
  return path.length === 1 ? (value) => memberOf(value, name) : (value) => path.reduce(memberOf, value);
}

/** Whether no array and no object has a member of that name by nature. A query asks such a name of every record. */
function isOrdinary(name: string): boolean {
  return !(name in []) && !/^\d/.test(name);
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as JsonObject)[name] : undefined;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}
