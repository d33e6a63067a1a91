import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { withReliability } from "../support/reliability_section.ts";

test("the README says of failures what the tests hold the module to", async () => {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  assert.equal(readme, withReliability(readme), "run: deno run -A .ci/reliability.ts");
});
