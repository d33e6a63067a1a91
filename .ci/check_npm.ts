/** Checks of the package for npm: it is built, packed and installed, and then used as its users do. */
import { join, resolve } from "node:path";
import { buildNpmPackage, NPM_PACKAGE } from "./build_npm.ts";
import { typesOfPackage, typesOfSources } from "./check_types.ts";
import { commandIn, type Outcome, together } from "./command.ts";
import { installPackages } from "./install_packages.ts";
import { suiteOnPackage } from "./suite_on_package.ts";

const CACHE = resolve(import.meta.dirname!, "..", ".cache");
const USER_FILES = join(import.meta.dirname!, "npm_user");

const TYPES_OF_NODE = "24.19.2";
const TOOLS = { "@arethetypeswrong/cli": "0.18.5", npm: "11.19.1", publint: "0.3.25" };

/** The programs that use the package. */
const USED = ["use.js", "use.cjs", "hub.js"];

const ALLOWED_FILES_REGEXP =
  /^(?:dist\/.+\.js(?:\.map)?|types\/.+\.d\.ts|package\.json|(?:lib\/(?:\w+\/)?)?\w+\.md|LICENSE)$/;

/** The checks, with what they share: the package is built and installed once, for the first check that asks. */
export class NpmChecks {
  readonly #node: string;
  #tools: Promise<string> | undefined;
  #tarball: Promise<string> | undefined;
  #user: Promise<string> | undefined;

  /** @param node The executable that the tools run with. */
  constructor(node: string) {
    this.#node = node;
  }

  /** The package holds what it should and nothing else, and tools that know packages find no fault. */
  async manifest(): Promise<Outcome> {
    const tarball = await this.#packed();
    return together([
      await checkFiles(),
      await this.runTool(CACHE, "publint/src/cli.js", "run", tarball, "--strict"),
      // CommonJS gets the modules by Node's own `require` of them, which the types cannot tell.
      await this.runTool(CACHE, "@arethetypeswrong/cli/dist/index.js", tarball, "--profile", "esm-only"),
    ]);
  }

  /** TypeScript understands it, down to its declarations, and the sources as well. */
  async types(): Promise<Outcome> {
    const user = await this.installed();
    return together([await typesOfPackage(this.#node, user), await typesOfSources(this.#node, user)]);
  }

  /** A program that uses it runs, says nothing and ends by itself. */
  async use(runtime: string): Promise<Outcome> {
    const user = await this.installed();
    const outcomes = await Promise.all(USED.map((file) => commandIn(user, runtime, file)));
    return together(outcomes.map(({ success, output }) => ({ success: success && output === "", output })));
  }

  /** The project's own tests pass on it, in a runtime that runs no TypeScript. */
  async suite(node: string): Promise<Outcome> {
    await this.#packed();
    return suiteOnPackage(node);
  }

  /** A folder that has the package installed, and nothing of the project around it. */
  installed(): Promise<string> {
    return this.#user ??= this.#install();
  }

  /** Runs a tool of those that are installed here, named by its path in `node_modules`. */
  async runTool(folder: string, path: string, ...args: readonly string[]): Promise<Outcome> {
    this.#tools ??= installPackages(join(CACHE, "npm_tools"), TOOLS);
    return commandIn(folder, this.#node, join(await this.#tools, path), ...args);
  }

  /** Removes what was installed outside the project. */
  async close(): Promise<void> {
    const user = await this.#user?.catch(() => undefined);
    if (user !== undefined) await Deno.remove(user, { recursive: true });
  }

  #packed(): Promise<string> {
    return this.#tarball ??= this.#pack();
  }

  async #pack(): Promise<string> {
    await buildNpmPackage();
    const args = ["pack", NPM_PACKAGE, "--pack-destination", CACHE];
    const { success, output } = await this.runTool(CACHE, "npm/bin/npm-cli.js", ...args);
    if (!success) throw new Error(output);
    const { name, version } = JSON.parse(await Deno.readTextFile(join(NPM_PACKAGE, "package.json")));
    return join(CACHE, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
  }

  /** Outside the project, whose own packages would be found otherwise. */
  async #install(): Promise<string> {
    const tarball = await this.#packed();
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(join(folder, "package.json"), '{ "private": true, "type": "module" }');
    for (const name of [...USED, "use.ts"]) await Deno.copyFile(join(USER_FILES, name), join(folder, name));
    const args = ["install", "--no-audit", "--no-fund", tarball, `@types/node@${TYPES_OF_NODE}`];
    const { success, output } = await this.runTool(folder, "npm/bin/npm-cli.js", ...args);
    if (!success) throw new Error(output);
    return folder;
  }
}

/** What registries show of a package, and people look for. */
const MANIFEST_FIELDS = ["description", "keywords", "author", "license", "homepage", "repository", "bugs", "engines"];

/** The manifest: what it says, and that patches of dependencies reach users. */
async function manifestFaults(): Promise<string[]> {
  const manifest = JSON.parse(await Deno.readTextFile(join(NPM_PACKAGE, "package.json")));
  const ranges = Object.entries<string>({ ...manifest.dependencies, ...manifest.peerDependencies });
  return [
    ...MANIFEST_FIELDS.filter((field) => !manifest[field]).map((field) => `package.json has no ${field}`),
    ...ranges.filter(([, range]) => !range.startsWith("^")).map(([name]) => `${name} has no caret range`),
  ];
}

/** The built files: which there are, and that none tells of the machine it was built on. */
async function checkFiles(): Promise<Outcome> {
  const faults = await manifestFaults();
  const root = resolve(CACHE, "..");
  for (const path of await filesBelow(NPM_PACKAGE)) {
    const text = await Deno.readTextFile(join(NPM_PACKAGE, path));
    if (!ALLOWED_FILES_REGEXP.test(path)) faults.push(`${path} does not belong into the package`);
    if (text.includes(root)) faults.push(`${path} names the folder it was built in`);
    if (path.endsWith(".md")) faults.push(...await brokenLinks(path, text));
    if (!path.endsWith(".map")) continue;
    const { sources, sourcesContent }: { sources: string[]; sourcesContent: unknown[] } = JSON.parse(text);
    const outside = sources.filter((source) => !join(NPM_PACKAGE, path, "..", source).startsWith(NPM_PACKAGE));
    if (outside.length > 0) faults.push(`${path} has sources outside the package: ${outside.join(", ")}`);
    if (sourcesContent.length !== sources.length) faults.push(`${path} lacks the text of its sources`);
  }
  return { success: faults.length === 0, output: faults.join("\n") };
}

/** The links of a page that lead to nothing in the package. */
async function brokenLinks(path: string, text: string): Promise<string[]> {
  const links = Array.from(text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g), ([, link]) => link!);
  const found = await Promise.all(
    links.map((link) => Deno.stat(join(NPM_PACKAGE, path, "..", link)).then(() => true, () => false)),
  );
  return links.filter((_, i) => !found[i]).map((link) => `${path} links ${link}, which is not in the package`);
}

async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile) files.push(name);
    else files.push(...(await filesBelow(join(folder, name))).map((path) => `${name}/${path}`));
  }
  return files;
}
