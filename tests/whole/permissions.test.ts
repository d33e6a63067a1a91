import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ClientOptions } from "../../mod.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Told {
  isOurs: boolean;
  message: string;
  code: string;
  retryable: boolean;
}

/** What becomes of a call with these permissions only. */
async function failureWith(permissions: string[], call: string, options: ClientOptions = {}): Promise<Told> {
  const program = "tests/support/permission_user.ts";
  // A child without any permission would be given those of the test.
  const flags = ["--no-prompt", "--no-check", "--quiet", "--allow-read=.", ...permissions];
  const args = ["run", ...flags, program, call, JSON.stringify(options)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  return JSON.parse(stdout);
}

const OVER_WEB_SOCKET: ClientOptions = { transportType: "AmqpOverWebSocket" };
const BY_PROXY: ClientOptions = { proxy: "http://bob:secret@localhost:8080" };

/** What Deno does not allow, and the flag that the error names. */
const CASES: readonly [what: string, permissions: string[], call: string, options: ClientOptions, flag: RegExp][] = [
  ["a message without --allow-env", ["--allow-net"], "message", {}, /--allow-env flag\).*--ignore-env/],
  ["feedback without --allow-env", ["--allow-net"], "receive", {}, /--allow-env flag\).*--ignore-env/],
  ["a message with one variable only", ["--allow-net", "--allow-env=DEBUG"], "message", {}, /--allow-env/],
  ["HTTP without --allow-net", [], "http", {}, /"localhost:443".*--allow-net/],
  ["HTTP with --allow-net for another host", ["--allow-net=example.com"], "http", {}, /"localhost:443".*--allow-net/],
  [
    "HTTP without --allow-net for the proxy",
    ["--allow-net=localhost:443"],
    "http",
    BY_PROXY,
    /"localhost:8080".*--allow-net/,
  ],
  ["a message without --allow-net", ["--allow-env"], "message", {}, /amqps:\/\/localhost:5671.*--allow-net/],
  [
    "a message with --ignore-env, and without --allow-net",
    ["--ignore-env"],
    "message",
    {},
    /localhost:5671.*--allow-net/,
  ],
  [
    "a message to an IP address without --allow-net",
    ["--allow-env"],
    "message",
    { amqpEndpoint: "amqps://127.0.0.1" },
    /127\.0\.0\.1:5671.*--allow-net/,
  ],
  [
    "a message over a WebSocket without --allow-net",
    ["--allow-env"],
    "message",
    OVER_WEB_SOCKET,
    /localhost:443.*--allow-net/,
  ],
];

describe("on Deno", { skip: "Deno" in globalThis ? false : "only Deno has permissions" }, () => {
  for (const [what, permissions, call, options, flag] of CASES) {
    test(`${what} fails at once, with an error that names the flag`, async () => {
      const { isOurs, message, code, retryable } = await failureWith(permissions, call, options);
      assert.deepEqual(
        { isOurs, code, retryable },
        { isOurs: true, code: "PermissionDenied", retryable: false },
        message,
      );
      assert.match(message, flag);
      if (call !== "receive") assert.match(message, /"d1"/);
      assert.doesNotMatch(message, /secret/);
    });
  }
});
