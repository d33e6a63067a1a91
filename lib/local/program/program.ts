import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { VERSION } from "../../values/version.ts";
import { LocalHub } from "../local_hub.ts";
import { keptCertificate } from "./certificate_files.ts";
import { isShown, lineOf } from "./event_lines.ts";
import { instructionsFor, shellLines } from "./instructions.ts";
import { openPorts } from "./open_ports.ts";
import { type ProgramOptions, readOptions, UsageError } from "./options.ts";
import { seed } from "./seed.ts";
import { USAGE } from "./usage.ts";

const FAILED = 1;
const MISUSED = 2;
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/;
const LOCAL_NAMES = ["localhost", "127.0.0.1", "::1"];
const EVERYWHERE = ["", "0.0.0.0", "::"];

/**
 * Runs a hub until somebody ends it.
 *
 * @param args The arguments of the program.
 * @returns The exit code.
 */
export async function runProgram(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args, process.env);
    if (options === "help") return print(USAGE);
    if (options === "version") return print(`${VERSION}\n`);
    return await serve(options);
  } catch (error) {
    const isMisused = error instanceof UsageError;
    tell(`${error instanceof Error ? error.message : error}${isMisused ? "\nSee --help" : ""}`);
    return isMisused ? MISUSED : FAILED;
  }
}

async function serve(options: ProgramOptions): Promise<number> {
  const { host, name, keys, isJson } = options;
  const ended = untilEnded();
  if (!LOOPBACK.test(host)) tell(`Other machines reach this hub at ${host}. Whoever has a key can do anything with it`);
  const authorities = await Promise.all(options.authorityFiles.map((file) => readFile(file, "utf8")));
  await using hub = new LocalHub({
    hostName: name,
    policyKeys: keys,
    deviceAuthorities: authorities,
    storage: options.dataFile,
  });
  hub.onEvent((event) => {
    if (isShown(event, options)) tell(isJson ? JSON.stringify(event) : lineOf(event, hasColours()));
  });
  hub.onFault(({ error, trackingId }) => tell(`A fault inside the hub (${trackingId}): ${error}`));
  if (options.seedFile !== undefined) await plant(hub, options.seedFile);

  const folder = options.folder ?? join(homedir(), ".iothub-local-hub");
  const names = [...new Set([name, ...LOCAL_NAMES, ...EVERYWHERE.includes(host) ? [] : [host]])];
  const files = await keptCertificate(folder, names);
  const addresses = await openPorts(hub, options, files.tls);
  const instructions = instructionsFor(hub, addresses, files);
  print(isJson ? JSON.stringify(instructions) + "\n" : shellLines(instructions));
  await ended;
  return 0;
}

/** Creates the identities to begin with. The hub serves those that are good. */
async function plant(hub: LocalHub, file: string): Promise<void> {
  const { errors, failure } = await seed(hub, await readFile(file));
  for (const error of errors) tell(`${file}: ${error}`);
  if (failure !== undefined) throw new Error(`${file} cannot be read: ${failure}`);
}

/** Resolves when somebody wants the program to end. Whoever cannot wait for that asks again. */
function untilEnded(): Promise<void> {
  return new Promise((resolve) => {
    let isAsked = false;
    const ask = (): void => {
      if (isAsked) process.exit(FAILED);
      isAsked = true;
      resolve();
    };
    // Not `once`: without a listener left, a runtime may end the process by the signal after all.
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, ask);
  });
}

function hasColours(): boolean {
  return process.stderr.isTTY === true && !process.env["NO_COLOR"];
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}
