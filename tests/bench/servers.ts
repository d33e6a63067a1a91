import { join } from "node:path";
import { makeSelfSignedCertificate } from "../../lib/local/sockets/self_signed_certificate.ts";
import { LineProcess } from "../support/line_process.ts";
import type { EventHubFacts } from "./event_hub.ts";
import { ROOT, type RuntimeCommands, startServer } from "./processes.ts";
import type { ServerPorts } from "./server.ts";

/** The servers that all contenders call. */
export interface Servers extends AsyncDisposable {
  /** The file of the certificate that clients have to trust. */
  readonly certificate: string;
  /** Where the contenders of a part find their server. */
  portsOf(part: string): ServerPorts;
}

/** How many events there are to read. */
export const EVENTS = 50_000;

/**
 * Starts the servers on Node, with a certificate whose files go to `directory`.
 *
 * @param hasEvents Whether there is a hub with events.
 */
export async function startServers({ node }: RuntimeCommands, directory: string, hasEvents: boolean): Promise<Servers> {
  const { cert, key } = await makeSelfSignedCertificate(["localhost", "127.0.0.1"]);
  const certificate = join(directory, "cert.pem");
  const keyFile = join(directory, "key.pem");
  await Deno.writeTextFile(certificate, cert);
  await Deno.writeTextFile(keyFile, key);
  await using starting = new AsyncDisposableStack();
  const http = starting.use(await startServer(node, "server.ts", certificate, keyFile));
  const amqp = starting.use(await startServer(node, "amqp_server.ts", certificate, keyFile));
  let events: ServerPorts = { fast: 0, slow: 0, control: 0 };
  if (hasEvents) {
    const command = [...node, "tests/bench/event_hub.ts", String(EVENTS)] as const;
    const hub = starting.use(new LineProcess(command, { cwd: ROOT }));
    const { amqp: port, control } = await hub.read<EventHubFacts>();
    // It is as fast as it can.
    events = { fast: port, slow: port, control };
  }
  const started = starting.move();
  return {
    certificate,
    portsOf: (part) => part === "events" ? events : part.startsWith("c2d") ? amqp.ports : http.ports,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
