/**
 * Every check of the project, each by name; the failures again at the end.
 *
 *     deno run -A .ci/test.ts [NAME ...]
 *
 * With names, only those checks run.
 */
import { join, resolve } from "node:path";
import { allInOne } from "./all_in_one.ts";
import { NpmChecks } from "./check_npm.ts";
import { checkDescription } from "./check_description.ts";
import { checkSizes } from "./check_sizes.ts";
import { typesInDeno } from "./check_types.ts";
import { command, type Outcome } from "./command.ts";
import { writeSqliteImportMap } from "./on_sqlite.ts";
import { installRuntimes } from "./runtimes.ts";

interface Check {
  name: string;
  run: () => Promise<Outcome>;
}

const root = resolve(import.meta.dirname!, "..");
Deno.chdir(root);

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
  const names = (await filesBelow("tests")).keys();
  return [...names].filter((name) => name.endsWith(".test.ts")).sort().map((name) => `tests/${name}`);
}

/** Has Deno run tests as one file. */
async function testWithDeno(name: string, paths: readonly string[], ...flags: string[]): Promise<Outcome> {
  const file = join(root, ".cache", `${name}.test.ts`);
  await Deno.mkdir(join(root, ".cache"), { recursive: true });
  return await command(
    deno,
    "test",
    "-A",
    "--no-check",
    ...flags,
    await allInOne(file, paths.map((path) => `../${path}`)),
  );
}

/** Attacks hub and client on one runtime for ten seconds. */
async function fuzzSample(runtime: string): Promise<Outcome> {
  const { success, output } = await command(
    Deno.execPath(),
    "run",
    "-A",
    "--no-check",
    "tests/fuzz/run.ts",
    "--seconds=10",
    `--runtime=${runtime}`,
  );
  return { success, output, note: output.match(/^\w+, \w+: .* cases .*$/gm)?.join("; ") };
}

const deno = Deno.execPath();
const installed = await command(deno, "install", "--frozen", "--quiet");
if (!installed.success) {
  console.error(installed.output);
  Deno.exit(1);
}
const runtimes = await installRuntimes(join(root, ".cache", "runtimes"), ["20", "22", "24", "26"]);
const files = await testFiles();
const npm = new NpmChecks(runtimes.node["20"]);

const CHECKS: Check[] = [
  { name: "format", run: () => command(deno, "fmt", "--check") },
  { name: "lint", run: () => command(deno, "lint") },
  { name: "types", run: () => command(deno, "check", "mod.ts", "lib", "gen", "tests", ".ci") },
  // The longest first, so that none is left to run alone at the end.
  { name: "suite on Deno", run: () => testWithDeno("deno", files) },
  {
    name: "suite on Bun",
    run: () => command(runtimes.bun, "test", "--timeout=60000", ...files.map((file) => `./${file}`)),
  },
  {
    name: "suite on Node 24",
    // In one process, as on the other runtimes: one for each file spends half of its time on its start.
    run: () =>
      command(
        runtimes.node["24"],
        "--test",
        "--test-isolation=none",
        // Of a whole group of tests, too, which the machine may run beside much else.
        "--test-timeout=180000",
        "--test-reporter=spec",
        ...files,
      ),
  },
  // Of the versions that run no TypeScript, the older: what it lacks and the newer has is little.
  { name: "npm package's suite on Node 20", run: () => npm.suite(runtimes.node["20"]) },
  {
    name: "tests of the hub on SQLite",
    run: async () => {
      const importMap = `--import-map=${await writeSqliteImportMap()}`;
      // These bring SQLite with them.
      const ofStorage = /^tests\/local\/(?:program|storage\w*)\.test\.ts$/;
      const ofHub = files.filter((file) => file.startsWith("tests/local/") && !ofStorage.test(file));
      return await testWithDeno("sqlite", ofHub, importMap);
    },
  },
  { name: "types in projects of users", run: typesInDeno },
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
  { name: "npm package's types", run: () => npm.types() },
  { name: "description of the API", run: () => checkDescription(runtimes.node["24"]) },
  { name: "generated code", run: generated },
  { name: "publishable", run: () => command(deno, "publish", "--dry-run", "--allow-dirty", "--quiet") },
  {
    name: "documentation",
    run: () => command(deno, "doc", "--lint", "mod.ts", "lib/http.ts", "lib/local/mod.ts", "lib/fleet/mod.ts"),
  },
  { name: "documentation as web pages", run: () => command(deno, "task", "docs") },
  ...["deno", "node", "bun"].map((runtime) => ({ name: `fuzz sample on ${runtime}`, run: () => fuzzSample(runtime) })),
  { name: "bundle sizes", run: checkSizes },
  { name: "npm package", run: () => npm.manifest() },
  ...(["20", "22", "24", "26"] as const).map((version) => ({
    name: `npm package on Node ${version}`,
    run: () => npm.use(runtimes.node[version]),
  })),
  { name: "npm package on Bun", run: () => npm.use(runtimes.bun) },
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
    const { success, output, note } = await check.run().catch((error): Outcome => ({
      success: false,
      output: String(error),
    }));
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `${success ? "ok    " : "FAILED"} ${check.name} (${seconds} s)${note === undefined ? "" : `: ${note}`}`,
    );
    if (!success) failed.push({ name: check.name, output });
  }
}
// Two at a time: most checks wait for one core.
await Promise.all([worker(), worker()]);
await npm.close();

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
