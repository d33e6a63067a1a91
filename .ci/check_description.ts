/** Checks `openapi.json` as a description of an API: Redocly, with all that it recommends, finds nothing in it. */
import { join, resolve } from "node:path";
import { command, type Outcome } from "./command.ts";
import { installPackages } from "./install_packages.ts";

const CACHE = resolve(import.meta.dirname!, "..", ".cache");
const TOOLS = { "@redocly/cli": "2.77.0" };

/** @param node The executable of a Node that Redocly supports. */
export async function checkDescription(node: string): Promise<Outcome> {
  const cli = join(await installPackages(join(CACHE, "redocly"), TOOLS), "@redocly", "cli", "bin", "cli.js");
  Deno.env.set("REDOCLY_TELEMETRY", "off");
  Deno.env.set("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
  return command(node, cli, "lint", "--extends=recommended-strict", "openapi.json");
}
