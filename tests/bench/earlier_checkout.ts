import { join } from "node:path";
import { ROOT } from "./processes.ts";

/** An earlier state of the project, in a folder of its own. */
export interface EarlierCheckout {
  /** The commit's short name. */
  readonly commit: string;
  /** The folder, laid out as the project's root. */
  readonly root: string;
}

/**
 * Unpacks `commit` below `.cache/bench`, unless it is there from an earlier run, with the dependencies that its own lock file
 * names. Its benchmarks give way to today's, so that both sides do the same work: what runs in a checkout may therefore import
 * nothing of the module but its public entries, which stay where they are when other files move.
 */
export async function checkOut(commit: string): Promise<EarlierCheckout> {
  const name = await run(ROOT, "git", "rev-parse", "--verify", "--end-of-options", `${commit}^{commit}`);
  const root = join(ROOT, ".cache", "bench", name);
  if (!await exists(root)) await unpack(name, root);
  await run(root, Deno.execPath(), "install", "--quiet");

  const benchmarks = join(root, "tests", "bench");
  await Deno.remove(benchmarks, { recursive: true }).catch(unlessMissing);
  await Deno.mkdir(benchmarks, { recursive: true });
  for await (const file of Deno.readDir(import.meta.dirname!)) {
    await Deno.copyFile(join(import.meta.dirname!, file.name), join(benchmarks, file.name));
  }
  return { commit: await run(ROOT, "git", "rev-parse", "--short", name), root };
}

async function unpack(commit: string, root: string): Promise<void> {
  // The folder gets its name when it is complete, so that a run that was stopped leaves nothing that looks like a checkout.
  const incomplete = `${root}.incomplete`;
  await Deno.remove(incomplete, { recursive: true }).catch(unlessMissing);
  await Deno.mkdir(incomplete, { recursive: true });
  await run(ROOT, "git", "archive", "--format=tar", `--output=${join(incomplete, "archive.tar")}`, commit);
  await run(incomplete, "tar", "-xf", "archive.tar");
  await Deno.remove(join(incomplete, "archive.tar"));
  await Deno.rename(incomplete, root);
}

/** Runs a program to its end; returns what it printed. */
async function run(folder: string, program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd: folder, stdin: "null" }).output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(`This failed in ${folder}: ${[program, ...args].join(" ")}\n${decoder.decode(stderr)}`);
  }
  return decoder.decode(stdout).trim();
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, unlessMissing);
}

function unlessMissing(error: unknown): false {
  if (error instanceof Deno.errors.NotFound) return false;
  throw error;
}
