import { join } from "node:path";

/**
 * Installs packages of npm below `folder`, apart from those that the module itself needs, through Deno: neither npm nor
 * any install script is needed.
 *
 * @param versions The exact version of each package.
 * @returns The folder `node_modules` with the packages.
 */
export async function installPackages(folder: string, versions: Record<string, string>): Promise<string> {
  const imports = Object.fromEntries(
    Object.entries(versions).map(([name, version]) => [name, `npm:${name}@${version}`]),
  );
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify({ nodeModulesDir: "auto", imports }));
  const install = new Deno.Command(Deno.execPath(), { args: ["install", "--quiet"], cwd: folder });
  const { success, stderr } = await install.output();
  if (!success) {
    const names = Object.keys(versions).join(", ");
    throw new Error(`These could not be installed: ${names}: ${new TextDecoder().decode(stderr)}`);
  }
  return join(folder, "node_modules");
}
