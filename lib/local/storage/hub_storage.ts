import type { Row, RowFile, TableName } from "./row_file.ts";
import {
  fromSnapshotRow,
  type LocalHubSnapshot,
  type LocalHubSnapshotRow,
  SNAPSHOT_VERSION,
  toSnapshotRow,
} from "./snapshot.ts";
import { type RowFormat, type Rows, Table } from "./table.ts";

/** A part of the hub that holds things which are kept. */
export interface Keeper {
  /** Forgets everything that it holds in memory. */
  clear(): void;
  /** Reads what is kept from its tables. It holds nothing when this is called. */
  load(): void;
}

/**
 * What a hub keeps besides memory: the one seam between its parts and a file. Without a file nothing is kept, and there are
 * only snapshots.
 */
export class HubStorage implements Rows {
  readonly #file: RowFile | undefined;
  readonly #tables = new Map<TableName, Table<never>>();
  /** What is read in place of the file, while the hub is put where a snapshot says. */
  #snapshot: ReadonlyMap<string, readonly Row[]> | undefined;
  /** How many steps are going on, one inside another. */
  #depth = 0;
  #isBegun = false;
  /** Why nothing more is kept. */
  #failure: Error | undefined;

  constructor(file?: RowFile) {
    this.#file = file;
  }

  /** Makes the table of things of one kind. */
  table<T>(format: RowFormat<T>): Table<T> {
    const table = new Table(format, this);
    this.#tables.set(format.name, table as Table<never>);
    return table;
  }

  /**
   * Does some work in one step. When the process is killed meanwhile, nothing of it is kept. When the work throws, what it
   * has done until then is kept, as it is in memory.
   */
  together<T>(work: () => T): T {
    if (this.#file === undefined) return work();
    this.#depth++;
    try {
      return work();
    } finally {
      if (--this.#depth === 0) this.#commit();
    }
  }

  /**
   * Lets the parts read what is kept, in their order.
   *
   * @throws {Error} When it is not what a hub keeps. The file is left as it is.
   */
  load(keepers: readonly Keeper[]): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#depth++;
    try {
      for (const keeper of keepers) keeper.load();
    } catch (cause) {
      // Nothing of what was begun stays.
      this.#isBegun = false;
      this.close();
      throw new Error(
        `Cannot use ${file.path} as storage: it does not hold what a hub writes, and was left as it is. ` +
          "Restore it from a copy, or name another file",
        { cause },
      );
    } finally {
      this.#depth--;
    }
    this.#commit();
  }

  /** Returns everything that is kept, or would be. */
  snapshot(): LocalHubSnapshot {
    const tables: Record<string, LocalHubSnapshotRow[]> = {};
    for (const [name, table] of this.#tables) tables[name] = Array.from(table.all(), toSnapshotRow);
    return { version: SNAPSHOT_VERSION, tables };
  }

  /** Lets the parts forget everything. */
  clear(keepers: readonly Keeper[]): void {
    // The last one first, as it may need the others.
    for (const keeper of [...keepers].reverse()) keeper.clear();
  }

  /** Puts the parts, in their order, where a snapshot says. They hold nothing when this is called. */
  restore(snapshot: LocalHubSnapshot, keepers: readonly Keeper[]): void {
    this.together(() => {
      this.#snapshot = new Map(
        Object.entries(snapshot.tables).map(([name, rows]) => [name, rows.map(fromSnapshotRow)]),
      );
      try {
        for (const name of this.#tables.keys()) this.#replace(name, this.read(name));
        for (const keeper of keepers) keeper.load();
      } finally {
        this.#snapshot = undefined;
      }
    });
  }

  /** Closes the file. */
  close(): void {
    if (this.#failure === undefined) this.#file?.close();
    this.#failure ??= new TypeError("The local hub is closed");
  }

  get isWritable(): boolean {
    return this.#file !== undefined;
  }

  read(table: TableName): Iterable<Row> {
    if (this.#snapshot !== undefined) return this.#snapshot.get(table) ?? [];
    return this.#file?.rows(table) ?? [];
  }

  put(table: TableName, row: Row): void {
    this.#write((file) => file.put(table, row));
  }

  delete(table: TableName, key: string): void {
    this.#write((file) => file.delete(table, key));
  }

  #replace(table: TableName, rows: Iterable<Row>): void {
    this.#write((file) => {
      file.clear(table);
      for (const row of rows) file.put(table, row);
    });
  }

  #write(write: (file: RowFile) => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    const file = this.#file;
    if (file === undefined) return;
    this.#attempt(file, () => {
      if (this.#depth > 0 && !this.#isBegun) {
        file.begin();
        this.#isBegun = true;
      }
      write(file);
    });
  }

  #commit(): void {
    if (!this.#isBegun) return;
    this.#isBegun = false;
    // What was not written is not to be followed by what was.
    if (this.#failure !== undefined) throw this.#failure;
    this.#attempt(this.#file!, () => this.#file!.commit());
  }

  /** What the hub has in memory cannot be taken back, so that after a failure it takes no more. */
  #attempt(file: RowFile, work: () => void): void {
    try {
      work();
    } catch (cause) {
      const { message } = cause as Error;
      file.close();
      this.#failure = new Error(
        `Cannot write ${file.path}: ${message}. The hub takes no more writes. Make it anew to have what was written before`,
        { cause },
      );
      throw this.#failure;
    }
  }
}
