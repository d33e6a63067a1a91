import { Buffer } from "node:buffer";
import type { ByteSocket } from "./gated_socket.ts";

/** A socket of the package `ws`, as far as it is used here. */
export interface ServerWebSocket {
  send(bytes: Uint8Array): void;
  close(): void;
  terminate(): void;
  on(event: string, listener: (data: Uint8Array | ArrayBuffer | Uint8Array[]) => void): unknown;
}

/** A WebSocket as a stream of bytes: where one message ends and the next begins means nothing to AMQP. */
export class WebSocketBytes implements ByteSocket {
  readonly #socket: ServerWebSocket;

  constructor(socket: ServerWebSocket) {
    this.#socket = socket;
  }

  on(event: "data" | "error" | "close", listener: ((bytes: Uint8Array) => void) | (() => void)): void {
    if (event !== "data") this.#socket.on(event, listener as () => void);
    else this.#socket.on("message", (data) => listener(toBuffer(data)));
  }

  write(bytes: Uint8Array): void {
    this.#socket.send(bytes);
  }

  end(): void {
    this.#socket.close();
  }

  destroy(): void {
    this.#socket.terminate();
  }
}

/** The AMQP library reads nothing but buffers. */
function toBuffer(data: Uint8Array | ArrayBuffer | Uint8Array[]): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  if (data instanceof ArrayBuffer) return Buffer.from(data);
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
