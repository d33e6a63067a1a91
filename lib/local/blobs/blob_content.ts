/** The bytes of a block or a blob, in pieces. They are never changed in place, so that contents can share them. */
export interface BlobContent {
  readonly pieces: readonly Uint8Array<ArrayBuffer>[];
  readonly size: number;
}

/** A part of a content: from the first byte up to the one before `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const PIECE_BYTES = 64 * 1024;

/** Collects bytes that come in pieces of any size, and copies them into pieces of a good one. */
export class ContentBuilder {
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];
  #last: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #used = 0;
  #size = 0;

  /** How many bytes were added. */
  get size(): number {
    return this.#size;
  }

  /** Adds bytes, which stay the caller's. */
  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#used === this.#last.length) this.#extend();
      const part = bytes.subarray(at, at + this.#last.length - this.#used);
      this.#last.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
    }
    this.#size += bytes.length;
  }

  /** Returns what was added. Nothing can be added afterwards. */
  build(): BlobContent {
    if (this.#used > 0) this.#pieces.push(this.#last.slice(0, this.#used));
    return { pieces: this.#pieces, size: this.#size };
  }

  #extend(): void {
    if (this.#used > 0) this.#pieces.push(this.#last);
    this.#last = new Uint8Array(PIECE_BYTES);
    this.#used = 0;
  }
}

/** Returns bytes as a content. They stay the caller's. */
export function contentOf(bytes: Uint8Array): BlobContent {
  const builder = new ContentBuilder();
  builder.add(bytes);
  return builder.build();
}

/** Puts contents one after another. Their bytes are not copied. */
export function joinContents(contents: readonly BlobContent[]): BlobContent {
  return {
    pieces: contents.flatMap(({ pieces }) => pieces),
    size: contents.reduce((size, content) => size + content.size, 0),
  };
}

/** Yields the pieces of a part of a content. */
export function* piecesIn(content: BlobContent, { start, end }: ByteRange): Generator<Uint8Array<ArrayBuffer>> {
  let at = 0;
  for (const piece of content.pieces) {
    if (at >= end) return;
    const [from, to] = [Math.max(start - at, 0), Math.min(end - at, piece.byteLength)];
    if (from < to) yield piece.subarray(from, to);
    at += piece.byteLength;
  }
}

/** Presents a part of a content as the body of a response. Whoever reads it may keep and change what it gets. */
export function streamOf(content: BlobContent, range: ByteRange): ReadableStream<Uint8Array<ArrayBuffer>> {
  const pieces = piecesIn(content, range);
  return new ReadableStream({
    pull(controller) {
      const { done, value } = pieces.next();
      if (done) controller.close();
      else controller.enqueue(value.slice());
    },
  });
}
