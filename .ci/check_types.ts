// deno-lint-ignore-file no-import-prefix
/**
 * Checks that the types hold in the projects of users, who compile this module's sources or declarations with options of
 * their own.
 */
import ts from "npm:typescript@6.0.3";
import { join, resolve } from "node:path";
import { commandIn, type Outcome, together } from "./command.ts";
import { installPackages } from "./install_packages.ts";
import { makeDeclarations } from "./npm_declarations.ts";
import { membersWithoutUndefined } from "./optional_members.ts";

const ROOT = resolve(import.meta.dirname!, "..");
const USER_FILES = join(import.meta.dirname!, "npm_user");

/** The oldest version that the README names, and the newest. */
const TYPESCRIPT_VERSIONS = ["5.7.3", "7.0.2"] as const;

/** Every option that makes TypeScript stricter, save those that only some of its versions or Deno know. */
const STRICT = {
  strict: true,
  allowUnreachableCode: false,
  allowUnusedLabels: false,
  exactOptionalPropertyTypes: true,
  isolatedDeclarations: true,
  noFallthroughCasesInSwitch: true,
  noImplicitOverride: true,
  noImplicitReturns: true,
  noPropertyAccessFromIndexSignature: true,
  noUncheckedIndexedAccess: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  verbatimModuleSyntax: true,
};

/** What of the platform users may have types of: a browser or its workers, an old browser, or Node and nothing else. */
const BROWSER = { lib: ["ESNext", "DOM", "DOM.Iterable", "DOM.AsyncIterable"], types: [] };
const WORKER = { lib: ["ESNext", "WebWorker"], types: [] };
const OLD_BROWSER = { lib: ["ES2022", "DOM"], types: [] };
/** The sources cannot ask for what they need besides, since JSR takes no such directive; the README says so. */
const OLD_BROWSER_OF_SOURCES = { ...OLD_BROWSER, lib: [...OLD_BROWSER.lib, "ESNext.Disposable"] };
const NODE = { lib: ["ES2022"], types: ["node"] };

/** Projects of Deno: the compiler's options, and what is imported besides the module. */
const DENO_PROJECTS: Record<string, { compilerOptions: object; imports?: Record<string, string> }> = {
  "as the README has it": { compilerOptions: {} },
  "all that is strict": { compilerOptions: { ...STRICT, erasableSyntaxOnly: true } },
  "a browser's types alone": { compilerOptions: { ...STRICT, lib: BROWSER.lib } },
  "a worker's types alone": { compilerOptions: { ...STRICT, lib: WORKER.lib } },
  "an old browser's types alone": { compilerOptions: { ...STRICT, lib: OLD_BROWSER_OF_SOURCES.lib } },
  "types of Node that are old": {
    compilerOptions: { ...STRICT, types: ["node"] },
    imports: { "@types/node": "npm:@types/node@20.19.0" },
  },
  "nothing strict": { compilerOptions: { strict: false } },
};

/** Entries that are checked together. The local hub brings the types of Node, which the others must do without. */
const PROGRAMS = {
  "client.ts": imports("", "/http", "/gen", "/fleet"),
  "smaller.ts": imports("/http", "/gen"),
  "hub.ts": imports("/local"),
};

function imports(...entries: string[]): string {
  return entries.map((entry, i) => `import * as it${i} from "@iothub/registry-manager${entry}";\nvoid it${i};\n`).join(
    "",
  );
}

/** A project of Deno outside this one, with the module's sources in its import map. */
export async function typesInDeno(): Promise<Outcome> {
  const project = await Deno.makeTempDir();
  try {
    await Deno.copyFile(join(USER_FILES, "use.ts"), join(project, "use.ts"));
    for (const [name, text] of Object.entries(PROGRAMS)) await Deno.writeTextFile(join(project, name), text);
    const outcomes: Outcome[] = [];
    for (const [name, { compilerOptions, imports }] of Object.entries(DENO_PROJECTS)) {
      const config = { imports: { ...await sources(), ...imports }, compilerOptions };
      await Deno.writeTextFile(join(project, "deno.json"), JSON.stringify(config));
      for (const files of [["client.ts"], ["hub.ts", "use.ts"]]) {
        outcomes.push(named(`Deno, ${name}, ${files}`, await commandIn(project, Deno.execPath(), "check", ...files)));
      }
    }
    return together(outcomes);
  } finally {
    await Deno.remove(project, { recursive: true });
  }
}

/** A project of TypeScript outside this one that has the package installed: its declarations hold with all options. */
export async function typesOfPackage(node: string, project: string): Promise<Outcome> {
  const nodeNext = { ...STRICT, ...NODE, module: "NodeNext" };
  const bundler = { ...STRICT, ...BROWSER, module: "ESNext", moduleResolution: "Bundler" };
  return together([
    await compile(node, project, "NodeNext", { files: ["use.ts"], compilerOptions: nodeNext }),
    await compile(node, project, "Bundler", { files: ["use.ts"], compilerOptions: bundler }),
    await compile(node, project, "worker", { files: ["use.ts"], compilerOptions: { ...bundler, ...WORKER } }),
    await compile(node, project, "old", {
      files: ["use.ts"],
      compilerOptions: { ...bundler, ...OLD_BROWSER, strict: false, exactOptionalPropertyTypes: false },
    }),
    await typesInCommonJs(node, project),
    everyMemberMayBeUndefined(),
  ]);
}

