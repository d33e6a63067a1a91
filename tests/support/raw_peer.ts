import { connect, type Socket } from "node:net";
import { begin, type Bytes, frame, header, open } from "./amqp_bytes.ts";

/** A client of a hub that writes bytes, whatever they are. */
export class RawPeer implements Disposable {
  readonly #socket: Socket;
  readonly #received: Uint8Array[] = [];
  /** Resolves with all that the hub has sent, as text, when the hub has closed the socket. */
  readonly answered: Promise<string>;

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.on("data", (bytes: Uint8Array) => this.#received.push(bytes));
    this.#socket.on("error", () => {});
    this.answered = new Promise((resolve) => {
      this.#socket.on("close", () => resolve(this.#received.map((bytes) => latin1(bytes)).join("")));
    });
  }

  write(...parts: Bytes[]): void {
    this.#socket.write(Uint8Array.from(parts.flat()));
  }

  /** What the hub says to bytes that follow on a session that has begun: the condition of its close. */
  static async refusal(port: number, ...frames: Bytes[]): Promise<string | undefined> {
    return await this.answerTo(port, header(), frame(open()), frame(begin()), ...frames);
  }

  /** The condition with which the hub closes a connection on which these bytes come; `undefined` if it names none. */
  static async answerTo(port: number, ...parts: Bytes[]): Promise<string | undefined> {
    using peer = new RawPeer(port);
    peer.write(...parts);
    return (await peer.answered).match(/\xa3.(amqp:(?!close)[a-z:-]+)/s)?.[1];
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
