import rhea from "rhea";
import type { Container } from "rhea";
import type { AmqpBackend } from "./backend.ts";
import type { ByteSocket } from "./gated_socket.ts";
import { AmqpServerConnection } from "./server_connection.ts";

/** Serves AMQP on sockets that the listeners have opened. */
export class AmqpServer {
  readonly #backend: AmqpBackend;
  readonly #container: Container;
  readonly #connections: Set<AmqpServerConnection> = new Set();

  constructor(backend: AmqpBackend) {
    this.#backend = backend;
    this.#container = rhea.create_container({ id: backend.hostName });
    this.#container.sasl_server_mechanisms = SASL_MECHANISMS;
    // The library closes the socket of a client that misbehaves. It also emits an event, which throws without a
    // listener.
    for (const event of ["error", "protocol_error", "disconnected", "connection_error", "connection_close"]) {
      this.#container.on(event, () => {});
    }
  }

  /** Serves a client until its socket closes. */
  accept(socket: ByteSocket): void {
    const connection = new AmqpServerConnection(this.#backend, this.#container, socket);
    this.#connections.add(connection);
    socket.on("close", () => {
      connection.guard(() => connection.abort());
      this.#connections.delete(connection);
    });
  }

  /** Cuts every connection. */
  close(): void {
    for (const connection of this.#connections) connection.abort();
    this.#connections.clear();
  }
}

/**
 * The SASL mechanisms. Neither proves anything: a client shows its tokens later, on a link to `$cbs`, which is what the
 * SDKs for Python and C announce with the second. The library looks a client's choice up by name, so nothing may be
 * inherited.
 */
const SASL_MECHANISMS = Object.assign(Object.create(null), { ANONYMOUS: letIn, MSSBCBS: letIn });

function letIn(): { outcome: boolean; start(): void } {
  return { outcome: true, start() {} };
}
