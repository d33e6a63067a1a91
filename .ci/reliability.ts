/**
 * Writes the README's table of failures anew, from the table that the tests use.
 *
 *     deno run -A .ci/reliability.ts
 */
import { withReliability } from "../tests/support/reliability_section.ts";

const readme = new URL("../README.md", import.meta.url);
await Deno.writeTextFile(readme, withReliability(await Deno.readTextFile(readme)));
