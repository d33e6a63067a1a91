/** A program that plays all scenarios with secrets; run by a test, which searches what it writes. */
import process from "node:process";
import { SCENARIOS } from "./secret_scenarios.ts";

const secrets = new Set<string>();
for (const play of Object.values(SCENARIOS)) {
  for (const secret of (await play()).secrets) secrets.add(secret);
}
// Written backwards, so that the list itself is not found.
process.stdout.write(JSON.stringify([...secrets].map((secret) => [...secret].reverse().join(""))));
