/**
 * Runs the conformance suite on every runtime over real TLS sockets, workerd and Chromium among them, and the programs of
 * `tests/users`. The README's table of runtimes comes from this run:
 *
 *     deno run -A .ci/test_edge.ts            fails where the table is not what was found
 *     deno run -A .ci/test_edge.ts --write    writes it
 */
import { join, resolve } from "node:path";
import { makeSelfSignedCertificate } from "../lib/local/self_signed_certificate.ts";
import { type ConformanceHub, startConformanceHub } from "../tests/conformance/conformance_hub.ts";
import { Bundles } from "./edge/bundles.ts";
import { EDGE_RUNTIMES, type EdgeRun, processRuntime, type Runtime } from "./edge/runtimes.ts";
import { type RuntimeRow, withRuntimes } from "./edge/runtimes_table.ts";
import { installEdgeTools } from "./edge/tools.ts";
import { useMessageWorker, usePage, useWorker } from "./edge/users.ts";
import { installRuntimes } from "./runtimes.ts";

const AREAS = ["http", "amqp", "webSocket"] as const;

const root = resolve(import.meta.dirname!, "..");
const failures: string[] = [];

/** Runs one runtime's checks, and looks whether its gaps are still there. */
async function examine(runtime: Runtime, run: EdgeRun): Promise<RuntimeRow> {
  const { name, entry, gaps } = runtime;
  const results = await withHub(run, (hub) => runtime.conform(run, hub));
  for (const { area, name: check, error } of results.filter(({ ok }) => !ok)) {
    failures.push(`${name}: ${area}: ${check}\n${error}`);
  }
  for (const gap of gaps) {
    if (!await withHub(run, (hub) => gap.isThere(run, hub))) {
      failures.push(`${name}: this is no gap any more: ${gap.text}`);
    }
  }
  const missing = new Set(gaps.flatMap(({ areas }) => areas));
  for (const area of AREAS) {
    const hasRun = results.some((result) => result.area === area);
    if (hasRun === missing.has(area)) failures.push(`${name}: ${area} ${hasRun ? "is named as a gap" : "has not run"}`);
  }
  const passed = AREAS.filter((area) => !missing.has(area));
  console.log(`${name}: ${results.filter(({ ok }) => ok).length} of ${results.length} checks passed`);
  return { name, entry, passed: new Set(passed), gaps: gaps.map(({ text }) => text) };
}

/** Every run has a hub of its own. */
async function withHub<T>(run: EdgeRun, use: (hub: ConformanceHub) => Promise<T>): Promise<T> {
  await using hub = await startConformanceHub(run.tls);
  return await use(hub);
}

async function attempt(name: string, work: Promise<void>): Promise<void> {
  const outcome = await work.then(() => "ok", (error) => {
    failures.push(`${name}: ${error?.stack ?? error}`);
    return "FAILED";
  });
  console.log(`${name}: ${outcome}`);
}

async function compareReadme(rows: RuntimeRow[]): Promise<void> {
  const readme = join(root, "README.md");
  const text = await Deno.readTextFile(readme);
  const fresh = withRuntimes(text, rows);
  if (Deno.args.includes("--write")) await Deno.writeTextFile(readme, fresh);
  else if (fresh !== text) {
    failures.push("README.md: its table of runtimes is not what was found: deno task test:edge --write");
  }
}

const folder = await Deno.makeTempDir();
try {
  const tls = await makeSelfSignedCertificate(["localhost"], ["127.0.0.1"]);
  const certificateFile = join(folder, "hub.pem");
  await Deno.writeTextFile(certificateFile, tls.cert);
  // Read by the code that starts workerd when it is loaded.
  Deno.env.set("NODE_EXTRA_CA_CERTS", certificateFile);
  const tools = await installEdgeTools(join(root, ".cache", "edge"));
  const executables = Object.values(await installRuntimes(join(root, ".cache", "runtimes"))) as string[];
  const browser = await tools.launchChromium();
  const run: EdgeRun = { tools, bundles: new Bundles(tools.esbuild, root), browser, tls, certificateFile };

  const runtimes = [...await Promise.all(executables.map(processRuntime)), ...EDGE_RUNTIMES];
  const rows: RuntimeRow[] = [];
  for (const runtime of runtimes) rows.push(await examine(runtime, run));
  await attempt("A Worker that writes twins", useWorker(tools, run.bundles, tls));
  await attempt("A Worker that sends messages", useMessageWorker(tools, run.bundles, tls));
  await attempt("A page that writes twins", usePage(browser, run.bundles, tls));
  await Promise.all([browser.close(), tools.esbuild.stop()]);
  await compareReadme(rows);
} finally {
  await Deno.remove(folder, { recursive: true });
}

for (const failure of failures) console.error(`\nFAILED ${failure}`);
if (failures.length > 0) Deno.exit(1);
