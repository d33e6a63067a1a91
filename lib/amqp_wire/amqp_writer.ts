/**
 * Writes values in the type system of AMQP 1.0 into a growing array. Texts must be ASCII, as all texts of a checked
 * message are: their length in bytes is then known, and a plain loop is the fastest way to copy them. Others can be given
 * as their bytes.
 */
export class AmqpWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  #view: DataView = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Returns what was written since the last call, as a view that is valid until the next write. */
  take(): Uint8Array {
    const written = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return written;
  }

  /** Writes the descriptor of a message section, a small ulong. */
  section(descriptor: number): void {
    this.#reserve(3);
    this.#bytes[this.#length++] = 0x00;
    this.#bytes[this.#length++] = 0x53;
    this.#bytes[this.#length++] = descriptor;
  }

  /** Opens a list, and returns the mark to pass to {@linkcode AmqpWriter.end}. */
  beginList(): number {
    return this.#begin(0xd0);
  }

  /** Opens a map, and returns the mark to pass to {@linkcode AmqpWriter.end}. */
  beginMap(): number {
    return this.#begin(0xd1);
  }

  #begin(constructor: number): number {
    this.#reserve(9);
    this.#bytes[this.#length++] = constructor;
    const mark = this.#length;
    this.#length += 8; // size and count, known at the end
    return mark;
  }

  /** Closes the list or map that was opened at `mark`; `count` counts both the keys and the values of a map. */
  end(mark: number, count: number): void {
    this.#view.setUint32(mark, this.#length - mark - 4);
    this.#view.setUint32(mark + 4, count);
  }

  null(): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = 0x40;
  }

  boolean(value: boolean): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value ? 0x41 : 0x42;
  }

  /**
   * Writes an int or a long for a whole number and a double for any other, so that a reader gets the same number back.
   */
  number(value: number): void {
    this.#reserve(9);
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      this.#bytes[this.#length++] = 0x82;
      this.#view.setFloat64(this.#length, value);
      this.#length += 8;
    } else if (value === (value | 0)) {
      this.#bytes[this.#length++] = 0x71;
      this.#view.setInt32(this.#length, value);
      this.#length += 4;
    } else {
      this.#long(0x81, value);
    }
  }

  long(value: number): void {
    this.#long(0x81, value);
  }

  /** Writes a point in time, in milliseconds since 1970. */
  timestamp(value: number): void {
    this.#long(0x83, value);
  }

  #long(constructor: number, value: number): void {
    this.#reserve(9);
    this.#bytes[this.#length++] = constructor;
    this.#view.setInt32(this.#length, Math.floor(value / 2 ** 32));
    this.#view.setInt32(this.#length + 4, value);
    this.#length += 8;
  }

  string(value: string): void {
    this.#sized(value.length, 0xa1);
    this.#ascii(value);
  }

  /** Writes a text that is UTF-8 already. */
  utf8(value: Uint8Array): void {
    this.#block(value, 0xa1);
  }

  symbol(value: string): void {
    this.#sized(value.length, 0xa3);
    this.#ascii(value);
  }

  /** Writes ASCII text as binary. */
  binaryText(value: string): void {
    this.#sized(value.length, 0xa0);
    this.#ascii(value);
  }

  binary(value: Uint8Array): void {
    this.#block(value, 0xa0);
  }

  #block(value: Uint8Array, constructor: number): void {
    this.#sized(value.byteLength, constructor);
    this.#bytes.set(value, this.#length);
    this.#length += value.byteLength;
  }

  /**
   * Writes the constructor and the size of what follows. The constructor of the long form is 16 above the short one's.
   */
  #sized(size: number, constructor: number): void {
    this.#reserve(5 + size);
    if (size <= 255) {
      this.#bytes[this.#length++] = constructor;
      this.#bytes[this.#length++] = size;
    } else {
      this.#bytes[this.#length++] = constructor + 0x10;
      this.#view.setUint32(this.#length, size);
      this.#length += 4;
    }
  }

  #ascii(value: string): void {
    for (let i = 0; i < value.length; i++) this.#bytes[this.#length++] = value.charCodeAt(i);
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.byteLength) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.byteLength, this.#length + size));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
