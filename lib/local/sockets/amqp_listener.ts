import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { AmqpBackend } from "../amqp/backend.ts";
import { AmqpServer } from "../amqp/server.ts";
import { ASK_FOR_CERTIFICATE, clientCertificateOf } from "../auth/client_certificate.ts";

/** An open port for AMQP. */
export interface AmqpListener {
  /** The number of the port. */
  readonly port: number;
  /** Closes the port and every connection to it. */
  close(): Promise<void>;
}

/** Where to listen. Port 0 picks a free one; a certificate turns on TLS. */
export interface AmqpListenerOptions {
  hostname: string;
  port: number;
  tls?: { cert: string; key: string } | undefined;
}

/** Opens a port for AMQP. Resolves when it accepts connections. */
export async function startAmqpListener(backend: AmqpBackend, options: AmqpListenerOptions): Promise<AmqpListener> {
  const { hostname, port, tls } = options;
  const amqp = new AmqpServer(backend);
  /** All connections, including those that have not sent any AMQP yet. */
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    try {
      socket.setNoDelay(true);
      amqp.accept(socket, clientCertificateOf(socket));
    } catch (error) {
      backend.report(error);
      socket.destroy();
    }
  };
  const server: Server = tls === undefined
    ? createServer(serve)
    : createTlsServer({ ...tls, ...ASK_FOR_CERTIFICATE }, serve);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    // Later errors, such as too many open files, come with nobody to catch them.
    server.on("error", (error) => server.listening ? void backend.report(error) : reject(error));
    server.listen(port, hostname, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close(): Promise<void> {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      amqp.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
