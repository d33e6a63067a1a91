import type { AmqpBytes } from "./buffer_class.ts";
import { setOwn } from "../values/own_member.ts";

/** The bytes of a value of fixed width, by the high half of its code. */
const WIDTHS: readonly number[] = [0, 0, 0, 0, 0, 1, 2, 4, 8, 16];

/** Reads values in the type system of AMQP 1.0 from bytes that have been checked. */
export class ValueReader {
  readonly #bytes: AmqpBytes;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: AmqpBytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.byteLength;
  }

  /** Reads the descriptor of a value, which follows. */
  descriptor(): unknown {
    this.#at++;
    return this.value();
  }

  list(): unknown[] {
    const values: unknown[] = [];
    for (let left = this.#count(); left > 0; left--) values.push(this.value());
    return values;
  }

  /** Reads a map whose keys are texts. */
  map(): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    for (let left = this.#count(); left > 0; left -= 2) setOwn(map, this.value() as string, this.value());
    return map;
  }

  /** Reads a value: `undefined` for one that consists of others, a `bigint` for a whole number that is no safe one. */
  value(): unknown {
    const code = this.#bytes[this.#at++]!;
    const at = this.#at;
    if (code < 0xa0) {
      this.#at += WIDTHS[code >> 4]!;
      return this.#fixed(code, at);
    }
    const isWide = (code & 0x10) !== 0;
    const start = at + (isWide ? 4 : 1);
    this.#at = start + (isWide ? this.#view.getUint32(at) : this.#bytes[at]!);
    switch (code & ~0x10) {
      case 0xa0:
        return this.#bytes.subarray(start, this.#at);
      case 0xa1:
      case 0xa3:
        return this.#bytes.toString("utf8", start, this.#at);
    }
    return undefined;
  }

  #fixed(code: number, at: number): unknown {
    const view = this.#view;
    switch (code) {
      case 0x00: // described
        this.value();
        this.value();
        return undefined;
      case 0x40:
        return null;
      case 0x41:
        return true;
      case 0x42:
        return false;
      case 0x43:
      case 0x44:
        return 0;
      case 0x56:
        return this.#bytes[at] === 1;
      case 0x50:
      case 0x52:
      case 0x53:
        return this.#bytes[at];
      case 0x51:
      case 0x54:
      case 0x55:
        return view.getInt8(at);
      case 0x60:
        return view.getUint16(at);
      case 0x61:
        return view.getInt16(at);
      case 0x70:
        return view.getUint32(at);
      case 0x71:
        return view.getInt32(at);
      case 0x72:
        return view.getFloat32(at);
      case 0x80:
        return small(view.getBigUint64(at));
      case 0x81:
        return small(view.getBigInt64(at));
      case 0x82:
        return view.getFloat64(at);
      case 0x83:
        return new Date(Number(view.getBigInt64(at)));
      case 0x98:
        return this.#bytes.subarray(at, this.#at);
    }
    return undefined;
  }

  /** Reads how many values a list or a map has, which follow. */
  #count(): number {
    const code = this.#bytes[this.#at]!;
    if (code === 0x45) {
      this.#at++;
      return 0;
    }
    const isWide = (code & 0x10) !== 0;
    this.#at += isWide ? 9 : 3;
    return isWide ? this.#view.getUint32(this.#at - 4) : this.#bytes[this.#at - 1]!;
  }
}

function small(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
