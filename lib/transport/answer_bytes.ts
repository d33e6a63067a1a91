/** What an answer that is not a success may have at most: a hub's errors are short. */
const MAX_ERROR_BYTES = 2 ** 20;

/** A byte order mark is left out, and each byte that is not UTF-8 becomes U+FFFD. */
const DECODER = new TextDecoder();

/** How many bytes the body of an answer may have, once it is decompressed. */
export function maxBytesOf(status: number, maxResponseBytes: number): number {
  return status >= 200 && status < 300 ? maxResponseBytes : Math.min(maxResponseBytes, MAX_ERROR_BYTES);
}

/**
 * Collects the body of an answer up to a limit. The body usually comes in one chunk, which is not copied. Many small chunks
 * go into one buffer, since each kept on its own could take a hundred times its size.
 */
export class AnswerBytes {
  readonly #limit: number;
  #bytes: Uint8Array = new Uint8Array();
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds a chunk. Returns whether the body is still within the limit. */
  add(chunk: Uint8Array): boolean {
    const length = this.#length + chunk.length;
    if (length > this.#limit) return false;
    if (this.#length === 0) {
      this.#bytes = chunk;
    } else {
      // The first chunk fills its own bytes, so this never writes to them.
      if (length > this.#bytes.length) this.#grow(length);
      this.#bytes.set(chunk, this.#length);
    }
    this.#length = length;
    return true;
  }

  text(): string {
    return DECODER.decode(this.#bytes.subarray(0, this.#length));
  }

  #grow(length: number): void {
    const bytes = new Uint8Array(Math.min(2 * length, this.#limit));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }
}
