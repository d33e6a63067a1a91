/**
 * Registers a million devices from a generated CSV stream at a server that forgets them, on Node, Deno and Bun: the rate
 * against a bare loop of bulk requests, and the memory.
 *
 *     deno run -A tests/bench/fleet.ts [RUNTIME…]
 */
import { join } from "node:path";
import { LineProcess } from "../support/line_process.ts";
import { findRuntimes, ROOT, type RuntimeName } from "./processes.ts";

const runtimes = await findRuntimes();
const names = Deno.args.length > 0 ? Deno.args as RuntimeName[] : ["node", "deno", "bun"] as const;
const options = { cwd: ROOT };
const script = (name: string): string => join(ROOT, "tests", "bench", name);

for (const name of names) {
  await using server = new LineProcess([Deno.execPath(), "run", "-A", script("forgetting_server.ts")], options);
  const PORT = String(await server.read<number>());
  const [executable, ...args] = runtimes[name];
  for (const WORK of ["rate", "memory"]) {
    const env = { PORT, WORK };
    const client = new Deno.Command(executable, { args: [...args, script("fleet_client.ts")], ...options, env });
    const { code, stdout, stderr } = await client.output();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
    console.log(name, new TextDecoder().decode(stdout).trim());
  }
}
