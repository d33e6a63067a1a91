import { HubFault } from "../hub_fault.ts";
import { type BlobContent, joinContents } from "./blob_content.ts";
import type { BlobSpace } from "./blob_space.ts";
import type { BlockReference } from "./block_list.ts";
import type { KeptBlobs } from "./kept_blobs.ts";
import type { BlobAttributes, StoredBlob, UncommittedBlock } from "./stored_blob.ts";

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
  readonly #kept: KeptBlobs;
  readonly #blobs = new Map<string, StoredBlob>();
  readonly #uncommitted = new Map<string, Map<string, BlobContent>>();

  constructor(name: string, space: BlobSpace, stamp: StampWrite, kept: KeptBlobs) {
    this.name = name;
    this.#space = space;
    this.#stamp = stamp;
    this.#kept = kept;
  }

  /** Takes a blob that is kept. */
  loadBlob(blob: StoredBlob): void {
    this.#space.take(sizeOf(blob));
    this.#blobs.set(blob.name, blob);
  }

  /** Takes a block that is kept. */
  loadBlock({ name, id, content }: UncommittedBlock): void {
    this.#space.take(OVERHEAD + content.size);
    this.#uncommitted.set(name, (this.#uncommitted.get(name) ?? new Map<string, BlobContent>()).set(id, content));
  }

  /** Gives back the space of everything in it, when the container itself is forgotten. */
  clear(): void {
    for (const blob of this.#blobs.values()) this.#space.take(-sizeOf(blob));
    for (const { content } of this.uncommitted()) this.#space.take(-OVERHEAD - content.size);
  }

  /** Returns all blocks that no list has committed. */
  *uncommitted(): Generator<UncommittedBlock> {
    for (const name of this.#uncommitted.keys()) yield* this.#uncommittedOf(name);
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
    this.#kept.putBlock({ container: this.name, name, id, content }, before);
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
    this.#forgetUncommitted(name);
  }

  /** Deletes a blob with its uncommitted blocks. */
  delete(blob: StoredBlob): void {
    this.#space.take(-sizeOf(blob) - this.#sizeOfUncommitted(blob.name));
    this.#blobs.delete(blob.name);
    this.#kept.together(() => {
      this.#kept.deleteBlob({ container: this.name, blob });
      this.#forgetUncommitted(blob.name);
    });
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
    this.#kept.together(() => {
      this.#kept.putBlob({ container: this.name, blob }, before);
      this.#forgetUncommitted(name);
    });
    return blob;
  }

  #forgetUncommitted(name: string): void {
    this.#kept.together(() => {
      for (const block of this.#uncommittedOf(name)) this.#kept.deleteBlock({ container: this.name, ...block });
    });
    this.#uncommitted.delete(name);
  }

  *#uncommittedOf(name: string): Generator<UncommittedBlock> {
    for (const [id, content] of this.#uncommitted.get(name) ?? NO_BLOCKS) yield { name, id, content };
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
