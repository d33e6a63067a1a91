import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { LocalHubAddresses } from "../../lib/local/mod.ts";

/** What the program says with `--json` when it is ready. */
export interface ProgramReport {
  readonly hostName: string;
  readonly addresses: LocalHubAddresses;
  readonly connectionStrings: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
}

/** Node takes a second of work to load TypeScript, and a third of that what it has loaded before. */
const NODE_COMPILE_CACHE = join(tmpdir(), "node-compile-cache");

/** How the hub's program is started on the runtime that runs the test. */
export function hubProgramCommand(): [program: string, ...args: string[]] {
  const program = fileURLToPath(new URL("./hub_program_user.ts", import.meta.url));
  const flags = "Deno" in globalThis ? ["run", "-A", "--no-check"] : ["--no-warnings"];
  return [process.execPath, ..."Bun" in globalThis ? [] : flags, program];
}

/** The hub's program, run on the runtime that runs the test. */
export class HubProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting: { readonly pattern: RegExp; readonly resolve: (line: string) => void }[] = [];
  readonly #listeners: ((line: string) => void)[] = [];
  readonly #closed: Promise<unknown[]>;
  /** What it has written to the standard output so far. */
  output = "";
  /** The lines that it has written to the standard error so far. */
  readonly errors: string[] = [];

  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const [program, ...flags] = hubProgramCommand();
    this.#child = spawn(program, [...flags, ...args], {
      env: { NODE_COMPILE_CACHE, ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#closed = once(this.#child, "close");
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => this.output += text);
    createInterface({ input: this.#child.stderr! }).on("line", (line) => {
      this.errors.push(line);
      for (const listener of this.#listeners) listener(line);
      for (const { pattern, resolve } of this.#waiting) if (pattern.test(line)) resolve(line);
    });
  }

  /** Resolves with what it says with `--json` when it is ready; rejects when it ends before that. */
  async ready(): Promise<ProgramReport> {
    await this.printed();
    return JSON.parse(this.output);
  }

  /** Resolves when it has said that it is ready; rejects when it ends before that. */
  async printed(): Promise<void> {
    const said = new Promise<void>((resolve) => {
      const look = (): void => this.output.includes("\n") ? resolve() : undefined;
      look();
      this.#child.stdout!.on("data", look);
    });
    await Promise.race([said, this.#closed]);
    if (!this.output.includes("\n")) throw new Error(`The program has ended: ${this.errors.join("\n")}`);
  }

  /** The first line of the standard error that matches. */
  async line(pattern: RegExp): Promise<string> {
    const known = this.errors.find((line) => pattern.test(line));
    if (known !== undefined) return known;
    return await new Promise((resolve) => this.#waiting.push({ pattern, resolve }));
  }

  /** Calls a listener with each line of the standard error, those that are there already included. */
  onLine(listener: (line: string) => void): void {
    for (const line of this.errors) listener(line);
    this.#listeners.push(listener);
  }

  /** Sends it a signal. Not by the child itself: Deno would then say that the signal has ended it, whatever it does. */
  signal(name: "SIGINT" | "SIGTERM" | "SIGKILL"): void {
    process.kill(this.#child.pid!, name);
  }

  /** Waits until it has ended, and returns its exit code. */
  async ended(): Promise<number | null> {
    const [code] = await this.#closed;
    return code as number | null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
  }
}

/** A folder that is removed in the end. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "hub-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
