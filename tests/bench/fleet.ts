/**
 * Registers a million devices from a generated CSV stream at a server that forgets them, on Node, Deno and Bun: the rate
 * against a bare loop of bulk requests, and the memory.
 *
 *     deno run -A tests/bench/fleet.ts [RUNTIME…]
 */
import { join } from "node:path";
import { buildNpmPackage, NPM_PACKAGE } from "../../.ci/build_npm.ts";
import { LineProcess } from "../support/line_process.ts";
import { findRuntimes, ROOT, type RuntimeName } from "./processes.ts";

const runtimes = await findRuntimes();
const names = Deno.args.length > 0 ? Deno.args as RuntimeName[] : ["node", "deno", "bun"] as const;
const options = { cwd: ROOT };
const LITTLE_ROOM = ["--max-semi-space-size=4", "--max-old-space-size=64"];
const script = (name: string): string => join(ROOT, "tests", "bench", name);

for (const name of names) {
  await using server = new LineProcess([Deno.execPath(), "run", "-A", script("forgetting_server.ts")], options);
  const PORT = String(await server.read<number>());
  const [executable, ...given] = runtimes[name];
  if (name === "node") await buildNpmPackage();
  for (const WORK of ["rate", "memory"]) {
    // Node is measured as its users have it, since what strips types takes 40 MB itself, and with the room that the page on
    // fleets advises.
    const isNode = name === "node";
    const env = { PORT, WORK, ...(isNode && { PACKAGE: join(NPM_PACKAGE, "dist") }) };
    const args = isNode && WORK === "memory" ? [...given, ...LITTLE_ROOM] : given;
    const client = new Deno.Command(executable, { args: [...args, script("fleet_client.ts")], ...options, env });
    const { code, stdout, stderr } = await client.output();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
    console.log(name, new TextDecoder().decode(stdout).trim());
  }
}
