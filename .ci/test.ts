/**
 * Every check of the project, each by name; the failures again at the end.
 *
 *     deno run -A .ci/test.ts [NAME ...]
 *
 * With names, only those checks run.
 */
import { join, resolve } from "node:path";
import { installRuntimes } from "./runtimes.ts";

interface Check {
  name: string;
  run: () => Promise<Outcome>;
}

interface Outcome {
  success: boolean;
  output: string;
}

const root = resolve(import.meta.dirname!, "..");
Deno.chdir(root);

/** A check that hangs fails; it must not hold up the rest for ever. */
const TIME_LIMIT_IN_MS = 240_000;

async function command(program: string, ...args: string[]): Promise<Outcome> {
  const signal = AbortSignal.timeout(TIME_LIMIT_IN_MS);
  const child = new Deno.Command(program, { args, env: { NO_COLOR: "1" }, stdin: "null", signal });
  const { success, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  const output = decoder.decode(stdout) + decoder.decode(stderr);
  return { success, output: signal.aborted ? `${output}\nEnded after ${TIME_LIMIT_IN_MS / 1000} s` : output };
}

async function filesBelow(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isFile) files.set(entry.name, await Deno.readTextFile(path));
    else for (const [name, text] of await filesBelow(path)) files.set(`${entry.name}/${name}`, text);
  }
  return files;
}

/** Generates anew, and compares with what is there. */
async function generated(): Promise<Outcome> {
  const output = await Deno.makeTempDir();
  try {
    const result = await command(Deno.execPath(), "run", "-A", ".ci/generate.ts", "--output", output);
    if (!result.success) return result;
    const [fresh, present] = await Promise.all([filesBelow(output), filesBelow("gen")]);
    const names = new Set([...fresh.keys(), ...present.keys()]);
    const stale = [...names].filter((name) => fresh.get(name) !== present.get(name));
    return {
      success: stale.length === 0,
      output: stale.length === 0 ? "" : `Run deno task generate; these differ in gen/: ${stale.join(", ")}`,
    };
  } finally {
    await Deno.remove(output, { recursive: true });
  }
}

async function testFiles(): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir("tests"), (entry) => entry.name);
  return names.filter((name) => name.endsWith(".test.ts")).sort().map((name) => `tests/${name}`);
}

const deno = Deno.execPath();
const installed = await command(deno, "install", "--frozen", "--quiet");
if (!installed.success) {
  console.error(installed.output);
  Deno.exit(1);
}
const runtimes = await installRuntimes(join(root, ".cache", "runtimes"));
const files = await testFiles();

const CHECKS: Check[] = [
  { name: "format", run: () => command(deno, "fmt", "--check") },
  { name: "lint", run: () => command(deno, "lint") },
  { name: "types", run: () => command(deno, "check", "mod.ts", "lib", "gen", "tests", ".ci") },
  { name: "generated code", run: generated },
  { name: "publishable", run: () => command(deno, "publish", "--dry-run", "--allow-dirty", "--quiet") },
  { name: "documentation", run: () => command(deno, "doc", "--lint", "mod.ts", "lib/http.ts", "lib/local/mod.ts") },
  {
    name: "doc tests",
    run: () =>
      command(
        deno,
        "test",
        "-A",
        "--doc",
        "--preload=.ci/strict_examples.ts",
        "--quiet",
        "mod.ts",
        "gen/index.ts",
        "README.md",
        "lib",
      ),
  },
  { name: "suite on Deno", run: () => command(deno, "test", "-A", "--no-check", ...files) },
  {
    name: "suite on Bun",
    run: () => command(runtimes.bun, "test", "--timeout=60000", ...files.map((file) => `./${file}`)),
  },
  {
    name: "suite on Node",
    run: () => command(runtimes.node, "--test", "--test-timeout=60000", "--test-reporter=spec", ...files),
  },
];

/** The names of the tests that failed, as each runtime prints them. */
function failuresIn(output: string): string[] {
  const patterns = [
    /^\s*✖ (.+?)(?: \([\d.]+ms\))?$/gm,
    /^\s*\(fail\) (.+?)(?: \[[\d.]+ms\])?$/gm,
    /^(.+?) \.\.\. FAILED/gm,
  ];
  const names = patterns.flatMap((pattern) => Array.from(output.matchAll(pattern), (match) => match[1]!.trim()));
  return [...new Set(names)].filter((name) => !/^failing tests/.test(name));
}

const wanted = Deno.args.length === 0
  ? CHECKS
  : CHECKS.filter(({ name }) => Deno.args.some((arg) => name.includes(arg)));
const failed: { name: string; output: string }[] = [];
const queue = [...wanted];

async function worker(): Promise<void> {
  for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
    const started = performance.now();
    const { success, output } = await check.run();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${success ? "ok    " : "FAILED"} ${check.name} (${seconds} s)`);
    if (!success) failed.push({ name: check.name, output });
  }
}
// Two at a time: most checks wait for one core.
await Promise.all([worker(), worker()]);

for (const { name, output } of failed) console.log(`\n=== ${name} ===\n${output.slice(-20_000)}`);
if (failed.length > 0) {
  console.log("\nFailures:");
  for (const { name, output } of failed) {
    console.log(`- ${name}`);
    for (const test of failuresIn(output)) console.log(`    ${test}`);
  }
  Deno.exit(1);
}
console.log(`\nAll ${wanted.length} checks passed.`);
