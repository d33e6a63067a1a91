/** What a hub keeps of one thing: a JSON text, and bytes where there are some, under a key of its own in its table. */
export interface Row {
  readonly key: string;
  /** JSON. */
  readonly text: string;
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
}

/** The tables that each version of the schema has added to those of the one before. What stands here stays as it is. */
export const TABLES_BY_VERSION = [
  [
    "policies",
    "blobKeys",
    "blobContainers",
    "blobPieces",
    "blobs",
    "blobBlocks",
    "devices",
    "modules",
    "twins",
    "queueCounts",
    "messages",
    "feedbackRecords",
    "uploads",
    "configurations",
    "scheduledJobs",
    "deviceJobs",
    "importExportJobs",
  ],
  ["events", "eventPartitions"],
] as const;

/** The name of a table. */
export type TableName = typeof TABLES_BY_VERSION[number][number];

/** All of them. */
export const TABLES: readonly TableName[] = TABLES_BY_VERSION.flat();

/**
 * A file with rows, which only one hub has open at a time. A write outside of a transaction is one of its own. What is
 * committed stays when the process is killed.
 */
export interface RowFile {
  /** Where it is, for errors. */
  readonly path: string;
  /** Returns the rows of a table in the order in which their keys came. */
  rows(table: TableName): Iterable<Row>;
  /** Writes a row, in place of one with the same key. */
  put(table: TableName, row: Row): void;
  delete(table: TableName, key: string): void;
  /** Deletes all rows of a table. */
  clear(table: TableName): void;
  begin(): void;
  commit(): void;
  /** What was begun and not committed is not kept. Calling it again has no effect. */
  close(): void;
}
