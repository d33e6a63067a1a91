import { HubFault } from "../hub_fault.ts";

const MEBIBYTE = 1024 * 1024;

/** How much all blobs of a hub may hold, with the blocks that are not committed yet. They are kept in memory. */
export const MAX_STORED_BYTES: number = 1024 * MEBIBYTE;

/** Counts what all blobs of a hub hold. */
export class BlobSpace {
  readonly #limit: number;
  #used = 0;

  constructor(limit: number = MAX_STORED_BYTES) {
    this.#limit = limit;
  }

  /**
   * Checks that there is space.
   *
   * @throws {HubFault} `InsufficientStorage` (507) when there is not enough.
   */
  check(size: number): void {
    if (size <= 0 || this.#used + size <= this.#limit) return;
    throw new HubFault(
      "InsufficientStorage",
      507,
      `The local hub keeps blobs in memory, ${this.#limit / MEBIBYTE} MiB in all: delete some before you write more`,
    );
  }

  /**
   * Takes space, or gives some back.
   *
   * @param size The bytes that are added; less than 0 for those that are removed.
   * @throws {HubFault} `InsufficientStorage` (507) when there is not enough left. Then nothing is taken.
   */
  take(size: number): void {
    this.check(size);
    this.#used += size;
  }
}
