import { join } from "node:path";
import { makeSelfSignedCertificate } from "../../lib/local/sockets/self_signed_certificate.ts";
import { type RuntimeCommands, startServer } from "./processes.ts";
import type { ServerPorts } from "./server.ts";

/** The servers that all contenders call. */
export interface Servers extends AsyncDisposable {
  /** The file of the certificate that clients have to trust. */
  readonly certificate: string;
  /** Where the contenders of a part find their server. */
  portsOf(part: string): ServerPorts;
}

/** Starts both servers on Node, with a certificate whose files go to `directory`. */
export async function startServers({ node }: RuntimeCommands, directory: string): Promise<Servers> {
  const { cert, key } = await makeSelfSignedCertificate(["localhost", "127.0.0.1"]);
  const certificate = join(directory, "cert.pem");
  const keyFile = join(directory, "key.pem");
  await Deno.writeTextFile(certificate, cert);
  await Deno.writeTextFile(keyFile, key);
  await using starting = new AsyncDisposableStack();
  const http = starting.use(await startServer(node, "server.ts", certificate, keyFile));
  const amqp = starting.use(await startServer(node, "amqp_server.ts", certificate, keyFile));
  const started = starting.move();
  return {
    certificate,
    portsOf: (part) => part.startsWith("c2d") ? amqp.ports : http.ports,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
