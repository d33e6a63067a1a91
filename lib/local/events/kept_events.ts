import { fromKept, toKept } from "../messages/kept_message.ts";
import type { TelemetryMessage } from "../messages/telemetry_message.ts";
import type { HubStorage } from "../storage/hub_storage.ts";
import type { Table } from "../storage/table.ts";
import type { EventPartition, KeptPartition, LastPlace } from "./event_partition.ts";
import type { StoredEvent } from "./stored_event.ts";

/** What is kept of an event, besides the bytes of its body. */
interface EventRow extends Omit<StoredEvent, "message"> {
  readonly message: unknown;
}

/** What is kept of a partition besides its events, as its numbers go on when they are gone. */
interface PartitionRow extends LastPlace {
  readonly nextOffset: number;
}

/** Keeps the events, and where each partition ends. */
export class KeptEvents {
  readonly #storage: HubStorage;
  readonly #events: Table<StoredEvent>;
  readonly #partitions: Table<EventPartition>;

  /** @param partitions Returns the partitions that there are. */
  constructor(storage: HubStorage, partitions: () => Iterable<EventPartition>) {
    this.#storage = storage;
    this.#events = storage.table({
      name: "events",
      keyOf: ({ partitionId, sequenceNumber }) => keyOf(partitionId, sequenceNumber),
      valueOf: ({ message, ...rest }): EventRow => ({ ...rest, message: toKept(message) }),
      bytesOf: ({ message }) => message.data as Uint8Array<ArrayBuffer>,
      items: () => [...partitions()].flatMap(({ events }) => events),
    });
    this.#partitions = storage.table({
      name: "eventPartitions",
      keyOf: ({ id }) => id,
      valueOf: rowOf,
      items: () => [...partitions()].filter(({ last }) => last !== undefined),
    });
  }

  /** Returns what is kept, by the ids of the partitions. */
  load(): Map<string, KeptPartition> {
    const eventsOf = new Map<string, StoredEvent[]>();
    for (const event of this.#loadEvents()) {
      const events = eventsOf.get(event.partitionId);
      if (events === undefined) eventsOf.set(event.partitionId, [event]);
      else events.push(event);
    }
    return new Map(Array.from(this.#partitions.read(), ({ key, value }) => {
      const { nextOffset, ...last } = value as PartitionRow;
      return [key, { events: eventsOf.get(key) ?? [], last, nextOffset }];
    }));
  }

  /** Keeps a new event, which its partition has already. */
  add(partition: EventPartition, event: StoredEvent): void {
    this.#events.put(event);
    this.#partitions.put(partition);
  }

  /** Keeps the events of a partition no longer that are before one. */
  dropBefore({ id, first }: EventPartition, sequenceNumber: number): void {
    if (!this.#storage.isWritable) return;
    this.together(() => {
      for (let number = first; number < sequenceNumber; number++) this.#events.deleteKey(keyOf(id, number));
    });
  }

  /** Does some work in one step. */
  together<R>(work: () => R): R {
    return this.#storage.together(work);
  }

  *#loadEvents(): Generator<StoredEvent> {
    for (const { value, bytes } of this.#events.read()) {
      const { message, ...rest } = value as EventRow;
      yield { ...rest, message: fromKept(message, bytes) as TelemetryMessage };
    }
  }
}

function keyOf(partitionId: string, sequenceNumber: number): string {
  return `${partitionId}/${sequenceNumber}`;
}

function rowOf({ last, nextOffset }: EventPartition): PartitionRow {
  const { sequenceNumber, offset, order, enqueuedTime } = last!;
  return { sequenceNumber, offset, order, enqueuedTime, nextOffset };
}
