/** The SDK for Python, as it is, against the local hub over TLS. */
import { join, resolve } from "node:path";
import { DEVICE, MODULE } from "../../tests/conformance/names.ts";
import { startConformanceHub } from "../../tests/conformance/conformance_hub.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { installPythonPackages } from "./python.ts";

const PACKAGES = [
  "azure-eventhub==5.15.1",
  "azure-iot-hub==2.7.0",
  "azure-iot-device==2.14.0",
  "azure-core==1.41.0",
  "msrest==0.7.1",
  "requests==2.34.2",
  "six==1.17.0",
  "uamqp==1.6.11",
];

const USERS = resolve(import.meta.dirname!, "../../tests/users");

/** One for each client of the SDK. */
const PROGRAMS = [
  "registry_manager.py",
  "configuration_manager.py",
  "job_manager.py",
  "digital_twin_client.py",
  "event_hub_client.py",
];

const DIGITAL_TWIN = "thermostat";
const MODEL = "dtmi:com:example:TemperatureController;2";

/** How long all scenarios together may take. */
const TIME_LIMIT_IN_MS = 100_000;

/** What came of one scenario. */
export interface Scenario {
  readonly name: string;
  /** What is wrong; `null` if nothing is. */
  readonly error: string | null;
}

/** Installs the SDK in a virtual environment of its own. Returns the Python of it. */
export function installPythonSdk(base: string, folder: string): Promise<string> {
  return installPythonPackages(base, folder, PACKAGES);
}

/**
 * Runs the programs that use the SDK, each against a hub of its own. Throws when one does not come to its end, or not in
 * time.
 *
 * @param python The Python of a virtual environment with the SDK.
 * @param folder Where a file with certificates can be written.
 */
export async function usePythonSdk(python: string, folder: string): Promise<Scenario[]> {
  const signal = AbortSignal.timeout(TIME_LIMIT_IN_MS);
  const scenarios: Scenario[] = [];
  for (const program of PROGRAMS) {
    const results = await runProgram(python, program, folder, signal);
    scenarios.push(...results.map(({ name, error }) => ({ name: `${program}: ${name}`, error })));
  }
  return scenarios;
}

async function runProgram(python: string, program: string, folder: string, signal: AbortSignal): Promise<Scenario[]> {
  await using conformance = await startConformanceHub();
  await using neighbour = new LocalHub();
  const { hub } = conformance;
  attachDigitalTwin(hub);
  attachFaults(hub);
  const { https, amqps, certificate } = await hub.listen({ https: 0, amqps: 0 });
  const foreign = await neighbour.listen({ https: 0 });
  const certificates = join(folder, "certificates.pem");
  await Deno.writeTextFile(certificates, foreign.certificate! + certificate!);
  const { token } = (await hub.tokenCredential().getToken("https://iothubs.azure.net/.default"))!;
  const HUB = JSON.stringify({
    connectionString: hub.connectionString,
    bearerToken: token,
    amqpPort: Number(new URL(amqps!).port),
    webSocketPort: Number(new URL(https!).port),
    certificates,
    device: DEVICE,
    module: MODULE,
    container: hub.blobContainer("fleet").url,
    digitalTwin: DIGITAL_TWIN,
    model: MODEL,
  });
  return await runScenarios(python, program, { HUB }, signal);
}

/**
 * Runs a program of `tests/users` that writes a line for each scenario.
 *
 * @param python The Python of a virtual environment with the SDK.
 * @param signal Ends it. It then throws, as when the program does not come to its end by itself.
 */
export async function runScenarios(
  python: string,
  program: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Scenario[]> {
  // Without -B it leaves a file of the module that the programs share.
  const args = ["-B", join(USERS, program)];
  const { success, stdout, stderr } = await new Deno.Command(python, { args, env, stdin: "null", signal }).output();
  const decoder = new TextDecoder();
  if (!success) {
    const limit = signal.aborted ? "not done in time\n" : "";
    throw new Error(`${program}: ${limit}${decoder.decode(stdout)}${decoder.decode(stderr)}`);
  }
  return decoder.decode(stdout).trim().split("\n").map((line) => JSON.parse(line) as Scenario);
}

/** A device of a model that answers each command with its name and payload, and reports what it is told to. */
function attachDigitalTwin(hub: LocalHub): void {
  const device = hub.device(DIGITAL_TWIN, { modelId: MODEL });
  device.onMethod(async (payload, name) => {
    if (name === "report") await device.updateReportedProperties(payload as Record<string, unknown>);
    return { status: 201, payload: { name, payload } };
  });
}

/** Lets programs in another language cut the connections by AMQP: by a method of the device that the suite talks to. */
function attachFaults(hub: LocalHub): void {
  hub.device(DEVICE).onMethod("drop", () => {
    hub.faults.drop();
    return { status: 200 };
  });
}
