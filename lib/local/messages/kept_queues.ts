import type { HubStorage, Keeper } from "../storage/hub_storage.ts";
import type { Table } from "../storage/table.ts";
import { fromKept, type MessageContent, toKept } from "./kept_message.ts";
import type { QueueEntry } from "./queue_entry.ts";

/** A message, and the queue that it is in. */
interface KeptEntry {
  readonly queue: string;
  readonly entry: QueueEntry<MessageContent>;
}

/** What is kept of a message, besides the bytes that it holds. */
interface EntryRow {
  readonly queue: string;
  readonly message: unknown;
  readonly lock: Omit<QueueEntry<MessageContent>, "message">;
}

/** What is kept of a queue, when it is read again. */
interface ReadQueue {
  readonly entries: QueueEntry<MessageContent>[];
  count: number;
}

/** Keeps the messages of all queues with their locks, and how many messages each queue has had. */
export class KeptQueues implements Keeper {
  readonly storage: HubStorage;
  readonly entries: Table<KeptEntry>;
  readonly counts: Table<KeptQueue<never>>;
  readonly #open = new Map<string, KeptQueue<never>>();
  /** What was read, by the names of the queues, until they take it. */
  readonly #read = new Map<string, ReadQueue>();

  constructor(storage: HubStorage) {
    this.storage = storage;
    this.entries = storage.table({
      name: "messages",
      keyOf: entryKey,
      valueOf: ({ queue, entry: { message, ...lock } }): EntryRow => ({ queue, lock, message: toKept(message) }),
      bytesOf: ({ entry }) => entry.message.data as Uint8Array<ArrayBuffer> | undefined,
      items: () => this.#used().flatMap(({ name, entries }) => entries.map((entry) => ({ queue: name, entry }))),
    });
    this.counts = storage.table({
      name: "queueCounts",
      keyOf: ({ name }) => name,
      valueOf: ({ count }) => count,
      items: () => this.#used(),
    });
  }

  /** Returns the queues that have had messages, in an order that does not depend on who has looked at them first. */
  #used(): KeptQueue<never>[] {
    const used = [...this.#open.values()].filter(({ count }) => count > 0);
    return used.sort((one, other) => one.name < other.name ? -1 : 1);
  }

  /** Opens a queue. */
  queue<T extends MessageContent>(name: string): KeptQueue<T> {
    const queue = new KeptQueue<T>(this, name);
    this.#open.set(name, queue as KeptQueue<never>);
    return queue;
  }

  /** Whether something was read for a queue. */
  has(name: string): boolean {
    return this.#read.has(name);
  }

  /** Returns what was read for a queue. */
  take(name: string): ReadQueue {
    const read = this.#read.get(name) ?? { entries: [], count: 0 };
    this.#read.delete(name);
    return read;
  }

  /** Forgets a queue for good. */
  end(queue: KeptQueue<never>): void {
    this.counts.delete(queue);
    if (this.#open.get(queue.name) === queue) this.#open.delete(queue.name);
  }

  clear(): void {
    this.#read.clear();
  }

  load(): void {
    for (const { key, value } of this.counts.read()) this.#read.set(key, { entries: [], count: value as number });
    for (const { value, bytes } of this.entries.read()) {
      const { queue, lock, message } = value as EntryRow;
      this.#read.get(queue)!.entries.push({ ...lock, lockToken: lock.lockToken, message: fromKept(message, bytes) });
    }
  }

  /** Drops what was read for queues that are not there. */
  dropRest(): void {
    for (const [queue, { entries }] of this.#read) {
      for (const entry of entries) this.entries.delete({ queue, entry });
      this.counts.deleteKey(queue);
    }
    this.#read.clear();
  }
}

/** Keeps the messages of one queue. */
export class KeptQueue<T extends MessageContent> {
  readonly name: string;
  readonly #all: KeptQueues;
  #entries: () => readonly QueueEntry<T>[] = () => [];
  #count = 0;

  constructor(all: KeptQueues, name: string) {
    this.#all = all;
    this.name = name;
  }

  /** How many messages the queue has had. */
  get count(): number {
    return this.#count;
  }

  /** The messages that are in the queue. */
  get entries(): readonly QueueEntry<T>[] {
    return this.#entries();
  }

  /** Says where the messages are that are in the queue. */
  setEntries(entries: () => readonly QueueEntry<T>[]): void {
    this.#entries = entries;
  }

  /** Returns what is kept. */
  load(): QueueEntry<T>[] {
    const { entries, count } = this.#all.take(this.name);
    this.#count = count;
    return entries as QueueEntry<MessageContent>[] as QueueEntry<T>[];
  }

  /** Keeps a new message. */
  add(entry: QueueEntry<T>): void {
    this.#count = entry.sequenceNumber;
    this.together(() => {
      this.#all.counts.put(this as unknown as KeptQueue<never>);
      this.put(entry);
    });
  }

  /** Keeps a message as it is now. */
  put(entry: QueueEntry<T>): void {
    this.#all.entries.put({ queue: this.name, entry });
  }

  delete(entry: QueueEntry<T>): void {
    this.#all.entries.delete({ queue: this.name, entry });
  }

  /** Does some work in one step. */
  together<R>(work: () => R): R {
    return this.#all.storage.together(work);
  }

  /** Ends the queue for good, when it is empty. */
  end(): void {
    this.#all.end(this as unknown as KeptQueue<never>);
  }
}

function entryKey({ queue, entry }: KeptEntry): string {
  return `${queue}/${entry.sequenceNumber}`;
}
