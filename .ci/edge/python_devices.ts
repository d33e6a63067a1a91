/** Devices of the SDK for Python, as it is, over TLS at the hub's program, in the environment that the program prints. */
import { join } from "node:path";
import { HubProgram } from "../../tests/support/hub_program.ts";
import {
  issue,
  issueAuthority,
  type IssuedCertificate,
  thumbprintOf,
} from "../../tests/support/certificate_factory.ts";
import { ownAddress } from "../../tests/support/own_address.ts";
import { runScenarios, type Scenario } from "./python_sdk.ts";

/** How long all scenarios together may take: many times what they take on a machine that has nothing else to do. */
export const DEVICES_LIMIT_IN_MS = 240_000;

/** What came of all scenarios, and which of them could not be tried, and why. */
export interface DeviceScenarios {
  readonly scenarios: readonly Scenario[];
  readonly skipped: readonly string[];
}

/**
 * Has devices of the SDK for Python do what they do at the hub's program. Throws when the program cannot have the ports
 * 5671 and 8883, and when the scenarios do not come to their end in time.
 *
 * @param python The Python of a virtual environment with the SDK.
 * @param folder Where files can be written.
 */
export async function usePythonDevices(python: string, folder: string): Promise<DeviceScenarios> {
  const signal = AbortSignal.timeout(DEVICES_LIMIT_IN_MS);
  const authority = issueAuthority();
  const certificates = {
    thumbprint: await written(issue({ commonName: "thumbprint" }), folder),
    authority: await written(issue({ commonName: "by-authority", issuer: authority }), folder),
    foreign: await written(issue({ commonName: "foreign", issuer: issueAuthority("Other") }), folder),
  };
  const authorityFile = join(folder, "authority.pem");
  await Deno.writeTextFile(authorityFile, authority.cert);
  // The SDK's ports are fixed; on an address of its own the hub can have them whatever else runs on this machine.
  const address = ownAddress();
  const own = ["--host", address, "--name", address, "--folder", join(folder, "program")];
  await using program = new HubProgram([...own, "--json", "--authority", authorityFile]);
  const { environment, addresses } = await program.ready();
  const hasPort443 = new URL(addresses.https!).port === "";
  const events = join(folder, "events.jsonl");
  await Deno.writeTextFile(events, "");
  program.onLine((line) => Deno.writeTextFileSync(events, `${line}\n`, { append: true }));
  const HUB = JSON.stringify({ events, certificates, hasPort443 });
  return {
    scenarios: await runScenarios(python, "device_client.py", { ...environment, HUB }, signal),
    skipped: hasPort443
      ? []
      : ["uploads and MQTT over WebSocket with the SDK for Python: the hub may not have port 443"],
  };
}

/** A certificate as Python takes it: in files, with its thumbprints. */
async function written(certificate: IssuedCertificate, folder: string): Promise<Record<string, string>> {
  const { cert, key, wish: { commonName: name } } = certificate;
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key.pem`) };
  await Deno.writeTextFile(files.cert, cert);
  await Deno.writeTextFile(files.key, key);
  const [sha1, sha256] = await Promise.all([thumbprintOf(certificate, "SHA-1"), thumbprintOf(certificate, "SHA-256")]);
  return { name, ...files, sha1, sha256 };
}
