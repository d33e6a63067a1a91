import { Buffer } from "node:buffer";
import { joinBytes } from "../../lib/values/join_bytes.ts";
import { latin1 } from "./http_message.ts";
import { WebSocketFraming } from "./web_socket_frames.ts";
import { upgradeAnswer, upgradeRequest, type WebSocketManner } from "./web_socket_upgrade.ts";

/** One side of what carries the bytes of AMQP: a socket alone, or a WebSocket on it. */
export interface AmqpCarrier {
  /** What has to be written before anything else. */
  readonly opening: Uint8Array;
  /** What is written to the socket for these bytes. */
  write(bytes: Uint8Array): Uint8Array;
  /** Takes what comes from the socket; returns the bytes that it carries, and what has to be written at once. */
  read(chunk: Uint8Array): { readonly carried: readonly Uint8Array[]; readonly reply?: Uint8Array };
}

const NOTHING = new Uint8Array();

/** Carries bytes as they are. */
export const BARE: AmqpCarrier = {
  opening: NOTHING,
  write: (bytes) => bytes,
  read: (chunk) => ({ carried: [chunk] }),
};

const END_OF_HEAD = "\r\n\r\n";

/** Carries bytes in a WebSocket, from its upgrade on. */
export class WebSocketCarrier implements AmqpCarrier {
  readonly opening: Uint8Array;
  readonly #manner: WebSocketManner;
  readonly #isClient: boolean;
  readonly #framing: WebSocketFraming;
  /** The beginning of the other side's request or answer, until it is whole. */
  #head: Uint8Array | undefined = NOTHING;

  constructor(isClient: boolean, manner: WebSocketManner, subprotocol?: string) {
    this.#manner = manner;
    this.#isClient = isClient;
    this.#framing = new WebSocketFraming(isClient, manner.frames);
    this.opening = isClient ? Buffer.from(upgradeRequest(manner.upgrade, subprotocol), "latin1") : NOTHING;
  }

  write(bytes: Uint8Array): Uint8Array {
    return this.#framing.write(bytes);
  }

  read(chunk: Uint8Array): { carried: readonly Uint8Array[]; reply?: Uint8Array } {
    if (this.#head === undefined) return { carried: this.#framing.read(chunk) };
    this.#head = joinBytes([this.#head, chunk]);
    const head = latin1(this.#head);
    const length = head.indexOf(END_OF_HEAD) + END_OF_HEAD.length;
    if (length < END_OF_HEAD.length) return { carried: [] };
    const rest = this.#head.subarray(length);
    this.#head = undefined;
    const carried = this.#framing.read(rest);
    return this.#isClient
      ? { carried }
      : { carried, reply: Buffer.from(upgradeAnswer(head, this.#manner.upgrade), "latin1") };
  }
}
