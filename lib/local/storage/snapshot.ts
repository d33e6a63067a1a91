import { checkType, quote, wrongType, wrongValue } from "../../values/checks.ts";
import { checkMembers } from "../../values/members.ts";
import { type Row, TABLES, TABLES_BY_VERSION } from "./row_file.ts";

/**
 * Everything that a local hub keeps, as a plain value: JSON values and bytes, which can be cloned and compared. It has the
 * keys of devices and policies in it: treat it as a secret.
 */
export interface LocalHubSnapshot {
  /** The version of what follows. A hub takes snapshots of its own version. */
  readonly version: number;
  /** The rows of each table: a key, a JSON value, and bytes where there are some. */
  readonly tables: Readonly<Record<string, readonly LocalHubSnapshotRow[]>>;
}

/** A row of a {@linkcode LocalHubSnapshot}: a key, a JSON value, and bytes where there are some. */
export type LocalHubSnapshotRow = readonly [key: string, value: unknown, bytes?: Uint8Array<ArrayBuffer>];

/** The version of the snapshots that this hub makes and takes. */
export const SNAPSHOT_VERSION: number = TABLES_BY_VERSION.length;

/** Copies a row into a snapshot. */
export function toSnapshotRow({ key, text, bytes }: Row): LocalHubSnapshotRow {
  const value: unknown = JSON.parse(text);
  return bytes === undefined ? [key, value] : [key, value, bytes.slice()];
}

/** Copies a row out of a snapshot. */
export function fromSnapshotRow([key, value, bytes]: LocalHubSnapshotRow): Row {
  return { key, text: JSON.stringify(value), bytes: bytes?.slice() };
}

/**
 * Throws unless an argument is a snapshot that this hub can take.
 *
 * @throws {TypeError} When it is none.
 * @throws {RangeError} When it is of another version.
 */
export function checkSnapshot(snapshot: unknown): asserts snapshot is LocalHubSnapshot {
  checkMembers("snapshot", snapshot, ["version", "tables"]);
  const { version, tables } = snapshot as Partial<LocalHubSnapshot>;
  if (version !== SNAPSHOT_VERSION) {
    throw wrongValue(`snapshot.version ${quote(String(version))}`, `${SNAPSHOT_VERSION}, that of this hub`);
  }
  checkType("snapshot.tables", tables, "object");
  checkMembers("snapshot.tables", tables, TABLES);
  for (const [name, rows] of Object.entries(tables)) {
    if (!Array.isArray(rows)) throw wrongType(`snapshot.tables.${name}`, "an array of rows", rows);
    if (!rows.every(isRow)) {
      throw wrongType(
        `a row of snapshot.tables.${name}`,
        "[key, value, bytes?]",
        rows.find((row) => !isRow(row)),
      );
    }
  }
}

function isRow(row: unknown): boolean {
  if (!Array.isArray(row)) return false;
  const [key, value, bytes] = row;
  return typeof key === "string" && value !== undefined && (bytes === undefined || bytes instanceof Uint8Array);
}
