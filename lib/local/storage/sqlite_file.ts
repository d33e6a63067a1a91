import { checkText } from "../../values/checks.ts";
import { type Row, type RowFile, type TableName, TABLES, TABLES_BY_VERSION } from "./row_file.ts";

/** The part of `node:sqlite` that is used here, which Deno, Bun and Node have alike. */
interface Sqlite {
  readonly DatabaseSync: new (path: string) => Database;
}

interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface Statement {
  run(...values: unknown[]): unknown;
  get(...values: unknown[]): Record<string, unknown> | undefined;
  iterate(...values: unknown[]): Iterable<Record<string, unknown>>;
}

interface Statements {
  readonly rows: Statement;
  readonly put: Statement;
  readonly delete: Statement;
  readonly clear: Statement;
}

/** Marks the files of hubs among all files of SQLite: "ihub". */
const APPLICATION_ID = 0x69687562;
const SCHEMA_VERSION = TABLES_BY_VERSION.length;
/** Codes of SQLite. */
const BUSY = 5;

/** Throws unless an option is the path of a file. SQLite takes a name with a colon in front for no file at all. */
export function checkStoragePath(storage: unknown): void {
  checkText("storage", storage, /^[^:]/, 'the path of a file, such as "hub.sqlite"');
}

/**
 * Opens a file of SQLite, which is made unless it exists. While it is open, nobody else can open it.
 *
 * @throws {Error} When the runtime has no SQLite, or the file cannot be used, which is then left as it is.
 */
export function openSqliteFile(path: string): RowFile {
  const { DatabaseSync } = sqlite();
  let database: Database | undefined;
  try {
    database = new DatabaseSync(path);
    // From the first look on, until the file is closed.
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    checkOwner(database);
    database.exec("PRAGMA journal_mode = WAL");
    // The log is written with each commit, which outlives the process; only a power cut could take the last ones.
    database.exec("PRAGMA synchronous = NORMAL");
    migrate(database);
    return new SqliteFile(path, database);
  } catch (error) {
    database?.close();
    throw unusable(path, error);
  }
}

/** A file with the tables of a hub. */
class SqliteFile implements RowFile {
  readonly path: string;
  readonly #database: Database;
  readonly #statements: ReadonlyMap<TableName, Statements>;
  #isClosed = false;

  constructor(path: string, database: Database) {
    this.path = path;
    this.#database = database;
    this.#statements = new Map(TABLES.map((table) => [table, prepare(database, table)]));
  }

  *rows(table: TableName): Generator<Row> {
    for (const { key, text, bytes } of this.#of(table).rows.iterate()) {
      yield { key: String(key), text: String(text), bytes: bytes === null ? undefined : bytes as Row["bytes"] };
    }
  }

  put(table: TableName, { key, text, bytes }: Row): void {
    this.#of(table).put.run(key, text, bytes ?? null);
  }

  delete(table: TableName, key: string): void {
    this.#of(table).delete.run(key);
  }

  clear(table: TableName): void {
    this.#of(table).clear.run();
  }

  begin(): void {
    this.#database.exec("BEGIN");
  }

  commit(): void {
    this.#database.exec("COMMIT");
  }

  close(): void {
    if (!this.#isClosed) this.#database.close();
    this.#isClosed = true;
  }

  #of(table: TableName): Statements {
    return this.#statements.get(table)!;
  }
}

/** A row keeps its place when it is written again, so that rows are read in the order in which their keys came. */
function prepare(database: Database, table: TableName): Statements {
  return {
    rows: database.prepare(`SELECT key, text, bytes FROM ${table} ORDER BY place`),
    put: database.prepare(
      `INSERT INTO ${table} (key, text, bytes) VALUES (?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET text = excluded.text, bytes = excluded.bytes`,
    ),
    delete: database.prepare(`DELETE FROM ${table} WHERE key = ?`),
    clear: database.prepare(`DELETE FROM ${table}`),
  };
}

/** Throws unless the file is empty, or one of a hub that is not newer than this one. */
function checkOwner(database: Database): void {
  const version = read(database, "PRAGMA user_version");
  const isEmpty = read(database, "SELECT count(*) FROM sqlite_schema") === 0;
  if (read(database, "PRAGMA application_id") !== APPLICATION_ID) {
    if (isEmpty && version === 0) return;
    throw new Unusable("it is a database of something else. Name another file");
  }
  if (version > SCHEMA_VERSION) {
    throw new Unusable(
      `a newer hub has written it, with version ${version} of the schema, and this one knows those up to ${SCHEMA_VERSION}. ` +
        "Use a newer version of this module, or another file",
    );
  }
  const { quick_check: finding } = database.prepare("PRAGMA quick_check(1)").get() ?? {};
  if (finding !== "ok") throw new Unusable(DAMAGED);
}

/** Brings the tables to the version of this hub, in one step. */
function migrate(database: Database): void {
  const version = read(database, "PRAGMA user_version");
  if (version === SCHEMA_VERSION) return;
  database.exec("BEGIN");
  for (const table of TABLES_BY_VERSION.slice(version).flat()) {
    database.exec(
      `CREATE TABLE ${table} (place INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, text TEXT NOT NULL, bytes BLOB)`,
    );
  }
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  database.exec("COMMIT");
}

function read(database: Database, sql: string): number {
  return Number(Object.values(database.prepare(sql).get() ?? {})[0]);
}

const DAMAGED = "it is no database, or damaged, and was left as it is. Restore it from a copy, or name another file";

/** Says what is wrong with a file. */
class Unusable extends Error {}

function unusable(path: string, error: unknown): Error {
  return new Error(`Cannot use ${path} as storage: ${reasonOf(error)}`, { cause: error });
}

function reasonOf(error: unknown): string {
  if (error instanceof Unusable) return error.message;
  const { message } = error as Error;
  const { errcode } = error as { errcode?: number };
  if (errcode === BUSY || /database is locked/.test(message)) {
    return "another hub has it open. Close that one first, or name another file";
  }
  if (/not a database|malformed|corrupt/.test(message)) return DAMAGED;
  return `${message}. Name a file in a folder that exists and can be written`;
}

/** It is loaded for a hub that has storage, and no import, as not every runtime has it. */
function sqlite(): Sqlite {
  const { process } = globalThis as { process?: { getBuiltinModule?(id: string): Sqlite | undefined } };
  const module = process?.getBuiltinModule?.("node:sqlite");
  if (module !== undefined) return module;
  throw new Error(
    "Cannot use storage: this runtime has no node:sqlite. Node has it from version 22.13 on, and Deno and Bun in theirs " +
      "of 2026. Use one of them, or leave storage out, for a hub in memory",
  );
}
