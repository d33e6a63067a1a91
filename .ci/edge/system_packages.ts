/** Installs packages of the system with apt-get, where that is there and may be used. */
export async function installSystemPackages(...names: string[]): Promise<void> {
  const prefix = Deno.build.os === "linux" && Deno.uid() !== 0 ? ["sudo", "-n"] : [];
  await run(...split([...prefix, "apt-get", "update", "-qq"]));
  await run(...split([...prefix, "apt-get", "install", "-y", "-qq", "--no-install-recommends", ...names]));
}

/** Runs a program to its end. It throws what the program has to say of its failure. */
export async function run(program: string, args: string[], cwd = "."): Promise<void> {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const { success, stderr } = await new Deno.Command(program, { args, env, stdin: "null", cwd }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed: ${new TextDecoder().decode(stderr)}`);
}

function split([program, ...args]: string[]): [string, string[]] {
  return [program!, args];
}
