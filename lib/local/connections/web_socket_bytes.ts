import { Buffer } from "node:buffer";
import type { ByteSocket } from "./gated_socket.ts";

/** The part of a socket of the package `ws` that is used here. */
export interface ServerWebSocket {
  readonly bufferedAmount: number;
  send(bytes: Uint8Array): void;
  close(): void;
  terminate(): void;
  on(event: string, listener: (data: Uint8Array | ArrayBuffer | Uint8Array[]) => void): unknown;
}

/** Presents a WebSocket as a stream of bytes, since protocols ignore where one WebSocket message ends. */
export class WebSocketBytes implements ByteSocket {
  readonly #socket: ServerWebSocket;
  readonly localPort: number | undefined;

  /** @param localPort The port by which the client has come. */
  constructor(socket: ServerWebSocket, localPort: number | undefined) {
    this.#socket = socket;
    this.localPort = localPort;
  }

  on(event: "data" | "error" | "close", listener: ((bytes: Uint8Array) => void) | (() => void)): void {
    if (event !== "data") this.#socket.on(event, listener as () => void);
    else this.#socket.on("message", (data) => listener(toBuffer(data)));
  }

  get writableLength(): number {
    return this.#socket.bufferedAmount;
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

/** The libraries for the protocols can read only a `Buffer`. */
function toBuffer(data: Uint8Array | ArrayBuffer | Uint8Array[]): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  if (data instanceof ArrayBuffer) return Buffer.from(data);
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
