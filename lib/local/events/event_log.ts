import { ListenerSet } from "../listener_set.ts";
import { sizeOfTelemetry } from "../messages/telemetry_message.ts";
import type { HubStorage, Keeper } from "../storage/hub_storage.ts";
import { EventPartition, type KeptPartition } from "./event_partition.ts";
import { KeptEvents } from "./kept_events.ts";
import type { EventContent, StoredEvent } from "./stored_event.ts";

/** What is kept of the events. */
export interface EventRetention {
  /** How many events of each partition are kept. */
  readonly maxEvents: number;
  /** How long an event is kept, in milliseconds of the hub's clock. */
  readonly maxAgeInMs: number;
}

/** The settings of an {@linkcode EventLog}. */
export interface EventLogOptions {
  readonly now: () => number;
  /** How many partitions there are at least. There are more where events of more were kept. */
  readonly partitions: number;
  readonly retention: EventRetention;
  /** Told what a listener throws. */
  readonly report: (error: unknown) => void;
  readonly storage: HubStorage;
}

/** Where to begin to read a partition. */
export type EventPosition =
  | { readonly kind: "earliest" | "latest" }
  | {
    readonly kind: "offset" | "sequenceNumber" | "enqueuedTime";
    readonly value: number;
    /** Whether the event at the place itself is wanted. */
    readonly isInclusive: boolean;
  };

/** However many events are kept, they take no more bytes than this in each partition. */
const MAX_PARTITION_BYTES = 64 * 2 ** 20;
/** What an event takes besides its content, roughly. */
const EVENT_OVERHEAD = 96;

/** The events of a hub, in partitions, from which any number of readers read without taking anything away. */
export class EventLog implements Keeper {
  readonly #options: EventLogOptions;
  readonly #kept: KeptEvents;
  readonly #listeners = new ListenerSet<string>();
  #partitions: ReadonlyMap<string, EventPartition>;
  #nextOrder = 0;

  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#partitions = newPartitions(options.partitions, new Map());
    this.#kept = new KeptEvents(options.storage, () => this.#partitions.values());
  }

  /** By their ids, which are numbers from 0 on. They are other ones when the hub was restored. */
  get partitions(): ReadonlyMap<string, EventPartition> {
    return this.#partitions;
  }

  clear(): void {
    this.#fill(new Map());
  }

  load(): void {
    this.#fill(this.#kept.load());
  }

  /** Stores an event. All events of a device go to the same partition. */
  append(content: EventContent): void {
    const { now, report } = this.#options;
    const partition = this.#partitions.get(String(hashOf(content.deviceId) % this.#partitions.size))!;
    const enqueuedTime = Math.max(now(), partition.last?.enqueuedTime ?? -Infinity);
    const place = { order: this.#nextOrder++, enqueuedTime };
    this.#kept.together(() => {
      const event = partition.append(content, place, EVENT_OVERHEAD + sizeOfTelemetry(content.message));
      this.#kept.add(partition, event);
      this.#trim(partition);
    });
    this.#listeners.tell(partition.id, report);
  }

  /** Calls a listener with the id of the partition of each new event. @returns A function that removes it. */
  onAppend(listener: (partitionId: string) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Returns the first event from a number on; `undefined` when there is none yet. */
  read(partition: EventPartition, from: number): StoredEvent | undefined {
    this.#trim(partition);
    return partition.at(Math.max(from, partition.first));
  }

  /** Returns the number of the first event from a position on. There may be no such event yet. */
  seek(partition: EventPartition, position: EventPosition): number {
    this.#trim(partition);
    switch (position.kind) {
      case "earliest":
        return partition.first;
      case "latest":
        return partition.next;
      case "sequenceNumber":
        return Math.max(partition.first, position.value + (position.isInclusive ? 0 : 1));
      default: {
        const { kind, value, isInclusive } = position;
        return search(partition, (event) => isInclusive ? event[kind] >= value : event[kind] > value);
      }
    }
  }

  #trim(partition: EventPartition): void {
    const { now, retention: { maxEvents, maxAgeInMs } } = this.#options;
    const { last } = partition;
    if (last === undefined) return;
    const oldest = now() - maxAgeInMs;
    const isKept = (event: StoredEvent): boolean =>
      event.sequenceNumber > last.sequenceNumber - maxEvents &&
      event.offset >= last.offset - MAX_PARTITION_BYTES &&
      event.enqueuedTime >= oldest;
    const first = partition.at(partition.first);
    if (first === undefined || isKept(first)) return;
    const oldestKept = search(partition, isKept);
    this.#kept.dropBefore(partition, oldestKept);
    partition.dropBefore(oldestKept);
  }

  #fill(kept: ReadonlyMap<string, KeptPartition>): void {
    this.#partitions = newPartitions(this.#options.partitions, kept);
    this.#nextOrder = 1 + Math.max(-1, ...Array.from(kept.values(), ({ last }) => last.order));
  }
}

function newPartitions(
  leastCount: number,
  kept: ReadonlyMap<string, KeptPartition>,
): ReadonlyMap<string, EventPartition> {
  const count = Math.max(leastCount, ...Array.from(kept.keys(), (id) => Number(id) + 1));
  const ids = Array.from({ length: count }, (_, index) => String(index));
  return new Map(ids.map((id) => [id, new EventPartition(id, kept.get(id))]));
}

/** Returns the number of the first event for which something is true; it is false before that, and true after it. */
function search(partition: EventPartition, isTrue: (event: StoredEvent) => boolean): number {
  let [low, high] = [partition.first, partition.next];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isTrue(partition.at(middle)!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Spreads ids evenly (FNV-1a). A real hub does so in a way that it does not tell. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  // The lowest bits alone would depend on the lowest bits of the text alone.
  return (hash ^ hash >>> 15) >>> 0;
}
