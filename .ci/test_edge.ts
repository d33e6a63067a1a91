/**
 * Runs the conformance suite on every runtime over real TLS sockets, workerd and Chromium among them, the programs of
 * `tests/users`, the SDKs for Python and Java against the local hub and its program, and schemathesis against its
 * answers. The table of runtimes in lib/README.md comes from this run:
 *
 *     deno run -A .ci/test_edge.ts            fails where the table is not what was found
 *     deno run -A .ci/test_edge.ts --write    writes it
 */
import { join, resolve } from "node:path";
import { makeSelfSignedCertificate } from "../lib/local/sockets/self_signed_certificate.ts";
import { checkBundlers } from "./check_bundlers.ts";
import { type ConformanceHub, startConformanceHub } from "../tests/conformance/conformance_hub.ts";
import { Bundles } from "./edge/bundles.ts";
import { EDGE_RUNTIMES, type EdgeRun, processRuntime, type Runtime } from "./edge/runtimes.ts";
import { findJavaSdk } from "./edge/java.ts";
import { connectInPrintedEnvironment, connectJavaInPrintedEnvironment } from "./edge/program_environment.ts";
import { type RuntimeRow, withRuntimes } from "./edge/runtimes_table.ts";
import { findPython } from "./edge/python.ts";
import { DEVICES_LIMIT_IN_MS, usePythonDevices } from "./edge/python_devices.ts";
import { installPythonSdk, usePythonSdk } from "./edge/python_sdk.ts";
import { examineAnswers, installSchemathesis } from "./edge/schemathesis.ts";
import { installEdgeTools } from "./edge/tools.ts";
import { shareManager, useEventWorker, useMessageWorker, usePage, useWorker } from "./edge/users.ts";
import { installRuntimes } from "./runtimes.ts";

const AREAS = ["http", "amqp", "webSocket"] as const;

/** How long one of the checks may take, such as a runtime. */
const TIME_LIMIT_IN_MS = 120_000;

const root = resolve(import.meta.dirname!, "..");
const failures: string[] = [];
let passed = 0;

/** Runs one runtime's checks, and looks whether its gaps are still there. */
async function examine(runtime: Runtime, run: EdgeRun): Promise<RuntimeRow> {
  const { name, entry, gaps } = runtime;
  const missing = new Set(gaps.flatMap(({ areas }) => areas));
  await attempt(name, async (fail) => {
    const results = await withHub(run, (hub) => runtime.conform(run, hub));
    for (const { area, name: check, ok, error } of results) {
      if (ok) passed++;
      else fail(`${name}: ${area}: ${check}\n${error}`);
    }
    for (const area of AREAS) {
      const hasRun = results.some((result) => result.area === area);
      if (hasRun === missing.has(area)) throw new Error(`${area} ${hasRun ? "is named as a gap" : "has not run"}`);
    }
    for (const gap of gaps) {
      const isThere = await withHub(run, (hub) => gap.isThere(run, hub));
      if (!isThere) throw new Error(`this is no gap any more: ${gap.text}`);
    }
  });
  return {
    name,
    entry,
    areas: new Set(AREAS.filter((area) => !missing.has(area))),
    gaps: gaps.map(({ text }) => text),
  };
}

/** Is told of a failure, after which the work goes on. */
type Fail = (failure: string) => void;

