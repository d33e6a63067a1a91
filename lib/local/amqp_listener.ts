import rhea from "rhea";
import type { Connection, EventContext, ServerConnectionOptions } from "rhea";
import type { AddressInfo, Socket } from "node:net";
import { type AmqpBackend, AmqpPeer } from "./amqp_peer.ts";

export type { MessageTarget } from "./amqp_message.ts";
export type { AmqpBackend } from "./amqp_peer.ts";

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
  const container = rhea.create_container({ id: backend.hostName });
  const peers = new Map<Connection, AmqpPeer>();
  const sockets = new Set<Socket>();

  container.on("connection_open", ({ connection }: EventContext) => {
    peers.set(connection, new AmqpPeer(backend, connection));
  });
  function forget({ connection }: EventContext): void {
    peers.get(connection)?.end();
    peers.delete(connection);
  }
  container.on("connection_close", forget);
  container.on("disconnected", forget);
  // A broken client is its own problem: the library closes its socket, and must find somebody who listens.
  container.on("error", () => {});
  container.on("protocol_error", () => {});

  const server = container.listen({
    host: hostname,
    port,
    ...(tls === undefined ? { transport: "tcp" } : { transport: "tls", ...tls }),
    tcp_no_delay: true,
    // What becomes of a message is said one by one, and credit is granted once a link is known to be allowed.
    receiver_options: { autoaccept: false, credit_window: 0 },
  } as unknown as ServerConnectionOptions);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("listening", resolve);
    server.once("error", reject);
  });

  return {
    port: (server.address() as AddressInfo).port,
    async close(): Promise<void> {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const [connection, peer] of peers) {
        peer.end();
        // Through the library, which stops its timers so.
        connection.abort_socket(connection.socket);
      }
      peers.clear();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
