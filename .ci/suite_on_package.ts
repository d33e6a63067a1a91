// deno-lint-ignore-file no-import-prefix
/** Runs the suite on the built package, in JavaScript, as Node 20 needs it: it knows no `await using`. */
import * as esbuild from "npm:esbuild@0.28.2";
import { basename, join, resolve } from "node:path";
import { allInOne } from "./all_in_one.ts";
import { NPM_PACKAGE } from "./build_npm.ts";
import { command, type Outcome } from "./command.ts";

const ROOT = resolve(import.meta.dirname!, "..");
const SUITE = join(ROOT, ".cache", "npm_suite");

/** What tests read beside the code. */
const DATA = ["deno.json", "openapi.json", "tests/fixtures"];

/**
 * These look at the sources themselves, which are not in the package, or at the documents beside them, or run the program
 * of the sources; the package's own is run by who uses the package (`npm_user/hub.js`).
 */
const SKIPPED = ["documents.test.ts", "module_graph.test.ts", "program.test.ts"];

/** The suite in JavaScript. */
interface BuiltSuite {
  files: string[];
  /** The tests that reach into the module, and so were built from its sources and not with the package. */
  fromSources: string[];
}

/** One build for all versions. */
let built: Promise<BuiltSuite> | undefined;

/** Runs the tests that need no more than the package on it, and the others on their own build of the sources. */
export async function suiteOnPackage(node: string): Promise<Outcome> {
  const { files, fromSources } = await (built ??= buildSuite());
  const flags = [
    "--experimental-websocket",
    "--no-warnings",
    "--test",
    "--test-timeout=600000",
    "--test-reporter=spec",
  ];
  const { success, output } = await command(node, ...flags, await allInOne(join(SUITE, "tests", "all.test.js"), files));
  const note = `${files.length - fromSources.length} files on the package, ${fromSources.length} on sources`;
  return { success, output, note };
}

async function buildSuite(): Promise<BuiltSuite> {
  await Deno.remove(SUITE, { recursive: true }).catch(() => {});
  const config: { name: string; exports: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(join(ROOT, "deno.json")),
  );
  await linkPackage(config.name);
  for (const path of DATA) await copy(path);

  const paths = (await pathsBelow("tests")).sort();
  const tests = paths.filter((path) => path.endsWith(".test.ts") && !SKIPPED.includes(basename(path)));
  const programs = [...paths.filter((path) => path.endsWith("_user.ts")), "tests/demo/main.ts"];
  const entries = new Map(
    Object.entries(config.exports).map(([exported, path]) => {
      return [join(ROOT, path), config.name + exported.slice(1)];
    }),
  );
  const all = [...tests, ...programs];
  const onPackage = [programsInJavaScript, packageInsteadOf(entries)];
  const reaching = await reachingInto(all, onPackage);
  await build(all.filter((path) => !reaching.includes(path)), onPackage);
  await build(reaching, [programsInJavaScript]);
  return {
    files: tests.map((path) => join(SUITE, path.replace(/\.ts$/, ".js"))),
    fromSources: reaching.filter((path) => tests.includes(path)),
  };
}

/** Those of the tests and programs that hold sources of the module even so. */
async function reachingInto(paths: readonly string[], plugins: esbuild.Plugin[]): Promise<string[]> {
  const { metafile } = await esbuild.build({ ...settings(paths, plugins), write: false, metafile: true });
  return Object.values(metafile.outputs)
    .filter(({ inputs }) => Object.keys(inputs).some((path) => /^(?:mod\.ts|lib\/|gen\/)/.test(path)))
    .map(({ entryPoint }) => entryPoint!);
}

/** Builds tests and programs; what several need is there once. */
async function build(paths: readonly string[], plugins: esbuild.Plugin[]): Promise<void> {
  await esbuild.build({ ...settings(paths, plugins), splitting: true, sourcemap: "inline" });
}

function settings(paths: readonly string[], plugins: esbuild.Plugin[]): esbuild.BuildOptions & { bundle: true } {
  return {
    absWorkingDir: ROOT,
    entryPoints: [...paths],
    outbase: ROOT,
    outdir: SUITE,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    inject: [join(import.meta.dirname!, "node20_additions.ts")],
    plugins,
  };
}

/** Tests import the entries' sources; here they get the package by its name. */
function packageInsteadOf(entries: ReadonlyMap<string, string>): esbuild.Plugin {
  return {
    name: "package",
    setup: ({ onResolve }) =>
      onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const name = entries.get(join(resolveDir, path));
        return name === undefined ? undefined : { path: name, external: true };
      }),
  };
}

/** Tests start some programs of their own, by path. */
const programsInJavaScript: esbuild.Plugin = {
  name: "programs",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.test\.ts$/ }, async ({ path }) => {
      const text = await Deno.readTextFile(path);
      return { loader: "ts", contents: text.replaceAll('.ts", import.meta.url', '.js", import.meta.url') };
    }),
};

async function linkPackage(name: string): Promise<void> {
  const link = join(SUITE, "node_modules", name);
  await Deno.mkdir(join(link, ".."), { recursive: true });
  await Deno.symlink(NPM_PACKAGE, link, { type: "junction" });
}

async function copy(path: string): Promise<void> {
  const from = join(ROOT, path);
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, join(SUITE, path));
  await Deno.mkdir(join(SUITE, path), { recursive: true });
  for await (const { name } of Deno.readDir(from)) await copy(join(path, name));
}

async function pathsBelow(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isFile } of Deno.readDir(join(ROOT, folder))) {
    const path = `${folder}/${name}`;
    if (isFile) paths.push(path);
    else paths.push(...await pathsBelow(path));
  }
  return paths;
}
