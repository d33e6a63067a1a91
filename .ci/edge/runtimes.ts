/** What runs where, and what is known not to: every row of the table of runtimes. */
import type { ServerCertificate } from "../../lib/local/mod.ts";
import type { Area } from "../../tests/conformance/check.ts";
import type { ConformanceHub } from "../../tests/conformance/conformance_hub.ts";
import type { ConformanceResult } from "../../tests/conformance/suite.ts";
import type { Bundles } from "./bundles.ts";
import { callAcrossOrigins, conformInChromium } from "./chromium.ts";
import type { Browser, EdgeTools } from "./tools.ts";
import { conformInWorkerd, isSharedManagerRefused } from "./workerd.ts";

/** What a run has at hand. */
export interface EdgeRun {
  readonly tools: EdgeTools;
  readonly bundles: Bundles;
  readonly browser: Browser;
  readonly tls: ServerCertificate;
  /** The file with the certificate of `tls`. */
  readonly certificateFile: string;
}

/** Something that does not work. */
export interface KnownGap {
  /** What a user has to know. */
  readonly text: string;
  /** The areas that are missing because of it. */
  readonly areas: readonly Area[];
  /** Whether it is so still. */
  isThere(run: EdgeRun, hub: ConformanceHub): Promise<boolean>;
}

/** One row. */
export interface Runtime {
  readonly name: string;
  readonly entry: "." | "/http";
  readonly gaps: readonly KnownGap[];
  conform(run: EdgeRun, hub: ConformanceHub): Promise<ConformanceResult[]>;
}

const NO_AMQP: readonly Area[] = ["amqp", "webSocket"];

/** The entry with messages cannot be bundled for those who have no Node modules. */
function needsNode(text: string): KnownGap {
  return {
    text,
    areas: NO_AMQP,
    isThere: ({ bundles }) =>
      bundles.build('export * from "@iothub/registry-manager";', "web").then(() => false, () => true),
  };
}

/** The runtimes that need a bundle. */
export const EDGE_RUNTIMES: readonly Runtime[] = [
  {
    name: "Workers with Node compatibility",
    entry: ".",
    gaps: [{
      text:
        "an AMQP connection belongs to the request that opened it, so a Worker that sends messages or reads events makes a " +
        "manager in each request's handler. Over HTTP, requests may share one.",
      areas: [],
      isThere: ({ tools, bundles }, { target }) => isSharedManagerRefused(tools, bundles, target),
    }],
    conform: ({ tools, bundles }, { target }) => conformInWorkerd(tools, bundles, ".", target),
  },
  {
    name: "Workers",
    entry: "/http",
    gaps: [
      needsNode("no messages and no events: the AMQP library wants Node's modules, which `nodejs_compat` brings."),
    ],
    conform: ({ tools, bundles }, { target: { connectionString, endpoint } }) =>
      conformInWorkerd(tools, bundles, "/http", { connectionString, endpoint }),
  },
  {
    name: "Chromium",
    entry: "/http",
    gaps: [
      needsNode(
        "no messages and no events: the AMQP library wants Node's modules. Bundlers build the entry `.` only with stand-ins.",
      ),
      {
        text: "a hub answers no page of another origin (it sends no CORS headers), so a page reaches its hub through " +
          "its own server: `endpoint` names that server, which hands the requests on.",
        areas: [],
        isThere: async ({ browser, bundles, tls }, { hub, target }) =>
          await callAcrossOrigins(browser, bundles, hub, target.endpoint, tls) === "NetworkError",
      },
    ],
    conform: ({ browser, bundles, tls }, { hub }) => conformInChromium(browser, bundles, hub, tls),
  },
];

/** A runtime that runs TypeScript as it is. */
export async function processRuntime(executable: string): Promise<Runtime> {
  const name = await nameOf(executable);
  return {
    name,
    entry: ".",
    gaps: [],
    async conform({ certificateFile }, { target }) {
      const program = new URL("../../tests/conformance/process.ts", import.meta.url).pathname;
      const args = [...name.startsWith("Deno") ? ["run", "-A", "--no-check"] : [], program, JSON.stringify(target)];
      const env = { NODE_EXTRA_CA_CERTS: certificateFile };
      const { success, stdout, stderr } = await new Deno.Command(executable, { args, env, stdin: "null" }).output();
      if (!success) throw new Error(`${name} failed: ${new TextDecoder().decode(stderr)}`);
      return JSON.parse(new TextDecoder().decode(stdout));
    },
  };
}

/** Name and version, as far as it matters to users. */
async function nameOf(executable: string): Promise<string> {
  const { stdout } = await new Deno.Command(executable, { args: ["--version"], stdin: "null" }).output();
  const version = new TextDecoder().decode(stdout).trim().split("\n")[0]!;
  const [, node, deno, bun] = /^(?:v(\d+)\.|deno (\d+\.\d+)|(\d+\.\d+)\.)/.exec(version) ?? [];
  if (node !== undefined) return `Node ${node}`;
  if (deno !== undefined) return `Deno ${deno}`;
  if (bun !== undefined) return `Bun ${bun}`;
  throw new Error(`${executable} is no runtime known here: ${version}`);
}
