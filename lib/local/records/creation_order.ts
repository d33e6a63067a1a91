/** Below this many dead places it is not worth closing the gaps. */
const MIN_GAPS = 64;

/**
 * Records in the order of their creation. A page of a query goes on after the number where the page before it ended:
 * records that come and go between two pages move nobody.
 */
export class CreationOrder<T extends { readonly sequence: number }> {
  #records: (T | undefined)[] = [];
  /** The sequence number of each place, kept for places whose record is gone. */
  #sequences: number[] = [];
  #size = 0;
  #next = 1;

  /** How many records there are. */
  get size(): number {
    return this.#size;
  }

  /** The number for a record that is about to be added. */
  nextSequence(): number {
    return this.#next++;
  }

  add(record: T): void {
    this.#records.push(record);
    this.#sequences.push(record.sequence);
    this.#size++;
  }

  remove(record: T): void {
    const place = this.#firstPlaceAfter(record.sequence - 1);
    if (this.#records[place] !== record) return;
    this.#records[place] = undefined;
    this.#size--;
    const gaps = this.#records.length - this.#size;
    if (gaps > MIN_GAPS && gaps > this.#size) this.#closeGaps();
  }

  /** The records created after the one with this number, the oldest first. */
  *after(sequence: number): Generator<T, void, undefined> {
    for (let place = this.#firstPlaceAfter(sequence); place < this.#records.length; place++) {
      const record = this.#records[place];
      if (record !== undefined) yield record;
    }
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
