/** Runs the package's program as npm has installed it, until it answers, and ends it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const program = "node_modules/.bin/iothub-local-hub";
assert.match(readFileSync(program, "utf8"), /^#!\/usr\/bin\/env node\n/);
const folder = mkdtempSync(join(tmpdir(), "hub-"));
const ports = ["http", "https", "amqps", "mqtts"].flatMap((name) => [`--${name}`, "0"]);
const args = [program, ...ports, "--folder", folder, "--show", "none", "--json"];
const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
const closed = once(child, "close");
let output = "";
child.stdout.setEncoding("utf8").on("data", (text) => output += text);
while (!output.includes("\n")) {
  await Promise.race([
    once(child.stdout, "data"),
    closed.then(() => assert.fail("it ended")),
  ]);
}

const { addresses } = JSON.parse(output);
assert.deepEqual(await (await fetch(`${addresses.http}/health`)).json(), { status: "ok" });
child.kill("SIGTERM");
assert.deepEqual(await closed, [0, null]);
rmSync(folder, { recursive: true });
