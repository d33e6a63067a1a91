/**
 * Where a run keeps what is done: lines of text that are only ever added. {@linkcode fileJournal} keeps them in a file; any
 * other store can be used by two functions. The lines hold positions, etags and SHA-256 digests, and no key.
 */
export interface Journal {
  /** Returns the lines of earlier runs in their order; none if there was no run. The last one may be incomplete. */
  read(): AsyncIterable<string>;
  /** Adds lines for good. A run goes on when this resolves, and ends if it rejects. */
  append(lines: string[]): Promise<void>;
}
