import { join } from "node:path";
import { installSystemPackages, run } from "./system_packages.ts";

/** Whether a Python has what a virtual environment needs, and is of a version that the packages are built for. */
const IS_FIT = "import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))";

/** A fit Python: at `PYTHON`, or on the path, or there once apt-get has installed it. `undefined` where there is none. */
export async function findPython(): Promise<string | undefined> {
  const present = await presentPython();
  if (present !== undefined) return present;
  try {
    await installSystemPackages("python3", "python3-venv");
  } catch {
    return undefined;
  }
  return await presentPython();
}

async function presentPython(): Promise<string | undefined> {
  for (const name of [Deno.env.get("PYTHON"), "python3", "python"]) {
    if (name !== undefined && await isFit(name)) return name;
  }
  return undefined;
}

async function isFit(python: string): Promise<boolean> {
  try {
    const command = new Deno.Command(python, { args: ["-c", IS_FIT], stdin: "null", stdout: "null", stderr: "null" });
    return (await command.output()).success;
  } catch {
    return false;
  }
}

/** Makes a virtual environment with packages, unless it is there already. Returns the Python of it. */
export async function installPythonPackages(
  base: string,
  folder: string,
  packages: readonly string[],
): Promise<string> {
  const python = join(folder, "bin", "python");
  if (!await isFit(python)) await run(base, ["-m", "venv", "--clear", folder]);
  await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages]);
  return python;
}
