import rhea from "rhea";
import type { Container } from "rhea";
import type { AmqpBackend } from "./backend.ts";
import type { ByteSocket } from "./gated_socket.ts";
import { AmqpServerConnection } from "./server_connection.ts";

/** Speaks AMQP on sockets that somebody else has opened. */
export class AmqpServer {
  readonly #backend: AmqpBackend;
  readonly #container: Container;
  readonly #connections: Set<AmqpServerConnection> = new Set();

  constructor(backend: AmqpBackend) {
    this.#backend = backend;
    this.#container = rhea.create_container({ id: backend.hostName });
    // A broken client is its own problem: the library closes its socket, and must find somebody who listens.
    for (const event of ["error", "protocol_error", "disconnected", "connection_error", "connection_close"]) {
      this.#container.on(event, () => {});
    }
  }

  /** Serves a client until it goes. */
  accept(socket: ByteSocket): void {
    const connection = new AmqpServerConnection(this.#backend, this.#container, socket);
    this.#connections.add(connection);
    socket.on("close", () => {
      connection.abort();
      this.#connections.delete(connection);
    });
  }

  /** Cuts every client. */
  close(): void {
    for (const connection of this.#connections) connection.abort();
    this.#connections.clear();
  }
}
