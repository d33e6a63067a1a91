import type { EventContent, StoredEvent } from "./stored_event.ts";

/** The place of the last event that was ever added to a partition, which outlasts the event. */
export type LastPlace = Pick<StoredEvent, "sequenceNumber" | "offset" | "order" | "enqueuedTime">;

/** What was kept of a partition. */
export interface KeptPartition {
  /** Without gaps, the oldest first. */
  readonly events: readonly StoredEvent[];
  readonly last: LastPlace;
  readonly nextOffset: number;
}

/** How many events that were removed may take a place in the list. */
const MOST_GAPS = 1_024;

/** One partition of the events, which are added at its end and removed from its beginning. */
export class EventPartition {
  readonly id: string;
  /** The number of the first event that was not there when the partition was made. */
  readonly firstNew: number;
  #events: (StoredEvent | undefined)[];
  /** The number of the first place of the list. */
  #start: number;
  #first: number;
  #nextOffset: number;
  #last: LastPlace | undefined;

  constructor(id: string, kept?: KeptPartition) {
    this.id = id;
    this.firstNew = (kept?.last.sequenceNumber ?? -1) + 1;
    this.#events = [...kept?.events ?? []];
    this.#start = this.firstNew - this.#events.length;
    this.#first = this.#start;
    this.#nextOffset = kept?.nextOffset ?? 0;
    this.#last = kept?.last;
  }

  /** The number of the oldest event that is there; that of the next one where there is none. */
  get first(): number {
    return this.#first;
  }

  /** The number that the next event gets. */
  get next(): number {
    return this.#start + this.#events.length;
  }

  /** The offset that the next event gets. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  get last(): LastPlace | undefined {
    return this.#last;
  }

  /** Returns the events that are there, the oldest first. */
  get events(): StoredEvent[] {
    return this.#events.slice(this.#first - this.#start) as StoredEvent[];
  }

  /** Returns an event; `undefined` when it is not there. */
  at(sequenceNumber: number): StoredEvent | undefined {
    return this.#events[sequenceNumber - this.#start];
  }

  /** Adds an event, which makes the offset of the next one higher by its size. */
  append(content: EventContent, place: Pick<StoredEvent, "order" | "enqueuedTime">, size: number): StoredEvent {
    const { id: partitionId, next: sequenceNumber } = this;
    const event = { ...content, ...place, partitionId, sequenceNumber, offset: this.#nextOffset };
    this.#nextOffset += size;
    this.#events.push(event);
    this.#last = event;
    return event;
  }

  /** Removes the events before one. */
  dropBefore(sequenceNumber: number): void {
    const end = Math.min(sequenceNumber, this.next);
    for (; this.#first < end; this.#first++) this.#events[this.#first - this.#start] = undefined;
    const gaps = this.#first - this.#start;
    if (gaps < MOST_GAPS || gaps < this.#events.length / 2) return;
    this.#events = this.#events.slice(gaps);
    this.#start = this.#first;
  }
}
