/** Takes the place of `hub_state.ts` by an import map: then every hub of a test keeps what it is told in a file of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HubState as State, type HubStateOptions } from "../../lib/local/hub_state.ts";
import { openSqliteFile } from "../../lib/local/storage/sqlite_file.ts";

export * from "../../lib/local/hub_state.ts";

const folder = mkdtempSync(join(tmpdir(), "hubs-on-sqlite-"));
// Deno ends a test without the event "exit" of its process.
globalThis.addEventListener("unload", () => rmSync(folder, { recursive: true, force: true }));
let count = 0;

/** The state of a hub on SQLite. */
export class HubState extends State {
  constructor(options: HubStateOptions) {
    super({ ...options, file: options.file ?? openSqliteFile(join(folder, `${++count}.sqlite`)) });
  }
}
