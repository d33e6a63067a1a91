import rhea from "rhea";
import type { Container } from "rhea";
import type { ClientCertificate } from "../auth/client_certificate.ts";
import type { AmqpBackend } from "./backend.ts";
import type { ByteSocket } from "../connections/gated_socket.ts";
import { AmqpServerConnection } from "./server_connection.ts";

/** Serves AMQP on sockets that the listeners have opened. */
export class AmqpServer {
  readonly #backend: AmqpBackend;
  readonly #container: Container;
  readonly #connections: Set<AmqpServerConnection> = new Set();

  constructor(backend: AmqpBackend) {
    this.#backend = backend;
    this.#container = rhea.create_container({ id: backend.hostName });
    // The library closes the socket of a client that misbehaves. It also emits an event, which throws without a
    // listener.
    for (const event of ["error", "protocol_error", "disconnected", "connection_error", "connection_close"]) {
      this.#container.on(event, () => {});
    }
  }

  /** Serves a client, and with it the certificate that it has shown, until its socket closes. */
  accept(socket: ByteSocket, certificate?: ClientCertificate): void {
    const connection = new AmqpServerConnection(this.#backend, this.#container, socket, certificate);
    this.#connections.add(connection);
    socket.on("close", () => {
      connection.guard(() => connection.abort("closed"));
      this.#connections.delete(connection);
    });
  }

  /** Cuts every connection. */
  close(): void {
    for (const connection of this.#connections) connection.abort();
    this.#connections.clear();
  }
}
