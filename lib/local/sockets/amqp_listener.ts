import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { AmqpBackend } from "../amqp/backend.ts";
import { AmqpServer } from "../amqp/server.ts";

/** An open port of the hub's AMQP side. */
export interface AmqpListener {
  readonly port: number;
  /** Closes the port and whatever is connected to it. */
  close(): Promise<void>;
}

/** Where to listen; port 0 picks a free one. With `tls` the port speaks TLS. */
export interface AmqpListenerOptions {
  hostname: string;
  port: number;
  tls?: { cert: string; key: string };
}

/** Opens a port that serves the hub's AMQP side; resolves when it accepts connections. */
export async function startAmqpListener(backend: AmqpBackend, options: AmqpListenerOptions): Promise<AmqpListener> {
  const { hostname, port, tls } = options;
  const amqp = new AmqpServer(backend);
  /** Those that have not got as far as AMQP among them. */
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    socket.setNoDelay(true);
    amqp.accept(socket);
  };
  const server: Server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
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
