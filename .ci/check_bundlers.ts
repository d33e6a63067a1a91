// deno-lint-ignore-file no-import-prefix
/**
 * Bundlers build what uses the npm package, with no configuration: esbuild, Bun and Vite for browsers, wrangler for
 * Workers.
 *
 *     deno run -A .ci/check_bundlers.ts
 *
 * Vite and wrangler are large downloads; nothing else needs them.
 */
import * as esbuild from "npm:esbuild@0.28.2";
import { join, resolve } from "node:path";
import { NpmChecks } from "./check_npm.ts";
import { commandIn, type Outcome, together } from "./command.ts";
import { installRuntimes } from "./runtimes.ts";

const ROOT = resolve(import.meta.dirname!, "..");
const USER_FILES = join(import.meta.dirname!, "npm_user");
const VITE = "vite@8.3.8";
const WRANGLER = "wrangler@4.164.0";

const WORKER = {
  name: "worker",
  main: "bundle_worker.js",
  compatibility_date: "2026-07-01",
  compatibility_flags: ["nodejs_compat"],
  send_metrics: false,
};

/** Programs that need nothing but what browsers have; each prints {@linkcode PRINTED}. */
const PROGRAMS = ["bundle_http", "bundle_gen", "bundle_twins", "checkout_twins"];
const PRINTED = "thermostat-1";

/** These use one noun alone, one from the package and one from the sources: nothing of the others may be in their bundles. */
const ONE_NOUN = ["bundle_twins", "checkout_twins"];
const OTHER_NOUNS = /invokeDeviceMethod|createDeviceWithSas|getModuleTwin|queryIotHub|IoTHubRegistryManager/;

/** Builds everything with each bundler, and runs what is built for browsers. */
export async function checkBundlers(node: string, bun: string): Promise<Outcome> {
  const npm = new NpmChecks(node);
  try {
    const folder = await npm.installed();
    for (const name of [...PROGRAMS, "bundle_worker"]) {
      if (name !== "checkout_twins") await Deno.copyFile(join(USER_FILES, `${name}.js`), join(folder, `${name}.js`));
    }
    const twins = await Deno.readTextFile(join(USER_FILES, "bundle_twins.js"));
    const fromSources = twins.replace(
      "@iothub/registry-manager/http",
      join(ROOT, "lib", "http.ts").replaceAll("\\", "/"),
    );
    await Deno.writeTextFile(join(folder, "checkout_twins.js"), fromSources);
    const options = ["--no-audit", "--no-fund", "--ignore-scripts", "--save-dev"];
    const installed = await npm.runTool(folder, "npm/bin/npm-cli.js", "install", ...options, VITE, WRANGLER);
    if (!installed.success) return installed;
    return together([
      ...await Promise.all(PROGRAMS.map((name) => withEsbuild(folder, name))),
      ...await Promise.all(PROGRAMS.map((name) => withBun(folder, name, bun))),
      ...await Promise.all(PROGRAMS.map((name) => withVite(folder, name, node))),
      await withWrangler(folder, node),
    ]);
  } finally {
    await npm.close();
  }
}

async function withEsbuild(folder: string, name: string): Promise<Outcome> {
  const outfile = join(folder, "esbuild", `${name}.js`);
  try {
    await esbuild.build({
      absWorkingDir: folder,
      entryPoints: [`${name}.js`],
      outfile,
      bundle: true,
      format: "esm",
      platform: "browser",
      logLevel: "silent",
    });
  } catch (error) {
    return { success: false, output: `esbuild: ${error}` };
  }
  return runs("esbuild", name, outfile);
}

async function withBun(folder: string, name: string, bun: string): Promise<Outcome> {
  const outcome = await commandIn(folder, bun, "build", `${name}.js`, "--target=browser", "--outdir=bun");
  return outcome.success ? runs("Bun", name, join(folder, "bun", `${name}.js`)) : outcome;
}

async function withVite(folder: string, name: string, node: string): Promise<Outcome> {
  const code = `const { build } = await import("vite");
    const { output } = await build({ logLevel: "warn", build: { rolldownOptions: { input: "${name}.js" }, write: false } });
    const script = output.find(({ type }) => type === "chunk");
    await (await import("node:fs/promises")).writeFile("${name}.vite.js", script.code);`;
  const outcome = await commandIn(folder, node, "--input-type=module", "--eval", code);
  const isSilent = outcome.output.trim() === "";
  return outcome.success && isSilent
    ? runs("Vite", name, join(folder, `${name}.vite.js`))
    : { success: false, output: outcome.output };
}

async function withWrangler(folder: string, node: string): Promise<Outcome> {
  await Deno.writeTextFile(join(folder, "wrangler.json"), JSON.stringify(WORKER));
  const args = ["deploy", "--dry-run", "--outdir", "wrangler"];
  const { success, output } = await commandIn(folder, node, "node_modules/wrangler/bin/wrangler.js", ...args);
  return { success: success && !/warning|error/i.test(output), output };
}

/** Runs a bundle as a browser would: without permissions. A bundle of one noun holds no other. */
async function runs(bundler: string, name: string, path: string): Promise<Outcome> {
  const code = (await Deno.readTextFile(path)).replace(/\/\*[\s\S]*?\*\//g, "");
  const superfluous = ONE_NOUN.includes(name) ? OTHER_NOUNS.exec(code) : null;
  if (superfluous !== null) return { success: false, output: `${bundler}: ${name} holds ${superfluous[0]}` };
  const { success, output } = await commandIn(".", Deno.execPath(), "run", "--no-prompt", "--no-config", path);
  return { success: success && output.trim() === PRINTED, output: `${bundler}: ${output}` };
}

if (import.meta.main) {
  const { node, bun } = await installRuntimes(join(ROOT, ".cache", "runtimes"), ["24"]);
  const { success, output } = await checkBundlers(node["24"], bun);
  console.log(success ? "All bundlers build it." : output);
  if (!success) Deno.exit(1);
}
