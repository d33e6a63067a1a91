/**
 * What the runs in workerd and Chromium need, at pinned versions where npm has it. Only what this project calls is
 * typed here, so that its checks need none of these packages.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { installSystemPackages, run } from "./system_packages.ts";

const PACKAGES = { esbuild: "0.28.2", miniflare: "4.20260730.0", "playwright-core": "1.65.1" };

/** The bundler. */
export interface Esbuild {
  build(options: Record<string, unknown>): Promise<{ outputFiles: { text: string }[] }>;
  stop(): Promise<void>;
}

/** A Worker in workerd. */
export interface Miniflare {
  dispatchFetch(url: string, init?: RequestInit): Promise<Response>;
  dispose(): Promise<void>;
}

/** The part of Playwright's browser that is used. */
export interface Browser {
  newPage(options: { ignoreHTTPSErrors: boolean }): Promise<Page>;
  close(): Promise<void>;
}

/** The part of Playwright's page that is used. */
export interface Page {
  goto(url: string): Promise<unknown>;
  evaluate<T>(expression: string): Promise<T>;
  fill(selector: string, text: string): Promise<void>;
  click(selector: string): Promise<void>;
  waitForFunction(expression: string): Promise<unknown>;
  textContent(selector: string): Promise<string | null>;
  close(): Promise<void>;
}

/** Everything installed and loaded. */
export interface EdgeTools {
  esbuild: Esbuild;
  Miniflare: new (options: Record<string, unknown>) => Miniflare;
  launchChromium(): Promise<Browser>;
}

/**
 * Installs what is missing: packages below `cache`, Chromium by the system's package manager.
 *
 * @returns What loads the tools. Some read the environment when they are loaded.
 */
export async function installEdgeTools(cache: string): Promise<() => EdgeTools> {
  await Deno.mkdir(cache, { recursive: true });
  const imports = Object.fromEntries(
    Object.entries(PACKAGES).map(([name, version]) => [
      name,
      `npm:${name}@${version}`,
    ]),
  );
  await Deno.writeTextFile(join(cache, "deno.json"), JSON.stringify({ nodeModulesDir: "auto", imports }));
  const [chromium] = await Promise.all([installChromium(), run(Deno.execPath(), ["install", "--quiet"], cache)]);
  return () => {
    const require = createRequire(join(cache, "deno.json"));
    const { chromium: browserType } = require("playwright-core");
    return {
      esbuild: require("esbuild"),
      Miniflare: require("miniflare").Miniflare,
      launchChromium: () => browserType.launch({ executablePath: chromium, args: ["--no-sandbox"] }),
    };
  };
}

/** Where Chromium is: at `CHROMIUM`, or on the path, or there once apt-get has installed it. */
async function installChromium(): Promise<string> {
  const present = Deno.env.get("CHROMIUM") ?? await findChromium();
  if (present !== undefined) return present;
  try {
    await installSystemPackages("chromium");
  } catch (cause) {
    throw new Error("Chromium is not there and apt-get cannot install it: install it, or set CHROMIUM to its path", {
      cause,
    });
  }
  const installed = await findChromium();
  if (installed === undefined) throw new Error("apt-get has installed chromium, but it is not on the path");
  return installed;
}

async function findChromium(): Promise<string | undefined> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
      const path = join(folder, name);
      if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
    }
  }
  return undefined;
}
