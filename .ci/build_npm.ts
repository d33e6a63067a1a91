// deno-lint-ignore-file no-import-prefix
/**
 * Builds the package for npm from the sources: JavaScript for Node 20 and later, Bun and bundlers, with types.
 *
 *     deno run -A .ci/build_npm.ts
 *
 * `.cache/npm` is emptied first, and holds the package in the end: `npm pack .cache/npm` makes a tarball of it.
 */
import * as esbuild from "npm:esbuild@0.28.2";
import { dirname, join, relative, resolve } from "node:path";
import { makeDeclarations } from "./npm_declarations.ts";

const ROOT = resolve(import.meta.dirname!, "..");

/** The folder of the built package. */
export const NPM_PACKAGE: string = join(ROOT, ".cache", "npm");

const DESCRIPTION = "Manages an Azure IoT hub: device and module identities, twins, queries, direct methods, " +
  "cloud-to-device messages. For Node, Bun, Deno, Workers and browsers, with an offline hub for tests.";
const AUTHOR = "The registry-manager authors";
const REPOSITORY = "https://github.com/iothub/registry-manager";
const KEYWORDS = ["azure", "iot", "iot-hub", "device-management", "device-twin", "direct-method", "amqp"];
const COPIED = [
  "README.md",
  "LICENSE",
  "NOTICE.md",
  "CHANGELOG.md",
  "lib/README.md",
  "lib/recipes.md",
  "lib/fleet/README.md",
  "lib/transport/README.md",
  "lib/messages/README.md",
  "lib/local/README.md",
];

/** Only the local hub's AMQP over WebSocket needs it, and says so where it is missing. */
const OPTIONAL_PACKAGES: readonly string[] = ["ws"];

/** What the package's manifest takes from `deno.json`. */
interface DenoConfig {
  name: string;
  version: string;
  license: string;
  exports: Record<string, string>;
  imports: Record<string, string>;
}

/** The names of the JavaScript files, by the names of the exports: `index` for `.`, `http` for `./http`. */
function fileName(exported: string): string {
  return exported === "." ? "index" : exported.replace("./", "");
}

/** Bundles each entry, with what entries share in files of their own; what is imported on demand stays so. */
async function buildJavaScript(config: DenoConfig): Promise<{ files: Map<string, string>; packages: string[] }> {
  const entries = Object.entries(config.exports);
  const outdir = join(NPM_PACKAGE, "dist");
  const { outputFiles, metafile } = await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: entries.map(([exported, path]) => ({ in: path, out: fileName(exported) })),
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    target: ["es2022", "node20"],
    packages: "external",
    external: ["node:*"],
    chunkNames: "shared/[name]-[hash]",
    sourcemap: true,
    metafile: true,
    write: false,
  });
  const files = outputFiles.map(({ path, text }): [string, string] => {
    const finished = path.endsWith(".map") ? withOwnPaths(text, dirname(path)) : withClassNames(text);
    return [relative(NPM_PACKAGE, path), finished];
  });
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports)
    .filter(({ external, path }) => external && !path.startsWith("node:"));
  return { files: new Map(files), packages: [...new Set(imported.map(({ path }) => packageOf(path)))].sort() };
}

/** The package of a module, without the path in it. */
function packageOf(specifier: string): string {
  return specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

/**
 * A class that names itself is given the name `_X` in the bundle, and the second of a name the name `X2`, which `console.log`
 * would show of their objects.
 */
function withClassNames(text: string): string {
  return text.replace(/ (\w+?)(?:\d+ = class| = class _\1)\b[^{]*\{/g, '$& static get name() { return "$1"; }');
}

/** The sources are named as if the package had them where the repository does; the map holds their text. */
function withOwnPaths(text: string, folder: string): string {
  const map: { sources: string[] } = JSON.parse(text);
  const sources = map.sources.map((source) =>
    relative(folder, join(NPM_PACKAGE, relative(ROOT, resolve(folder, source)))).replaceAll("\\", "/")
  );
  return JSON.stringify({ ...map, sources });
}

function manifest(config: DenoConfig, packages: readonly string[]): Record<string, unknown> {
  const { name, version, license, imports } = config;
  const dependencies = packages.map((dependency) => {
    const [, exact] = imports[dependency]?.match(/^npm:.+@(\d+\.\d+\.\d+)$/) ?? [];
    if (exact === undefined) throw new Error(`deno.json pins no version of ${dependency}`);
    // Patches reach users without a release of this package.
    return [dependency, `^${exact}`] as const;
  });
  const exports = Object.entries(config.exports).map(([exported, path]) => [exported, {
    types: path.replace("./", "./types/").replace(/\.ts$/, ".d.ts"),
    default: `./dist/${fileName(exported)}.js`,
  }]);
  return {
    name,
    version,
    description: DESCRIPTION,
    keywords: KEYWORDS,
    author: AUTHOR,
    license,
    homepage: `${REPOSITORY}#readme`,
    repository: { type: "git", url: `git+${REPOSITORY}.git` },
    bugs: { url: `${REPOSITORY}/issues` },
    type: "module",
    engines: { node: ">=20" },
    sideEffects: false,
    exports: { ...Object.fromEntries(exports), "./package.json": "./package.json" },
    bin: { "iothub-local-hub": "./dist/local/main.js" },
    dependencies: Object.fromEntries(dependencies.filter(([dependency]) => !OPTIONAL_PACKAGES.includes(dependency))),
    peerDependencies: Object.fromEntries(
      dependencies.filter(([dependency]) => OPTIONAL_PACKAGES.includes(dependency)),
    ),
    peerDependenciesMeta: Object.fromEntries(OPTIONAL_PACKAGES.map((dependency) => [dependency, { optional: true }])),
  };
}

/** Builds the package anew in {@linkcode NPM_PACKAGE}. */
export async function buildNpmPackage(): Promise<void> {
  const config: DenoConfig = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const { files, packages } = await buildJavaScript(config);
  const sources = Object.values(config.exports).map((path) => path.replace("./", ""));
  for (const [path, text] of makeDeclarations(ROOT.replaceAll("\\", "/"), sources)) {
    files.set(join("types", path), text);
  }
  files.set("package.json", `${JSON.stringify(manifest(config, packages), null, 2)}\n`);
  for (const name of COPIED) {
    files.set(name, await Deno.readTextFile(join(ROOT, name)));
  }
  await Deno.remove(NPM_PACKAGE, { recursive: true }).catch(() => {});
  for (const [path, text] of files) {
    await Deno.mkdir(dirname(join(NPM_PACKAGE, path)), { recursive: true });
    await Deno.writeTextFile(join(NPM_PACKAGE, path), text);
  }
}

if (import.meta.main) {
  await buildNpmPackage();
  console.log(`The package is in ${relative(Deno.cwd(), NPM_PACKAGE)}.`);
}
