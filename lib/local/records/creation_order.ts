/** With fewer gaps than this it is not worth closing them. */
const MIN_GAPS = 64;

/**
 * Records in the order of their creation. A page of a query starts after the sequence number at which the previous page
 * ended, so records that are added or removed between two pages do not shift the others.
 */
export class CreationOrder<T extends { readonly sequence: number }> {
  #records: (T | undefined)[] = [];
  /** The sequence number of each place, including the places of removed records. */
  #sequences: number[] = [];
  #size = 0;
  #next = 1;

  /** The number of records. */
  get size(): number {
    return this.#size;
  }

  /**
   * Returns the sequence number for the record that is added next.
   *
   * @param kept The number that it had before, when it is read again; the higher ones come later.
   */
  nextSequence(kept: number = this.#next): number {
    this.#next = kept + 1;
    return kept;
  }

  /** Removes all records, and counts from the beginning. */
  clear(): void {
    this.#records = [];
    this.#sequences = [];
    this.#size = 0;
    this.#next = 1;
  }

  /** Adds a record, whose sequence number is the highest so far. */
  add(record: T): void {
    this.#records.push(record);
    this.#sequences.push(record.sequence);
    this.#size++;
  }

  /** Removes a record. */
  remove(record: T): void {
    const place = this.#firstPlaceAfter(record.sequence - 1);
    if (this.#records[place] !== record) return;
    this.#records[place] = undefined;
    this.#size--;
    const gaps = this.#records.length - this.#size;
    if (gaps > MIN_GAPS && gaps > this.#size) this.#closeGaps();
  }

  /** Returns the records with a higher sequence number, the oldest first. */
  after(sequence: number): Iterable<T> {
    return new Present(this.#records, this.#firstPlaceAfter(sequence));
  }

  #firstPlaceAfter(sequence: number): number {
    let low = 0;
    let high = this.#sequences.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sequences[middle]! <= sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #closeGaps(): void {
    this.#records = this.#records.filter((record) => record !== undefined);
    this.#sequences = this.#records.map((record) => record!.sequence);
  }
}

/** Goes through the records from a place on. A query takes each step of it, and a generator would take longer for that. */
class Present<T> implements IterableIterator<T> {
  readonly #records: readonly (T | undefined)[];
  #place: number;

  constructor(records: readonly (T | undefined)[], place: number) {
    this.#records = records;
    this.#place = place;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<T, undefined> {
    while (this.#place < this.#records.length) {
      const value = this.#records[this.#place++];
      if (value !== undefined) return { done: false, value };
    }
    return { done: true, value: undefined };
  }
}
