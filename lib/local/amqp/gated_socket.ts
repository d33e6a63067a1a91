/** Bytes in both directions, whatever carries them. */
export interface ByteSocket {
  write(bytes: Uint8Array): unknown;
  /** Closes in order, when everything is written. */
  end(): unknown;
  /** Closes at once. */
  destroy(): unknown;
  on(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  on(event: "error" | "close", listener: () => void): unknown;
}

/**
 * The socket that the AMQP library gets to see: one whose outgoing side can be held back, and that can be cut without a
 * word of farewell.
 */
export class GatedSocket {
  readonly #socket: ByteSocket;
  #onData: ((bytes: Uint8Array) => void) | undefined;
  #held: (() => void)[] | undefined;
  #isMute = false;

  constructor(socket: ByteSocket) {
    this.#socket = socket;
    socket.on("data", (bytes) => this.#onData?.(bytes));
    // What matters of an error is the end of the socket, which follows.
    socket.on("error", () => {});
  }

  /** The library's listener. It is told of the end by its connection's owner, and of errors never. */
  on(event: string, listener: (bytes: Uint8Array) => void): void {
    if (event === "data") this.#onData = listener;
  }

  /** The library calls this before it destroys the socket. */
  removeAllListeners(event: string): void {
    if (event === "data") this.#onData = undefined;
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

  /** Nothing goes out any more, not even what was held back. */
  mute(): void {
    this.#isMute = true;
    this.#held = undefined;
  }

  /** Keeps what is written, until {@linkcode GatedSocket.letGo}. */
  hold(): void {
    this.#held ??= [];
  }

  letGo(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const action of held) this.#pass(action);
  }

  /** The name that the library wants for its log; the property is its own. */
  get_id_string(): string {
    return "client";
  }

  #pass(action: () => void): void {
    if (this.#isMute) return;
    if (this.#held === undefined) action();
    else this.#held.push(action);
  }
}
