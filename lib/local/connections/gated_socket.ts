import { Buffer } from "node:buffer";
import { batchFrames } from "../../amqp_wire/frame_batching.ts";

/** A stream of bytes in both directions, whatever protocol carries it. */
export interface ByteSocket {
  /** How many bytes wait to be sent; left out by runtimes that do not tell. */
  readonly writableLength?: number;
  /** The port by which the client has come; left out by what is no socket. */
  readonly localPort?: number | undefined;
  write(bytes: Uint8Array): unknown;
  /** Closes the socket after everything has been written. */
  end(): unknown;
  /** Closes the socket at once. */
  destroy(): unknown;
  on(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  on(event: "error" | "close", listener: () => void): unknown;
}

/**
 * The socket that the code of a protocol is given. What it writes in one turn goes out together. It can be held back, and
 * the socket can be closed without what is written last reaching the client.
 */
export class GatedSocket {
  readonly #socket: ByteSocket;
  #onData: ((bytes: Uint8Array) => void) | undefined;
  #held: (() => void)[] | undefined;
  #isMute = false;
  readonly #flush: () => void;

  constructor(socket: ByteSocket) {
    this.#socket = socket;
    this.#flush = batchFrames(this, (chunks) => Buffer.concat(chunks));
    socket.on("data", (bytes) => this.#onData?.(bytes));
    // The close event follows, and is all that matters.
    socket.on("error", () => {});
  }

  /** Registers the listener for data. There is no other: the owner of the connection handles the end. */
  on(event: string, listener: (bytes: Uint8Array) => void): void {
    if (event === "data") this.#onData = listener;
  }

  /** Called by the AMQP library before it destroys the socket. */
  removeAllListeners(event: string): void {
    if (event === "data") this.#onData = undefined;
  }

  /** How many bytes wait for the client to take them. */
  get unsentBytes(): number {
    return this.#socket.writableLength ?? 0;
  }

  write(bytes: Uint8Array): void {
    this.#pass(() => this.#socket.write(bytes));
  }

  end(): void {
    this.#pass(() => this.#socket.end());
  }

  destroy(): void {
    this.mute();
    this.#socket.destroy();
  }

  /** Discards everything that is written from now on, and what was held back. */
  mute(): void {
    this.#flush();
    this.#isMute = true;
    this.#held = undefined;
  }

  /** Holds back what is written until {@linkcode GatedSocket.release}. */
  hold(): void {
    this.#flush();
    this.#held ??= [];
  }

  /** Writes what was held back, and stops holding back. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const action of held) this.#pass(action);
  }

  /** Required by the AMQP library, which writes the name to its log. */
  get_id_string(): string {
    return "client";
  }

  #pass(action: () => void): void {
    if (this.#isMute) return;
    if (this.#held === undefined) action();
    else this.#held.push(action);
  }
}
