import { POLICY_NAMES } from "../auth/authorization.ts";
import type { LocalHub } from "../local_hub.ts";
import type { LocalHubAddresses } from "../sockets/listeners.ts";
import type { CertificateFiles } from "./certificate_files.ts";

/** What clients need to reach the hub and to trust it. */
export interface Instructions {
  readonly hostName: string;
  readonly addresses: LocalHubAddresses;
  /** By the names of the policies. */
  readonly connectionStrings: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
}

/** Collects what clients need. */
export function instructionsFor(hub: LocalHub, addresses: LocalHubAddresses, files: CertificateFiles): Instructions {
  const connectionStrings = Object.fromEntries(POLICY_NAMES.map((name) => [name, hub.connectionStringFor(name)]));
  return {
    hostName: hub.hostName,
    addresses,
    connectionStrings,
    environment: {
      IOTHUB_CS: hub.connectionString,
      IOTHUB_CONNECTION_STRING: hub.connectionString,
      NODE_EXTRA_CA_CERTS: files.certificateFile,
      DENO_CERT: files.certificateFile,
      REQUESTS_CA_BUNDLE: files.bundleFile,
      SSL_CERT_FILE: files.bundleFile,
    },
  };
}

/** Returns the instructions as lines for a shell, with comments. */
export function shellLines({ hostName, addresses, connectionStrings, environment }: Instructions): string {
  const { certificate: _, ...urls } = addresses;
  const lines = [
    `# ${hostName} listens at ${Object.values(urls).join(", ")}`,
    "# For Node, Deno, Python, C# and az:",
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${quoted(value)}`),
    "# For Java, whose SDK takes only a host name with a dot and without a port, such as 127.0.0.1, once:",
    `# keytool -importcert -noprompt -alias ${hostName} -file ${
      quoted(environment["NODE_EXTRA_CA_CERTS"]!)
    } -keystore hub.p12 -storepass changeit`,
    "# and then: java -Djavax.net.ssl.trustStore=hub.p12 -Djavax.net.ssl.trustStorePassword=changeit …",
    `# With az: az iot hub query -q "select * from devices" --login "$IOTHUB_CS"`,
    "# Other policies:",
    ...Object.entries(connectionStrings).filter(([name]) => name !== "iothubowner")
      .map(([, connectionString]) => `# ${connectionString}`),
  ];
  return lines.join("\n") + "\n";
}

/** A text as a shell takes it literally. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
