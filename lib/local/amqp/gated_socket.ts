/** A stream of bytes in both directions, whatever protocol carries it. */
export interface ByteSocket {
  write(bytes: Uint8Array): unknown;
  /** Closes the socket after everything has been written. */
  end(): unknown;
  /** Closes the socket at once. */
  destroy(): unknown;
  on(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  on(event: "error" | "close", listener: () => void): unknown;
}

/**
 * The socket that the AMQP library is given. What it writes can be held back, and the socket can be closed without the
 * library's closing frames reaching the client.
 */
export class GatedSocket {
  readonly #socket: ByteSocket;
  #onData: ((bytes: Uint8Array) => void) | undefined;
  #held: (() => void)[] | undefined;
  #isMute = false;

  constructor(socket: ByteSocket) {
    this.#socket = socket;
    socket.on("data", (bytes) => this.#onData?.(bytes));
    // The close event follows, and is all that matters.
    socket.on("error", () => {});
  }

  /** Registers the library's listener for data. It needs no other: the owner of the connection handles the end. */
  on(event: string, listener: (bytes: Uint8Array) => void): void {
    if (event === "data") this.#onData = listener;
  }

  /** Called by the library before it destroys the socket. */
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

  /** Discards everything that is written from now on, and what was held back. */
  mute(): void {
    this.#isMute = true;
    this.#held = undefined;
  }

  /** Holds back what is written until {@linkcode GatedSocket.release}. */
  hold(): void {
    this.#held ??= [];
  }

  /** Writes what was held back, and stops holding back. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const action of held) this.#pass(action);
  }

  /** Required by the library, which writes the name to its log. */
  get_id_string(): string {
    return "client";
  }

  #pass(action: () => void): void {
    if (this.#isMute) return;
    if (this.#held === undefined) action();
    else this.#held.push(action);
  }
}
