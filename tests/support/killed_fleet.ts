import { spawn } from "node:child_process";
import process from "node:process";
import type { BulkDevice } from "../../mod.ts";
import { createInterface } from "node:readline";

/** What a program of its own does with a fleet. */
export type KilledOperation = "create" | "tag" | "swap" | "call" | "delete";

/** The devices, each second one with keys of its own. */
export function fleetEntries(count: number): (BulkDevice & { id: string })[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `device-${index}`,
    ...(index % 2 === 1 && { authentication: { type: "sas", symmetricKey: keysOf(index) } as const }),
  }));
}

/** The keys that a device is given. */
export function keysOf(index: number): { primaryKey: string; secondaryKey: string } {
  const key = (name: string): string => btoa(`${name} key of device ${index}`.padEnd(32, "."));
  return { primaryKey: key("first"), secondaryKey: key("second") };
}

/** An outcome as the program tells it. */
export type ToldOutcome = [deviceId: string, status: string, primaryKey?: string];

/** Runs the program until it ends, or is killed after so many outcomes. Returns what it has told. */
export function runProgram(
  program: string,
  env: Record<string, string>,
  killAfter: number = Infinity,
): Promise<ToldOutcome[]> {
  return new Promise((resolve, reject) => {
    const args = "Deno" in globalThis ? ["run", "-A", "--no-check", program] : [program];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const told: ToldOutcome[] = [];
    let errors = "";
    child.stderr.on("data", (text) => errors += text);
    if (killAfter === 0) child.kill("SIGKILL");
    createInterface({ input: child.stdout }).on("line", (line) => {
      // The last line of a killed program may be cut off.
      if (line.endsWith("]")) told.push(JSON.parse(line));
      if (told.length >= killAfter) child.kill("SIGKILL");
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0 || killAfter < Infinity) resolve(told);
      else reject(new Error(`The program ended with ${code}: ${errors}`));
    });
  });
}
