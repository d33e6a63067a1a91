import type { HubStorage } from "../storage/hub_storage.ts";
import type { Table } from "../storage/table.ts";
import type { StoredBlob, UncommittedBlock } from "./stored_blob.ts";
import type { BlobContent } from "./blob_content.ts";

/** A blob, and the container that it is in. */
export interface KeptBlob {
  readonly container: string;
  readonly blob: StoredBlob;
}

/** A block that no list has committed yet, and the container that its blob will be in. */
export interface KeptBlock extends UncommittedBlock {
  readonly container: string;
}

/** All containers, as far as this has to know them. */
export interface KeptContainers {
  readonly names: () => Iterable<string>;
  readonly blobs: () => Iterable<KeptBlob>;
  readonly blocks: () => Iterable<KeptBlock>;
}

type Piece = Uint8Array<ArrayBuffer>;

/** The pieces of a content, by their numbers. */
type PieceList = readonly number[];

interface BlobRow extends Omit<StoredBlob, "content" | "blocks"> {
  readonly container: string;
  readonly pieces: PieceList;
  readonly blocks: readonly (readonly [id: string, pieces: PieceList])[];
}

interface BlockRow extends Omit<KeptBlock, "content"> {
  readonly pieces: PieceList;
}

/** Keeps containers, blobs and blocks, and each piece of their contents once, as they share them. */
export class KeptBlobs {
  readonly #storage: HubStorage;
  readonly #containers: Table<string>;
  readonly #pieces: Table<Piece>;
  readonly #blobs: Table<KeptBlob>;
  readonly #blocks: Table<KeptBlock>;
  readonly #numbers = new WeakMap<Piece, number>();
  /** How many blobs and blocks have a piece, by its number. */
  readonly #uses = new Map<number, number>();
  #lastNumber = 0;

  constructor(storage: HubStorage, all: KeptContainers) {
    this.#storage = storage;
    this.#containers = storage.table({
      name: "blobContainers",
      keyOf: (name) => name,
      valueOf: () => ({}),
      items: all.names,
    });
    this.#pieces = storage.table({
      name: "blobPieces",
      keyOf: (piece) => String(this.#numberOf(piece)),
      valueOf: () => ({}),
      bytesOf: (piece) => piece,
      items: () =>
        new Set([
          ...Array.from(all.blobs()).flatMap(({ blob }) => [...piecesOf(blob)]),
          ...Array.from(all.blocks()).flatMap(({ content }) => content.pieces),
        ]),
    });
    this.#blobs = storage.table({
      name: "blobs",
      keyOf: ({ container, blob }) => JSON.stringify([container, blob.name]),
      valueOf: (kept) => this.#blobRow(kept),
      items: all.blobs,
    });
    this.#blocks = storage.table({
      name: "blobBlocks",
      keyOf: ({ container, name, id }) => JSON.stringify([container, name, id]),
      valueOf: ({ content, ...block }): BlockRow => ({ ...block, pieces: this.#listOf(content) }),
      items: all.blocks,
    });
  }

  /** Does some work in one step. */
  together<T>(work: () => T): T {
    return this.#storage.together(work);
  }

  putContainer(name: string): void {
    this.#containers.put(name);
  }

  /** Keeps a blob, in place of the one that was there. */
  putBlob(kept: KeptBlob, before: StoredBlob | undefined): void {
    this.together(() => {
      this.#retain(piecesOf(kept.blob));
      this.#blobs.put(kept);
      if (before !== undefined) this.#release(piecesOf(before));
    });
  }

  deleteBlob(kept: KeptBlob): void {
    this.together(() => {
      this.#blobs.delete(kept);
      this.#release(piecesOf(kept.blob));
    });
  }

  /** Keeps a block, in place of the one that was there. */
  putBlock(block: KeptBlock, before: BlobContent | undefined): void {
    this.together(() => {
      this.#retain(block.content.pieces);
      this.#blocks.put(block);
      if (before !== undefined) this.#release(before.pieces);
    });
  }

  deleteBlock(block: KeptBlock): void {
    this.together(() => {
      this.#blocks.delete(block);
      this.#release(block.content.pieces);
    });
  }

  /** Forgets everything, but deletes nothing. */
  clear(): void {
    this.#uses.clear();
  }

  /** Reads what is kept. */
  load(
    targets: {
      readonly container: (name: string) => unknown;
      readonly blob: (kept: KeptBlob) => void;
      readonly block: (block: KeptBlock) => void;
    },
  ): void {
    const pieces = new Map<number, Piece>();
    for (const { key, bytes } of this.#pieces.read()) {
      const number = Number(key);
      const piece = bytes ?? new Uint8Array(0);
      pieces.set(number, piece);
      this.#numbers.set(piece, number);
      this.#lastNumber = Math.max(this.#lastNumber, number);
    }
    const contentOf = (list: PieceList): BlobContent => {
      const found = list.map((number) => pieces.get(number)!);
      return { pieces: found, size: found.reduce((size, { length }) => size + length, 0) };
    };
    for (const { key } of this.#containers.read()) targets.container(key);
    for (const { value } of this.#blobs.read()) {
      const { container, pieces, blocks, ...rest } = value as BlobRow;
      const blob = {
        ...rest,
        content: contentOf(pieces),
        blocks: new Map(blocks.map(([id, list]) => [id, contentOf(list)])),
      };
      this.#count(piecesOf(blob));
      targets.blob({ container, blob });
    }
    for (const { value } of this.#blocks.read()) {
      const { pieces, ...rest } = value as BlockRow;
      const block = { ...rest, content: contentOf(pieces) };
      this.#count(block.content.pieces);
      targets.block(block);
    }
  }

  #blobRow({ container, blob: { content, blocks, ...rest } }: KeptBlob): BlobRow {
    return {
      container,
      ...rest,
      pieces: this.#listOf(content),
      blocks: Array.from(blocks, ([id, block]) => [id, this.#listOf(block)]),
    };
  }

  #listOf({ pieces }: BlobContent): PieceList {
    return pieces.map((piece) => this.#numberOf(piece));
  }

  #numberOf(piece: Piece): number {
    const number = this.#numbers.get(piece) ?? ++this.#lastNumber;
    this.#numbers.set(piece, number);
    return number;
  }

  #retain(pieces: Iterable<Piece>): void {
    if (!this.#storage.isWritable) return;
    for (const piece of this.#count(pieces)) this.#pieces.put(piece);
  }

  /** Counts one use more of each piece. Returns those that had none. */
  #count(pieces: Iterable<Piece>): Piece[] {
    return [...new Set(pieces)].filter((piece) => {
      const number = this.#numberOf(piece);
      const uses = this.#uses.get(number) ?? 0;
      this.#uses.set(number, uses + 1);
      return uses === 0;
    });
  }

  #release(pieces: Iterable<Piece>): void {
    if (!this.#storage.isWritable) return;
    for (const piece of new Set(pieces)) {
      const number = this.#numberOf(piece);
      const uses = this.#uses.get(number)! - 1;
      if (uses > 0) this.#uses.set(number, uses);
      else {
        this.#uses.delete(number);
        this.#pieces.delete(piece);
      }
    }
  }
}

function piecesOf({ content, blocks }: StoredBlob): Set<Piece> {
  return new Set([...content.pieces, ...[...blocks.values()].flatMap(({ pieces }) => pieces)]);
}
