/**
 * Writes the tables in the documents anew, from what the code and the tests hold: what is done about each failure, what
 * the local hub answers.
 *
 *     deno run -A .ci/tables.ts
 *
 * @module
 */
import { GENERATED_TABLES } from "../tests/support/generated_tables.ts";
import { withSection } from "../tests/support/markdown.ts";

for (const { file, name, render } of GENERATED_TABLES) {
  const url = new URL(`../${file}`, import.meta.url);
  await Deno.writeTextFile(url, withSection(await Deno.readTextFile(url), name, await render()));
}
