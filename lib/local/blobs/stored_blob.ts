import type { BlobContent } from "./blob_content.ts";

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

/** A block that no list has committed yet, and the name of the blob that it is for. */
export interface UncommittedBlock {
  readonly name: string;
  readonly id: string;
  readonly content: BlobContent;
}
