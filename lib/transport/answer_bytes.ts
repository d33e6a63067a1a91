/** What an answer that is not a success may have at most: a hub's errors are short. */
const MAX_ERROR_BYTES = 2 ** 20;

/** A byte order mark is left out, and each byte that is not UTF-8 becomes U+FFFD. */
const DECODER = new TextDecoder();

/** How many bytes the body of an answer may have, once it is decompressed. */
export function maxBytesOf(status: number, maxResponseBytes: number): number {
  return status >= 200 && status < 300 ? maxResponseBytes : Math.min(maxResponseBytes, MAX_ERROR_BYTES);
}

/** Chunks that are smaller are put together in blocks of this size. */
const BLOCK_SIZE = 65_536;

/**
 * Collects the body of an answer up to a limit. The body usually comes in one chunk, which is not copied. Small chunks go
 * into blocks, since each kept on its own could take a hundred times its size; one buffer that grows would for a while take
 * three times the size of the body.
 */
export class AnswerBytes {
  readonly #limit: number;
  readonly #blocks: Uint8Array[] = [];
  #length = 0;
  /** How much of the last block is free. */
  #room = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds a chunk. Returns whether the body is still within the limit. */
  add(chunk: Uint8Array): boolean {
    this.#length += chunk.length;
    if (this.#length > this.#limit) return false;
    if (this.#blocks.length === 0 || chunk.length >= BLOCK_SIZE) {
      this.#endBlock();
      this.#blocks.push(chunk);
    } else {
      this.#copy(chunk);
    }
    return true;
  }

  text(): string {
    this.#endBlock();
    if (this.#blocks.length === 1) return DECODER.decode(this.#blocks[0]!);
    const decoder = new TextDecoder();
    // A character may begin in one block and end in the next.
    return this.#blocks.map((block) => decoder.decode(block, { stream: true })).join("") + decoder.decode();
  }

  #copy(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#room === 0) {
        this.#blocks.push(new Uint8Array(BLOCK_SIZE));
        this.#room = BLOCK_SIZE;
      }
      const part = rest.subarray(0, this.#room);
      this.#blocks.at(-1)!.set(part, BLOCK_SIZE - this.#room);
      this.#room -= part.length;
      rest = rest.subarray(part.length);
    }
  }

  /** Cuts what is free from the last block. */
  #endBlock(): void {
    if (this.#room > 0) this.#blocks.push(this.#blocks.pop()!.subarray(0, BLOCK_SIZE - this.#room));
    this.#room = 0;
  }
}
