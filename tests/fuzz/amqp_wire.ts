import type { Bytes } from "../support/amqp_bytes.ts";
import { type AmqpFrame, readFrame, wordAt } from "./amqp_tree.ts";

const HEADER_SIZE = 8;

/** What a peer has written: headers of protocols, and frames. */
export type AmqpPart = { readonly protocol: number } | AmqpFrame;

/** Cuts what comes from a well-behaved peer into frames. */
export class AmqpReader {
  #bytes: number[] = [];

  /** Takes bytes as they come; returns what is whole. */
  read(chunk: Uint8Array): AmqpPart[] {
    for (const byte of chunk) this.#bytes.push(byte);
    const parts: AmqpPart[] = [];
    for (;;) {
      const isHeader = this.#bytes[0] === 0x41;
      const size = isHeader ? HEADER_SIZE : wordAt(this.#bytes, 0);
      if (this.#bytes.length < HEADER_SIZE || this.#bytes.length < size) return parts;
      const part: Bytes = this.#bytes.splice(0, size);
      parts.push(isHeader ? { protocol: part[4]! } : readFrame(part));
    }
  }
}
