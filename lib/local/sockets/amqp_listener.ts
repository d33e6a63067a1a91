import type { AmqpBackend } from "../amqp/backend.ts";
import { AmqpServer } from "../amqp/server.ts";
import { type ByteListener, type Place, startByteListener } from "./byte_listener.ts";

/** Opens a port for AMQP. Resolves when it accepts connections. */
export function startAmqpListener(backend: AmqpBackend, place: Place): Promise<ByteListener> {
  return startByteListener(new AmqpServer(backend), place, (error) => backend.report(error));
}
