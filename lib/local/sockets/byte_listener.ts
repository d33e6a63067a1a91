import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { ASK_FOR_CERTIFICATE, type ClientCertificate, clientCertificateOf } from "../auth/client_certificate.ts";
import type { ByteSocket } from "../connections/gated_socket.ts";

/** Serves the clients of a port, by whatever protocol. */
export interface ByteServer {
  /** Serves a client, and with it the certificate that it has shown, until its socket closes. */
  accept(socket: ByteSocket, certificate?: ClientCertificate): void;
  /** Cuts every connection. */
  close(): void;
}

/** An open port. */
export interface ByteListener {
  /** The number of the port. */
  readonly port: number;
  /** Closes the port and every connection to it. */
  close(): Promise<void>;
}

/** Where to listen. Port 0 picks a free one; a certificate turns on TLS. */
export interface Place {
  hostname: string;
  port: number;
  tls?: { cert: string; key: string } | undefined;
}

/**
 * Opens a port for a protocol whose bytes go straight over TCP or TLS.
 *
 * @param report Is told of an exception in the serving itself.
 * @returns Resolves when the port accepts connections.
 */
export async function startByteListener(
  server: ByteServer,
  { hostname, port, tls }: Place,
  report: (error: unknown) => unknown,
): Promise<ByteListener> {
  /** All connections, including those that have not sent anything yet. */
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    try {
      socket.setNoDelay(true);
      server.accept(socket, clientCertificateOf(socket));
    } catch (error) {
      report(error);
      socket.destroy();
    }
  };
  const listener: Server = tls === undefined
    ? createServer(serve)
    : createTlsServer({ ...tls, ...ASK_FOR_CERTIFICATE }, serve);
  listener.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    // Later errors, such as too many open files, come with nobody to catch them.
    listener.on("error", (error) => listener.listening ? void report(error) : reject(error));
    listener.listen(port, hostname, resolve);
  });
  return {
    port: (listener.address() as AddressInfo).port,
    async close(): Promise<void> {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
