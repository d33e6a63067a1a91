import { MqttViolation } from "./violation.ts";

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads the fields of a packet one after another, and says where one is missing or wrong. */
export class ByteCursor {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.byteLength;
  }

  byte(): number {
    this.#require(1);
    return this.#bytes[this.#at++]!;
  }

  word(): number {
    return this.byte() * 256 + this.byte();
  }

  /** Reads bytes after their number. */
  binary(): Uint8Array {
    const size = this.word();
    this.#require(size);
    return this.#bytes.subarray(this.#at, this.#at += size);
  }

  /** Reads a text, which must be UTF-8 and have no U+0000. */
  text(): string {
    const bytes = this.binary();
    if (bytes.includes(0)) throw new MqttViolation("A text holds U+0000");
    try {
      return DECODER.decode(bytes);
    } catch {
      throw new MqttViolation("A text is not UTF-8");
    }
  }

  /** Reads a packet identifier, which must not be 0. */
  packetId(): number {
    const id = this.word();
    if (id === 0) throw new MqttViolation("A packet identifier is 0");
    return id;
  }

  /** Leaves the rest to whoever reads the packet. */
  skipRest(): void {
    this.#at = this.#bytes.byteLength;
  }

  requireEnd(): void {
    if (!this.isAtEnd) throw new MqttViolation("A packet is longer than its fields");
  }

  #require(size: number): void {
    if (this.#bytes.byteLength - this.#at < size) throw new MqttViolation("A packet ends within a field");
  }
}
