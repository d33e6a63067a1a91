// deno-lint-ignore-file no-import-prefix
/**
 * What users download: the sizes of minified bundles, and their limits.
 *
 *     deno run -A .ci/check_sizes.ts [--write]
 *
 * `--write` keeps what each source contributes in `sizes.json`. When a limit is broken, the sources are listed that
 * have grown since.
 */
import * as esbuild from "npm:esbuild@0.28.2";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import type { Outcome } from "./command.ts";

const ROOT = resolve(import.meta.dirname!, "..");
const KEPT_SIZES = join(import.meta.dirname!, "sizes.json");
const LISTED = 12;

/**
 * Each stands alone, with its factories, within these limits. Of each, 2.2 kB tell what it does, as events and
 * as spans (`lib/sight/`). Spans could be loaded when they are wanted, but not every bundler makes one file of that.
 */
const CLIENTS = {
  Statistics: 17_750,
  // The two of identities can also change a part of one, and so have all the checks of what they hold: over half a kB. That
  // of devices has bulk requests as well: another kB.
  DeviceIdentities: 19_900,
  ModuleIdentities: 18_650,
  Twins: 18_200,
  ModuleTwins: 18_200,
  Queries: 17_750,
  DirectMethods: 17_750,
  C2dQueues: 17_750,
  // The registry manager has no part of the other three, and these none of it.
  IoTHubRegistryManager: 22_400,
  IoTHubConfigurationManager: 18_600,
  IoTHubJobManager: 21_100,
  DigitalTwinClient: 18_500,
};

/** A part of the module as users load it. */
interface Part {
  name: string;
  /** What it may have at most, gzipped. */
  limitInBytes: number;
  bundle: () => Promise<Bundle>;
}

interface Bundle {
  gzipped: number;
  /** Minified bytes of each source. */
  sources: Record<string, number>;
}

const PARTS: readonly Part[] = [
  ...Object.entries(CLIENTS).map(([name, limitInBytes]) => ({
    name: `./http, ${name} alone`,
    limitInBytes,
    bundle: () => bundle({ code: `export { ${name} } from "./lib/http.ts";`, platform: "browser" }),
  })),
  {
    name: "./http, all of it",
    limitInBytes: 28_000,
    bundle: () => bundle({ code: 'export * from "./lib/http.ts";', platform: "browser" }),
  },
  {
    name: "./fleet, all of it, without a manager",
    limitInBytes: 16_000,
    bundle: () => bundle({ code: 'export * from "./lib/fleet/mod.ts";', platform: "browser" }),
  },
  {
    name: "messages, loaded with the first one",
    limitInBytes: 42_800,
    bundle: () => bundle({ code: 'export * from "./mod.ts";', platform: "node", level: 1 }),
  },
  {
    name: "events, loaded with the first one",
    limitInBytes: 5_600,
    bundle: () => bundle({ code: 'export * from "./mod.ts";', platform: "node", level: 2 }),
  },
];

interface BundleOptions {
  code: string;
  platform: esbuild.Platform;
  /** What is counted: what is loaded with the entry itself (0), what that loads later (1), or what that loads later (2). */
  level?: number;
}

async function bundle({ code, platform, level = 0 }: BundleOptions): Promise<Bundle> {
  const { metafile: { outputs }, outputFiles } = await esbuild.build({
    stdin: { contents: code, resolveDir: ROOT, sourcefile: "user.js" },
    absWorkingDir: ROOT,
    outdir: "out",
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    platform,
    target: "es2022",
    metafile: true,
    write: false,
    logLevel: "error",
  });
  const loaded = new Set<string>();
  const counted: string[] = [];
  let open = [Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === "user.js")![0]];
  for (let at = 0; at <= level; at++) {
    const later: string[] = [];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (loaded.has(path)) continue;
      loaded.add(path);
      if (at === level) counted.push(path);
      for (const { kind, path: next, external } of outputs[path]!.imports) {
        if (!external) (kind === "import-statement" ? open : later).push(next);
      }
    }
    open = later;
  }
  const sources: Record<string, number> = {};
  let gzipped = 0;
  for (const path of counted) {
    const { inputs } = outputs[path]!;
    gzipped += gzipSync(outputFiles.find((file) => file.path === join(ROOT, path))!.contents, { level: 9 }).length;
    for (const [source, { bytesInOutput }] of Object.entries(inputs)) {
      const name = source.replace(/^.*node_modules\//, "");
      sources[name] = (sources[name] ?? 0) + bytesInOutput;
    }
  }
  return { gzipped, sources };
}

/** Every part is within its limit; the note tells the figures. */
export async function checkSizes(): Promise<Outcome> {
  const kept: Record<string, Record<string, number>> = JSON.parse(await Deno.readTextFile(KEPT_SIZES));
  const figures: string[] = [];
  const faults: string[] = [];
  for (const { name, limitInBytes, bundle } of PARTS) {
    const { gzipped, sources } = await bundle();
    figures.push(`${name}: ${gzipped} of ${limitInBytes} bytes`);
    if (gzipped > limitInBytes) faults.push(`${figures.at(-1)}\n${listed(sources, kept[name] ?? {})}`);
  }
  return { success: faults.length === 0, output: faults.join("\n\n"), note: figures.join("; ") };
}

/** The sources that have grown most, then those that are biggest. */
function listed(sources: Record<string, number>, kept: Record<string, number>): string {
  const rows = Object.entries(sources).map(([name, bytes]) => ({ name, bytes, growth: bytes - (kept[name] ?? 0) }));
  const grown = rows.filter(({ growth }) => growth > 0).sort((one, other) => other.growth - one.growth);
  const biggest = rows.toSorted((one, other) => other.bytes - one.bytes);
  return [
    grown.length === 0 ? "Nothing has grown since the sizes were written." : "Grown most, in minified bytes:",
    ...grown.slice(0, LISTED).map(({ name, bytes, growth }) => `  +${growth} ${name} (${bytes})`),
    "Biggest:",
    ...biggest.slice(0, LISTED).map(({ name, bytes }) => `  ${bytes} ${name}`),
  ].join("\n");
}

async function writeSizes(): Promise<void> {
  const kept: Record<string, Record<string, number>> = {};
  for (const { name, bundle } of PARTS) {
    const { sources } = await bundle();
    kept[name] = Object.fromEntries(Object.entries(sources).filter(([, bytes]) => bytes > 0).sort());
  }
  await Deno.writeTextFile(KEPT_SIZES, `${JSON.stringify(kept, null, 2)}\n`);
}

if (import.meta.main) {
  if (Deno.args.includes("--write")) await writeSizes();
  const { success, output, note } = await checkSizes();
  console.log(`${note!.replaceAll("; ", "\n")}${output === "" ? "" : `\n\n${output}`}`);
  if (!success) Deno.exit(1);
}
