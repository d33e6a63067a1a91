/** The SDK for Python, as it is, against the local hub over TLS. */
import { join, resolve } from "node:path";
import { DEVICE, MODULE } from "../../tests/conformance/names.ts";
import { startConformanceHub } from "../../tests/conformance/conformance_hub.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { installPythonPackages } from "./python.ts";

const PACKAGES = [
  "azure-iot-hub==2.7.0",
  "azure-core==1.41.0",
  "msrest==0.7.1",
  "requests==2.34.2",
  "six==1.17.0",
  "uamqp==1.6.11",
];

const PROGRAM = resolve(import.meta.dirname!, "../../tests/users/registry_manager.py");

/** How long all scenarios together may take. */
const TIME_LIMIT_IN_MS = 40_000;

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
 * Runs the program that uses the SDK. Throws when it does not come to its end, or not in time.
 *
 * @param python The Python of a virtual environment with the SDK.
 * @param folder Where a file with certificates can be written.
 */
export async function usePythonSdk(python: string, folder: string): Promise<Scenario[]> {
  await using conformance = await startConformanceHub();
  await using neighbour = new LocalHub();
  const { hub } = conformance;
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
  });
  const signal = AbortSignal.timeout(TIME_LIMIT_IN_MS);
  const command = new Deno.Command(python, { args: [PROGRAM], env: { HUB }, stdin: "null", signal });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  if (!success) {
    const limit = signal.aborted ? `not done after ${TIME_LIMIT_IN_MS} ms\n` : "";
    throw new Error(`${limit}${decoder.decode(stdout)}${decoder.decode(stderr)}`);
  }
  return decoder.decode(stdout).trim().split("\n").map((line) => JSON.parse(line) as Scenario);
}
