import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const ROOT = resolve(import.meta.dirname!, "..");

/**
 * Writes an import map by which every hub of a test keeps what it is told in a file of SQLite, and no test knows: in place
 * of what puts the parts of a hub together, all get a class that names a file for it.
 *
 * @returns The path of the map, for `deno test --import-map`.
 */
export async function writeSqliteImportMap(): Promise<string> {
  const { imports } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const urlOf = (path: string): string => pathToFileURL(join(ROOT, path)).href;
  const [inMemory, onSqlite] = [urlOf("lib/local/hub_state.ts"), urlOf("tests/support/hub_state_on_sqlite.ts")];
  const path = join(ROOT, ".cache", "on_sqlite.json");
  await Deno.mkdir(join(ROOT, ".cache"), { recursive: true });
  await Deno.writeTextFile(
    path,
    JSON.stringify({
      imports: { ...imports, ...withPaths(imports), [inMemory]: onSqlite },
      scopes: { [onSqlite]: { [inMemory]: inMemory } },
    }),
  );
  return path;
}

/** Only the map in deno.json stands for the paths in a package, too. */
function withPaths(imports: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(imports).map(([name, target]) => [`${name}/`, `${target.replace("npm:", "npm:/")}/`]),
  );
}

if (import.meta.main) console.log(await writeSqliteImportMap());
