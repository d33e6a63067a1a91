/** The lines that the hub's program prints, given to a shell as they are, and SDKs that need nothing else. */
import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { HubProgram } from "../../tests/support/hub_program.ts";
import { ownAddress } from "../../tests/support/own_address.ts";

const USERS = resolve(import.meta.dirname!, "../../tests/users");

/**
 * Runs a program of `tests/users` after the lines that the hub's program prints, and checks that its device connects.
 * Throws when it does not.
 *
 * @param command What runs it.
 * @param folder Where files can be written.
 */
export function connectInPrintedEnvironment(
  command: readonly string[],
  program: string,
  folder: string,
): Promise<void> {
  return connect(command, program, folder, () => `exec "$@"`);
}

/**
 * Does the same for Java, with what the lines have in comments: to have the certificate trusted, and how to start.
 *
 * @param classPath The jars of the SDK.
 */
export function connectJavaInPrintedEnvironment(classPath: string, program: string, folder: string): Promise<void> {
  return connect(["-cp", classPath], program, folder, (printed) => {
    const [, keytool] = /^# (keytool .*)$/m.exec(printed)!;
    const [, java] = /^# and then: (java .*) …$/m.exec(printed)!;
    return `${keytool} >&2 && exec ${java} "$@"`;
  });
}

/** @param commandOf The line for the shell that takes the words of the command, from the lines that were printed. */
async function connect(
  command: readonly string[],
  program: string,
  folder: string,
  commandOf: (printed: string) => string,
): Promise<void> {
  const address = ownAddress();
  const own = join(folder, program);
  await using hub = new HubProgram(["--host", address, "--name", address, "--folder", own]);
  await hub.printed();
  const { success, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", `${hub.output}\n${commandOf(hub.output)}`, "sh", ...command, join(USERS, program)],
    cwd: own,
    signal: AbortSignal.timeout(60_000),
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stderr));
  assert.equal(decoder.decode(stdout).trim(), "Connected");
}
