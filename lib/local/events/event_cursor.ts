import type { EventLog, EventPosition } from "./event_log.ts";
import type { EventPartition } from "./event_partition.ts";
import type { StoredEvent } from "./stored_event.ts";

/** One reader's place in a partition. When the hub is restored, it goes on with what comes after that. */
export class EventCursor {
  readonly #log: EventLog;
  readonly #id: string;
  #partition: EventPartition;
  #place: number;

  constructor(log: EventLog, partition: EventPartition, position: EventPosition) {
    this.#log = log;
    this.#id = partition.id;
    this.#partition = partition;
    this.#place = log.seek(partition, position);
  }

  /** Returns the next event without going past it; `undefined` when there is none yet. */
  peek(): StoredEvent | undefined {
    const partition = this.#log.partitions.get(this.#id)!;
    if (partition !== this.#partition) {
      this.#partition = partition;
      this.#place = partition.firstNew;
    }
    return this.#log.read(partition, this.#place);
  }

  /** Returns the next event, and goes past it. */
  next(): StoredEvent | undefined {
    const event = this.peek();
    if (event !== undefined) this.#place = event.sequenceNumber + 1;
    return event;
  }
}
