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
 * @param runtime What runs it.
 * @param folder Where files can be written.
 */
export async function connectInPrintedEnvironment(
  runtime: string,
  program: string,
  folder: string,
): Promise<void> {
  const address = ownAddress();
  await using hub = new HubProgram(["--host", address, "--name", address, "--folder", join(folder, program)]);
  await hub.printed();
  const script = `${hub.output}\nexec "$0" "$1"`;
  const { success, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", script, runtime, join(USERS, program)],
    signal: AbortSignal.timeout(60_000),
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stderr));
  assert.equal(decoder.decode(stdout).trim(), "Connected");
}
