import type { EventContent, StoredEvent } from "./stored_event.ts";

/**
 * One partition of the events: the seam behind which they are stored. Events are added at its end and removed from its
 * beginning.
 */
export interface EventPartition {
  readonly id: string;
  /** The number of the oldest event that is there; that of the next one where there is none. */
  readonly first: number;
  /** The number that the next event gets. */
  readonly next: number;
  /** The last event that was ever added, also when it is no longer there. */
  readonly last: Pick<StoredEvent, "sequenceNumber" | "offset" | "order" | "enqueuedTime"> | undefined;
  /** Returns an event; `undefined` when it is not there. */
  at(sequenceNumber: number): StoredEvent | undefined;
  /** Adds an event, which makes the offset of the next one higher by its size. */
  append(content: EventContent, place: Pick<StoredEvent, "order" | "enqueuedTime">, size: number): void;
  /** Removes the events before one. */
  dropBefore(sequenceNumber: number): void;
}

/** How many events that were removed may take a place in the list. */
const MOST_GAPS = 1_024;

/** Keeps a partition in memory. */
export class MemoryEventPartition implements EventPartition {
  readonly id: string;
  #events: (StoredEvent | undefined)[] = [];
  /** The number of the first place of the list. */
  #start = 0;
  #first = 0;
  #nextOffset = 0;
  #last: StoredEvent | undefined;

  constructor(id: string) {
    this.id = id;
  }

  get first(): number {
    return this.#first;
  }

  get next(): number {
    return this.#start + this.#events.length;
  }

  get last(): StoredEvent | undefined {
    return this.#last;
  }

  at(sequenceNumber: number): StoredEvent | undefined {
    return this.#events[sequenceNumber - this.#start];
  }

  append(content: EventContent, place: Pick<StoredEvent, "order" | "enqueuedTime">, size: number): void {
    const { id: partitionId, next: sequenceNumber } = this;
    const event = { ...content, ...place, partitionId, sequenceNumber, offset: this.#nextOffset };
    this.#nextOffset += size;
    this.#events.push(event);
    this.#last = event;
  }

  dropBefore(sequenceNumber: number): void {
    const end = Math.min(sequenceNumber, this.next);
    for (; this.#first < end; this.#first++) this.#events[this.#first - this.#start] = undefined;
    const gaps = this.#first - this.#start;
    if (gaps < MOST_GAPS || gaps < this.#events.length / 2) return;
    this.#events = this.#events.slice(gaps);
    this.#start = this.#first;
  }
}
