import type { ClientCertificate } from "../auth/client_certificate.ts";
import type { ByteSocket } from "../connections/gated_socket.ts";
import type { MqttBackend } from "./backend.ts";
import { MqttServerConnection } from "./server_connection.ts";

/** Serves MQTT on sockets that the listeners have opened. */
export class MqttServer {
  readonly #backend: MqttBackend;
  readonly #connections: Set<MqttServerConnection> = new Set();

  constructor(backend: MqttBackend) {
    this.#backend = backend;
  }

  /** Serves a client, and with it the certificate that it has shown, until its socket closes. */
  accept(socket: ByteSocket, certificate?: ClientCertificate): void {
    const connection = new MqttServerConnection(this.#backend, socket, certificate);
    this.#connections.add(connection);
    socket.on("close", () => {
      connection.guard(() => connection.abort("closed"));
      this.#connections.delete(connection);
    });
  }

  /** Cuts every connection. */
  close(): void {
    for (const connection of this.#connections) connection.guard(() => connection.abort());
    this.#connections.clear();
  }
}
