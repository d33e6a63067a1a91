import type { Row, TableName } from "./row_file.ts";

/** How things of one kind are kept. */
export interface RowFormat<T> {
  readonly name: TableName;
  keyOf(item: T): string;
  /** Returns what is kept of it: what `JSON.stringify` makes of this. */
  valueOf(item: T): unknown;
  /** Returns the bytes that are kept beside it. They are never changed in place. */
  bytesOf?(item: T): Uint8Array<ArrayBuffer> | undefined;
  /** Returns all things of this kind that the hub has, in their order. */
  items(): Iterable<T>;
}

/** Where the rows of tables are. */
export interface Rows {
  /** Whether there is anything to write to. */
  readonly isWritable: boolean;
  read(table: TableName): Iterable<Row>;
  put(table: TableName, row: Row): void;
  delete(table: TableName, key: string): void;
}

/** A row as it is read again. */
export interface ReadRow {
  readonly key: string;
  /** What JSON has made of what was kept. Nothing else has it. */
  readonly value: unknown;
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Keeps things of one kind. Whoever holds such things in memory puts each here when it has changed, before anybody is told
 * of it, and reads them when the hub is made. A hub in memory keeps nothing: then this costs nothing.
 */
export class Table<T> {
  readonly #format: RowFormat<T>;
  readonly #rows: Rows;

  constructor(format: RowFormat<T>, rows: Rows) {
    this.#format = format;
    this.#rows = rows;
  }

  /** Keeps a thing as it is now. */
  put(item: T): void {
    if (this.#rows.isWritable) this.#rows.put(this.#format.name, this.#rowOf(item));
  }

  /** Keeps a thing no longer. */
  delete(item: T): void {
    if (this.#rows.isWritable) this.deleteKey(this.#format.keyOf(item));
  }

  /** Deletes the row with a key. */
  deleteKey(key: string): void {
    if (this.#rows.isWritable) this.#rows.delete(this.#format.name, key);
  }

  /** Reads what is kept, in the order in which it came. */
  *read(): Generator<ReadRow> {
    for (const { key, text, bytes } of this.#rows.read(this.#format.name)) {
      yield { key, value: JSON.parse(text), bytes };
    }
  }

  /** Returns what is kept of all things that there are, or would be. */
  *all(): Generator<Row> {
    for (const item of this.#format.items()) yield this.#rowOf(item);
  }

  #rowOf(item: T): Row {
    const { keyOf, valueOf, bytesOf } = this.#format;
    return { key: keyOf(item), text: JSON.stringify(valueOf(item)), bytes: bytesOf?.(item) };
  }
}
