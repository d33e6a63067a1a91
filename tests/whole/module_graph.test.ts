import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { VERSION } from "../../lib/client/user_agent.ts";

const ROOT = new URL("../../", import.meta.url);
const IMPORT_REGEXP = /^\s*(?:import|export)\s+(?!type\b)(?:[^;"']*?\sfrom\s+)?"([^"]+)"/gm;
const DYNAMIC_IMPORT_REGEXP = /\bimport\(\s*"([^"]+)"/g;

/** All that a module reaches: its files, and what it names beyond them. */
function graphOf(entry: string, dynamic: boolean): { files: Set<string>; others: Set<string> } {
  const [files, others] = [new Set<string>(), new Set<string>()];
  const open = [new URL(entry, ROOT)];
  for (let url = open.pop(); url !== undefined; url = open.pop()) {
    if (files.has(url.href)) continue;
    files.add(url.href);
    // Comments hold examples that import much.
    const source = readFileSync(url, "utf8").replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
    const matches = [...source.matchAll(IMPORT_REGEXP), ...dynamic ? source.matchAll(DYNAMIC_IMPORT_REGEXP) : []];
    for (const [, specifier] of matches) {
      if (specifier!.startsWith(".")) open.push(new URL(specifier!, url));
      else others.add(specifier!);
    }
  }
  return { files, others };
}

describe("importing", () => {
  test("mod.ts reaches nothing but this module's own files, before the first message", () => {
    const { files, others } = graphOf("mod.ts", false);
    assert.deepEqual([...others], []);
    assert.ok(files.size > 20, "the graph was followed");
    assert.ok(![...files].some((file) => file.includes("/lib/amqp/") || file.includes("/lib/local/")));
  });

  test("mod.ts reaches rhea by a dynamic import", () => {
    assert.deepEqual([...graphOf("mod.ts", true).others], ["rhea"]);
  });

  test("lib/http.ts reaches nothing else in any way", () => {
    assert.deepEqual([...graphOf("lib/http.ts", true).others], []);
  });

  test("lib/local/mod.ts reaches nothing but this module's own files, before it listens or checks a bearer token", () => {
    assert.deepEqual([...graphOf("lib/local/mod.ts", false).others], []);
  });
});

const isDeno = "Deno" in globalThis;

describe("on Deno", { skip: isDeno ? false : "only Deno has permissions" }, () => {
  const run = (...args: string[]): Promise<{ stdout: string }> =>
    promisify(execFile)(process.execPath, ["run", "--no-prompt", "--quiet", ...args], { cwd: fileURLToPath(ROOT) });

  test("mod.ts loads without any permission", async () => {
    await run("mod.ts");
  });

  test("a user of HTTP needs permission for the hub's host and nothing else", async (t) => {
    const server = createServer((_request, response) => response.end('{"deviceId":"d"}'));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { stdout } = await run(`--allow-net=${host}`, "tests/support/http_user.ts", host);
    assert.equal(stdout.trim(), "d");
  });
});

test("the version in User-Agent is that of deno.json", () => {
  const { version } = JSON.parse(readFileSync(new URL("deno.json", ROOT), "utf8"));
  assert.equal(VERSION, version);
});
