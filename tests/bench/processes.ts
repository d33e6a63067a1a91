import { join, resolve } from "node:path";
import { installRuntimes } from "../../.ci/runtimes.ts";
import { LineProcess } from "../support/line_process.ts";
import type { ContenderRequest } from "./contender.ts";
import type { ServerPorts } from "./server.ts";
import type { Figures } from "./turn.ts";

/** The runtimes that are compared. */
export type RuntimeName = "node" | "deno" | "bun";

/** How each runtime is started, before the path of a script. */
export type RuntimeCommands = Readonly<Record<RuntimeName, readonly [string, ...string[]]>>;

/** The project's root. */
export const ROOT: string = join(import.meta.dirname!, "..", "..");

/** Finds the runtimes; `BENCH_BUN` and `BENCH_NODE` may name executables, and the others come from npm. */
export async function findRuntimes(): Promise<RuntimeCommands> {
  const bun = Deno.env.get("BENCH_BUN");
  const node = Deno.env.get("BENCH_NODE");
  const installed = bun && node ? undefined : await installRuntimes(join(ROOT, ".cache", "runtimes"), ["24"]);
  return {
    node: [node ?? installed!.node["24"]],
    deno: [Deno.execPath(), "run", "--quiet", "-A"],
    bun: [bun ?? installed!.bun],
  };
}

function scriptPath(name: string, root: string = ROOT): string {
  return resolve(root, "tests", "bench", name);
}

/** Runs a script in a runtime to its end, in an environment that trusts `certificate`; returns what it printed. */
export async function runScript(
  [executable, ...args]: readonly [string, ...string[]],
  script: string,
  scriptArgs: readonly string[],
  certificate: string,
): Promise<string> {
  const command = new Deno.Command(executable, {
    args: [...args, scriptPath(script), ...scriptArgs],
    cwd: ROOT,
    env: environment(certificate),
  });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${script} failed on ${executable}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/** A running contender. */
export interface ContenderProcess extends AsyncDisposable {
  takeTurn(turnInMs: number): Promise<Figures>;
}

/** Starts a contender of the checkout `root` in an environment that trusts `certificate`. */
export function startContender(
  command: readonly [string, ...string[]],
  root: string,
  request: ContenderRequest,
  certificate: string,
): ContenderProcess {
  const process = new LineProcess([...command, scriptPath("contender.ts", root), JSON.stringify(request)], {
    cwd: root,
    env: environment(certificate),
  });
  return {
    async takeTurn(turnInMs) {
      await process.write(String(turnInMs));
      return await process.read();
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

/** A running server. */
export interface ServerProcess extends AsyncDisposable {
  readonly ports: ServerPorts;
}

/** Starts a server. */
export async function startServer(
  command: readonly [string, ...string[]],
  script: "server.ts" | "amqp_server.ts",
  certificate: string,
  key: string,
): Promise<ServerProcess> {
  const process = new LineProcess([...command, scriptPath(script), certificate, key], { cwd: ROOT });
  return { ports: await process.read(), [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

function environment(certificate: string): Record<string, string> {
  return { NODE_EXTRA_CA_CERTS: certificate, NODE_NO_WARNINGS: "1" };
}