/** Does some work within the time limit, and tells what came of it. */
async function attempt(
  name: string,
  work: (fail: Fail) => Promise<void>,
  limitInMs: number = TIME_LIMIT_IN_MS,
): Promise<void> {
  const started = performance.now();
  let hasFailed = false;
  const fail = (failure: string): void => {
    hasFailed = true;
    failures.push(failure);
  };
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => limit.reject(new Error(`not done after ${limitInMs} ms`)), limitInMs);
  try {
    await Promise.race([work(fail), limit.promise]);
    if (!hasFailed) passed++;
  } catch (error) {
    fail(`${name}: ${error instanceof Error ? error.stack : error}`);
  } finally {
    clearTimeout(timer);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${hasFailed ? "FAILED" : "ok    "} ${name} (${seconds} s)`);
}

/** Has the SDK for Python call the hub. */
async function tryPythonSdk(python: string, fail: Fail): Promise<void> {
  for (const { name, error } of await usePythonSdk(python, folder)) {
    if (error === null) passed++;
    else fail(`the SDK for Python: ${name}: ${error}`);
  }
}

/** Has devices of the SDK for Python connect to the hub's program. */
async function tryPythonDevices(python: string, fail: Fail): Promise<void> {
  const { scenarios, skipped } = await usePythonDevices(python, folder);
  for (const what of skipped) console.log(`skipped ${what}`);
  for (const { name, error } of scenarios) {
    if (error === null) passed++;
    else fail(`devices of the SDK for Python: ${name}: ${error}`);
  }
}

/** Every run has a hub of its own. */
async function withHub<T>(run: EdgeRun, use: (hub: ConformanceHub) => Promise<T>): Promise<T> {
  await using hub = await startConformanceHub(run.tls);
  return await use(hub);
}

async function compareTable(rows: RuntimeRow[]): Promise<void> {
  const document = join(root, "lib", "README.md");
  const text = await Deno.readTextFile(document);
  const fresh = withRuntimes(text, rows);
  if (Deno.args.includes("--write")) await Deno.writeTextFile(document, fresh);
  else if (fresh !== text) throw new Error("it is not what was found; to write it: deno task test:edge --write");
}

const folder = await Deno.makeTempDir();
try {
  const tls = await makeSelfSignedCertificate(["localhost", "127.0.0.1"]);
  const certificateFile = join(folder, "hub.pem");
  await Deno.writeTextFile(certificateFile, tls.cert);
  const { deno, bun, node } = await installRuntimes(join(root, ".cache", "runtimes"), ["22", "24", "26"]);
  await attempt("bundlers without a configuration", async () => {
    const { success, output } = await checkBundlers(node["24"], bun);
    if (!success) throw new Error(output);
  });
  const loadTools = await installEdgeTools(join(root, ".cache", "edge"));
  const python = await findPython();
  const programs = python === undefined ? undefined : {
    sdk: await installPythonSdk(python, join(root, ".cache", "edge", "python")),
    schemathesis: await installSchemathesis(python, join(root, ".cache", "edge", "schemathesis")),
  };
  const java = await findJavaSdk(join(root, ".cache", "edge", "java"));
  // Read by the code that starts workerd when it is loaded; what installs packages may need another one.
  Deno.env.set("NODE_EXTRA_CA_CERTS", certificateFile);
  const tools = loadTools();
  const browser = await tools.launchChromium();
  const run: EdgeRun = { tools, bundles: new Bundles(tools.esbuild, root), browser, tls, certificateFile };

  const answers = "the local hub's answers are those of openapi.json";
  // It takes a minute whatever is asked of it, and needs nothing of the others.
  const examined = programs && attempt(answers, () => examineAnswers(programs.schemathesis, folder));
  const runtimes = [...await Promise.all([deno, bun, ...Object.values(node)].map(processRuntime)), ...EDGE_RUNTIMES];
  const rows: RuntimeRow[] = [];
  for (const runtime of runtimes) rows.push(await examine(runtime, run));
  await attempt("a Worker that writes twins", () => useWorker(tools, run.bundles, tls));
  await attempt("a Worker whose requests share a manager", () => shareManager(tools, run.bundles, tls));
  await attempt("a Worker that sends messages", () => useMessageWorker(tools, run.bundles, tls));
  await attempt("a Worker that reads events", () => useEventWorker(tools, run.bundles, tls));
  await attempt(
    "the environment that the hub's program prints, for Node",
    () => connectInPrintedEnvironment([node["24"]], "hub_user.mjs", folder),
  );
  if ("lack" in java) {
    console.log(`skipped the environment that the hub's program prints, for Java: ${java.lack}`);
  } else {
    await attempt(
      "the environment that the hub's program prints, for Java",
      () => connectJavaInPrintedEnvironment(java.classPath, "HubUser.java", folder),
    );
  }
  if (programs === undefined) {
    const why = "there is no Python 3.10 to 3.13 with venv, and apt-get brings none; set PYTHON to one";
    console.log(`skipped the SDKs for Python, and that ${answers}: ${why}`);
  } else {
    await attempt("the SDK for Python", (fail) => tryPythonSdk(programs.sdk, fail));
    await attempt(
      "devices of the SDK for Python at the hub's program",
      (fail) => tryPythonDevices(programs.sdk, fail),
      // Of its own limit it tells more.
      DEVICES_LIMIT_IN_MS + 30_000,
    );
    await attempt(
      "the environment that the hub's program prints, for Python",
      () => connectInPrintedEnvironment([programs.sdk], "hub_user.py", folder),
    );
  }
  await attempt("a page that writes twins", () => usePage(browser, run.bundles, tls));
  await Promise.all([browser.close(), tools.esbuild.stop(), examined]);
  if (failures.length === 0) await attempt("the table of runtimes", () => compareTable(rows));
} finally {
  await Deno.remove(folder, { recursive: true });
}

for (const failure of failures) console.error(`\nFAILED ${failure}`);
console.log(`\n${passed} passed, ${failures.length} failed`);
Deno.exit(failures.length === 0 ? 0 : 1);
