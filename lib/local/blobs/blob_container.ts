import { HubFault } from "../hub_fault.ts";
import { type BlobContent, joinContents } from "./blob_content.ts";
import type { BlobSpace } from "./blob_space.ts";
import type { BlockReference } from "./block_list.ts";

/** What a writer says of a blob besides its content. */
export interface BlobAttributes {
  /** The headers with which the blob is read, such as `content-type`, by their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names and values of the writer's own. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A blob. It is never changed in place: a write makes a new one. */
export interface StoredBlob extends BlobAttributes {
  readonly name: string;
  readonly content: BlobContent;
  /** The blocks that it consists of, by their ids; none when it was written at once. */
  readonly blocks: ReadonlyMap<string, BlobContent>;
  /** Differs after each write. Without quotes. */
  readonly etag: string;
  /** Milliseconds since the epoch, as is the next. */
  readonly createdOn: number;
  readonly lastModified: number;
}

/** When a write takes place, and the etag for it. */
export type StampWrite = () => Pick<StoredBlob, "etag" | "lastModified">;

const MAX_UNCOMMITTED_BLOCKS = 100_000;
/** What a blob or a block takes besides what is in it. */
const OVERHEAD = 512;
const NO_BLOCKS: ReadonlyMap<string, BlobContent> = new Map();

/** Blobs by their names. It knows neither requests nor rights. */
export class BlobContainer {
  readonly name: string;
  readonly #space: BlobSpace;
  readonly #stamp: StampWrite;
  readonly #blobs = new Map<string, StoredBlob>();
  readonly #uncommitted = new Map<string, Map<string, BlobContent>>();

  constructor(name: string, space: BlobSpace, stamp: StampWrite) {
    this.name = name;
    this.#space = space;
    this.#stamp = stamp;
  }

  /** The blobs, in the order of their names. */
  get blobs(): StoredBlob[] {
    return [...this.#blobs.values()].sort((one, other) => one.name < other.name ? -1 : 1);
  }

  /** Returns a blob; `undefined` when it does not exist, or has uncommitted blocks only. */
  find(name: string): StoredBlob | undefined {
    return this.#blobs.get(name);
  }

  /**
   * Returns a blob.
   *
   * @throws {HubFault} `BlobNotFound` (404) when it does not exist.
   */
  require(name: string): StoredBlob {
    const blob = this.#blobs.get(name);
    if (blob === undefined) {
      throw new HubFault("BlobNotFound", 404, `The container ${this.name} has no blob ${JSON.stringify(name)}`);
    }
    return blob;
  }

  /**
   * Checks, before a content is there, that the hub has space for it.
   *
   * @throws {HubFault} `InsufficientStorage` (507) when it has not.
   */
  checkSpace(size: number): void {
    this.#space.check(size);
  }

  /**
   * Writes a blob at once, in place of what is there, uncommitted blocks included.
   *
   * @throws {HubFault} `InsufficientStorage` (507).
   */
  write(name: string, content: BlobContent, attributes: BlobAttributes): StoredBlob {
    return this.#replace(name, content, NO_BLOCKS, attributes);
  }

  /**
   * Keeps a block until a list commits it, in place of an uncommitted one with the same id.
   *
   * @throws {HubFault} `InvalidBlobOrBlock` (400), `BlockCountExceedsLimit` (409) or `InsufficientStorage` (507).
   */
  writeBlock(name: string, id: string, content: BlobContent): void {
    const blocks = this.#uncommitted.get(name) ?? new Map<string, BlobContent>();
    for (const other of blocks.keys()) {
      if (other.length === id.length) break;
      throw new HubFault("InvalidBlobOrBlock", 400, "The ids of all blocks of a blob must have the same length");
    }
    if (blocks.size >= MAX_UNCOMMITTED_BLOCKS && !blocks.has(id)) {
      throw new HubFault(
        "BlockCountExceedsLimit",
        409,
        `The blob has ${MAX_UNCOMMITTED_BLOCKS} uncommitted blocks and cannot have more: commit some of them`,
      );
    }
    const before = blocks.get(id);
    this.#space.take(OVERHEAD + content.size - (before === undefined ? 0 : OVERHEAD + before.size));
    blocks.set(id, content);
    this.#uncommitted.set(name, blocks);
  }

  /**
   * Makes blocks a blob, in the order of the list. Uncommitted blocks that it does not name are dropped.
   *
   * @throws {HubFault} `InvalidBlockList` (400) when a block does not exist, or `InsufficientStorage` (507).
   */
  commit(name: string, list: readonly BlockReference[], attributes: BlobAttributes): StoredBlob {
    const uncommitted = this.#uncommitted.get(name) ?? NO_BLOCKS;
    const committed = this.#blobs.get(name)?.blocks ?? NO_BLOCKS;
    const blocks = new Map<string, BlobContent>();
    const contents = list.map(({ from, id }) => {
      const content = (from === "Committed" ? undefined : uncommitted.get(id)) ??
        (from === "Uncommitted" ? undefined : committed.get(id));
      if (content === undefined) {
        throw new HubFault("InvalidBlockList", 400, "The list names a block that does not exist: write it first");
      }
      blocks.set(id, content);
      return content;
    });
    return this.#replace(name, joinContents(contents), blocks, attributes);
  }

  /** Drops the blocks of a blob that no list has committed. */
  dropUncommitted(name: string): void {
    this.#space.take(-this.#sizeOfUncommitted(name));
    this.#uncommitted.delete(name);
  }

  /** Deletes a blob with its uncommitted blocks. */
  delete(blob: StoredBlob): void {
    this.#space.take(-sizeOf(blob) - this.#sizeOfUncommitted(blob.name));
    this.#blobs.delete(blob.name);
    this.#uncommitted.delete(blob.name);
  }

  #replace(
    name: string,
    content: BlobContent,
    blocks: ReadonlyMap<string, BlobContent>,
    { headers, metadata }: BlobAttributes,
  ): StoredBlob {
    const before = this.#blobs.get(name);
    const stamp = this.#stamp();
    const createdOn = before?.createdOn ?? stamp.lastModified;
    const blob: StoredBlob = { name, content, blocks, headers, metadata, createdOn, ...stamp };
    this.#space.take(sizeOf(blob) - (before === undefined ? 0 : sizeOf(before)) - this.#sizeOfUncommitted(name));
    this.#blobs.set(name, blob);
    this.#uncommitted.delete(name);
    return blob;
  }

  #sizeOfUncommitted(name: string): number {
    let size = 0;
    for (const content of this.#uncommitted.get(name)?.values() ?? []) size += OVERHEAD + content.size;
    return size;
  }
}

function sizeOf({ name, content, headers, metadata }: StoredBlob): number {
  return OVERHEAD + content.size + JSON.stringify([name, headers, metadata]).length;
}
