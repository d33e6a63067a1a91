import type { BlobContainer } from "../blobs/blob_container.ts";
import { type BlobContent, ContentBuilder } from "../blobs/blob_content.ts";
import { attributesOf } from "../blobs/blob_headers.ts";

const ENCODED_TOGETHER = 16_384;

/** A line of a text, and how far it has been read. */
export interface Line {
  /** Without what ends the line; `undefined` when it is too long to be read. */
  readonly text: string | undefined;
  /** Of the whole text, from 0 to 1. */
  readonly progress: number;
}

/** Yields the lines of a UTF-8 text, of which it holds one at a time and some bytes more. */
export function* readLines(content: BlobContent, maxLength: number): Generator<Line> {
  const decoder = new TextDecoder();
  let rest = "";
  let isTooLong = false;
  let size = 0;
  const line = (text: string): Line => {
    const isReadable = !isTooLong && text.length <= maxLength;
    isTooLong = false;
    return { text: isReadable ? text.replace(/\r$/, "") : undefined, progress: size / content.size };
  };
  for (const piece of content.pieces) {
    size += piece.length;
    const texts = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = texts.pop()!;
    for (const text of texts) yield line(text);
    isTooLong ||= rest.length > maxLength;
    if (isTooLong) rest = "";
  }
  rest += decoder.decode();
  if (rest !== "" || isTooLong) yield line(rest);
}

/** Writes a blob of lines, which is there as a whole or not at all. */
export class LineWriter {
  readonly #container: BlobContainer;
  readonly #encoder = new TextEncoder();
  readonly #builder = new ContentBuilder();
  #lines = "";

  constructor(container: BlobContainer) {
    this.#container = container;
  }

  /**
   * Adds a line.
   *
   * @param line A text as it is, or anything else as JSON.
   * @throws {HubFault} `InsufficientStorage` (507) when the lines become too many to keep.
   */
  add(line: unknown): void {
    this.#lines += `${typeof line === "string" ? line : JSON.stringify(line)}\n`;
    if (this.#lines.length > ENCODED_TOGETHER) this.#encode();
  }

  /**
   * Writes the blob. Nothing can be added afterwards.
   *
   * @throws {HubFault} `InsufficientStorage` (507).
   */
  save(name: string): void {
    this.#encode();
    this.#container.write(name, this.#builder.build(), attributesOf("text/plain; charset=utf-8"));
  }

  #encode(): void {
    this.#builder.add(this.#encoder.encode(this.#lines));
    this.#lines = "";
    this.#container.checkSpace(this.#builder.size);
  }
}