/** A CommonJS file may import the package where the README says so, and is refused with the error that it names. */
async function typesInCommonJs(node: string, project: string): Promise<Outcome> {
  await Deno.writeTextFile(join(project, "use.cts"), PROGRAMS["client.ts"]);
  const compilerOptions = { ...STRICT, ...NODE, module: "NodeNext", verbatimModuleSyntax: false };
  const [old, newest] = TYPESCRIPT_VERSIONS;
  const common = { files: ["use.cts"], compilerOptions };
  const refused = await compile(node, project, "CommonJS", common, [old]);
  const [code] = /TS\d+/.exec(refused.output) ?? [];
  return together([
    { success: code === "TS1479", output: `TypeScript ${old} says ${code} of CommonJS, and the README TS1479` },
    await compile(node, project, "CommonJS", common, [newest]),
  ]);
}

/** The same with the sources, as those who use Bun or Node have them. */
export async function typesOfSources(node: string, project: string): Promise<Outcome> {
  for (const [name, text] of Object.entries(PROGRAMS)) await Deno.writeTextFile(join(project, name), text);
  const paths = Object.fromEntries(Object.entries(await sources()).map(([name, path]) => [name, [path]]));
  const options = { ...STRICT, allowImportingTsExtensions: true, paths };
  const bundler = { ...options, lib: ["ESNext"], types: ["node"], module: "Preserve", moduleResolution: "Bundler" };
  // A file of a folder without a package.json is CommonJS to TypeScript, whatever Node makes of it.
  const nodeNext = { ...options, ...NODE, module: "NodeNext", verbatimModuleSyntax: false };
  const smaller = { ...options, ...OLD_BROWSER_OF_SOURCES, module: "ESNext", moduleResolution: "Bundler" };
  // The AMQP library's own types need those of Node.
  const client = { ...smaller, skipLibCheck: true };
  return together([
    await compile(node, project, "Bundler with sources", { files: ["use.ts"], compilerOptions: bundler }),
    await compile(node, project, "NodeNext with sources", { files: ["use.ts"], compilerOptions: nodeNext }),
    await compile(node, project, "/http and /gen from sources", { files: ["smaller.ts"], compilerOptions: smaller }),
    await compile(node, project, "all but the hub from sources", { files: ["client.ts"], compilerOptions: client }),
  ]);
}

/** Compiles with each version of TypeScript. */
async function compile(
  node: string,
  project: string,
  name: string,
  { files, compilerOptions }: { files: string[]; compilerOptions: object },
  versions: readonly string[] = TYPESCRIPT_VERSIONS,
): Promise<Outcome> {
  const file = `tsconfig.${name.replaceAll(/\W/g, "_")}.json`;
  const common = { target: "ES2022", noEmit: true, declaration: true, skipLibCheck: false };
  await Deno.writeTextFile(
    join(project, file),
    JSON.stringify({ compilerOptions: { ...common, ...compilerOptions }, files }),
  );
  const outcomes: Outcome[] = [];
  for (const version of versions) {
    const folder = join(ROOT, ".cache", `typescript-${version}`);
    const tsc = join(await installPackages(folder, { typescript: version }), "typescript", "bin", "tsc");
    outcomes.push(named(`TypeScript ${version}, ${name}`, await commandIn(project, node, tsc, "-p", file)));
  }
  return together(outcomes);
}

/**
 * These are of the shapes of `@azure/core-auth` and `@opentelemetry/api`, whose credentials and tracers must fit; and
 * credentials must fit where that package's are wanted.
 */
const SHAPES_OF_OTHERS = ["lib/auth/token_credential.d.ts", "lib/sight/tracer.d.ts"];

/** What has been read can be passed on, whatever it lacks. */
function everyMemberMayBeUndefined(): Outcome {
  const config: { exports: Record<string, string> } = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json")));
  const entries = Object.values(config.exports).map((path) => path.replace("./", ""));
  const faults = Array.from(makeDeclarations(ROOT.replaceAll("\\", "/"), entries)).flatMap(([path, text]) => {
    const source = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
    return SHAPES_OF_OTHERS.includes(path)
      ? []
      : membersWithoutUndefined(source).map(({ name }) => `${path}: the optional ${name} may not be undefined`);
  });
  return { success: faults.length === 0, output: faults.join("\n") };
}

/** The files of the entries, by the names that users import. */
async function sources(): Promise<Record<string, string>> {
  const { name, exports }: { name: string; exports: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(join(ROOT, "deno.json")),
  );
  return Object.fromEntries(
    Object.entries(exports).map(([entry, path]) => [name + entry.slice(1), join(ROOT, path)]),
  );
}

function named(name: string, { success, output }: Outcome): Outcome {
  return { success, output: `${name}:\n${output}` };
}
