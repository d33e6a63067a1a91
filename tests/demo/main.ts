/**
 * Manages a fleet from beginning to end. The fleet is that of a CSV file; the hub is an embedded one, or with
 * `IOTHUB_CONNECTION_STRING` a real one, from which everything that was created is removed at the end.
 *
 * Usage: `deno task demo [fleet.csv]`. Exit codes: 0 done (with lines of the file skipped, too), 1 the hub failed,
 * 2 the file or the connection string cannot be used, 130 Ctrl-C.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { IoTHubError, IoTHubRegistryManager, parseConnectionString } from "../../mod.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { consoleOutput } from "./console_output.ts";
import { runDemo } from "./demo.ts";
import { FieldDevices } from "./field_devices.ts";
import { readFleetFile } from "./fleet_file.ts";
import { counted, showComplaints, skippedLines } from "./report.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const OWN_FLEET = fileURLToPath(new URL("../fixtures/fleet.csv", import.meta.url));

const output = consoleOutput(process.stdout, process.stderr);
const interruption = new AbortController();
function interrupt(): void {
  output.line("\nInterrupted: the run ends in good order. Press Ctrl-C again to leave at once.");
  interruption.abort();
}

// `| head`, or a terminal that is closed, must not end the run before it has removed what it created.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
for (const signal of SIGNALS) process.once(signal, interrupt);
process.exitCode = await main(process.argv[2] ?? OWN_FLEET, process.env["IOTHUB_CONNECTION_STRING"]);
for (const signal of SIGNALS) process.off(signal, interrupt);

async function main(path: string, realHub: string | undefined): Promise<number> {
  await using hub = new LocalHub();
  const setup = await prepare(path, realHub, hub);
  if (setup === undefined) return 2;
  await using registry = setup.registry;
  await using field = new FieldDevices(hub);
  const { devices, complaints } = setup.fleet;
  output.line(`Fleet  ${relative(process.cwd(), path)}: ${counted(devices.length, "device")}`);
  showComplaints(output, complaints);
  const kind = realHub === undefined ? "embedded in this process" : "where what this run creates is removed at its end";
  output.line(`Hub    ${setup.hostName}, ${kind}`);
  try {
    const { failures, left } = await runDemo({
      registry,
      devices,
      output,
      removeAtEnd: realHub !== undefined,
      abortSignal: interruption.signal,
      ...(realHub === undefined && { field }),
    });
    output.line();
    if (complaints.length > 0) output.line(`Skipped: ${counted(skippedLines(complaints), "line")}, listed at the top`);
    output.line("Next: name a fleet file of your own, `deno task demo my-fleet.csv`, or set IOTHUB_CONNECTION_STRING");
    output.line("to run on a real hub, which is left as it was found.");
    return failures.length + left.length === 0 ? 0 : 1;
  } catch (error) {
    if (interruption.signal.aborted) return 130;
    if (!(error instanceof IoTHubError)) throw error;
    output.line(`\nThe hub failed: ${error.message}`);
    return 1;
  }
}

async function prepare(path: string, realHub: string | undefined, hub: LocalHub) {
  try {
    return {
      fleet: readFleetFile(await readFile(path, "utf8")),
      hostName: parseConnectionString(realHub ?? hub.connectionString).hostName,
      registry: realHub === undefined
        ? IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions)
        : IoTHubRegistryManager.fromConnectionString(realHub),
    };
  } catch (error) {
    output.line(`Cannot start: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}
