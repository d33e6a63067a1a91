import type { HubAlarm, Sleeper } from "../hub_alarm.ts";
import type { MessageContent } from "./kept_message.ts";
import type { KeptQueue } from "./kept_queues.ts";
import type { QueueEntry } from "./queue_entry.ts";

const MAX_DELIVERY_COUNT = 10;
const LOCK_DURATION = 60_000;

/** A message under one lock. When the message is locked again, that is another lock. */
export interface Locked<T> {
  readonly message: T;
  /** Names the lock; a GUID. */
  readonly lockToken: string;
  /** The number of the message in its queue, one higher for each message. */
  readonly sequenceNumber: number;
  /** In milliseconds since the epoch, as is `expiryTime`. */
  readonly enqueuedTime: number;
  readonly expiryTime: number;
  /** How often the message has been abandoned. */
  readonly deliveryCount: number;
}

/** The events of a {@linkcode LockQueue}. */
export interface LockQueueEvents<T> {
  /** A message can be locked. */
  available(): void;
  /** The queue itself has ended a message; `time` may lie in the past. */
  ended?(message: T, outcome: "Expired" | "DeliveryCountExceeded", time: number, sequenceNumber: number): void;
}

/**
 * A queue, first in, first out, whose messages are locked for a while by the receiver that takes them. The queue ends
 * a message that is abandoned for the tenth time, and one that expires; a locked message expires only after its lock.
 */
export class LockQueue<T extends MessageContent> implements Sleeper {
  readonly #alarm: HubAlarm;
  readonly #events: LockQueueEvents<T>;
  readonly #kept: KeptQueue<T>;
  /** In the order of their numbers, so that a message that is given back is in its old place. */
  #entries: QueueEntry<T>[] = [];
  #nextSequenceNumber = 1;
  /** Before this time, no message expires and no lock ends. */
  #due = Infinity;

  constructor(alarm: HubAlarm, events: LockQueueEvents<T>, kept: KeptQueue<T>) {
    this.#alarm = alarm;
    this.#events = events;
    this.#kept = kept;
    kept.setEntries(() => this.#entries);
  }

  /** Takes the messages that are kept. */
  load(): void {
    this.#entries = this.#kept.load();
    this.#nextSequenceNumber = Math.max(this.#kept.count, this.#entries.at(-1)?.sequenceNumber ?? 0) + 1;
    for (const { lockToken, lockedUntil, expiryTime } of this.#entries) {
      this.#setDue(lockToken === undefined ? expiryTime : lockedUntil);
    }
  }

  /** Returns the number of messages, including locked ones. */
  count(now: number): number {
    this.wake(now);
    return this.#entries.length;
  }

  /** Adds a message at the end. @returns Its number. */
  add(message: T, now: number, expiryTime: number): number {
    const sequenceNumber = this.#nextSequenceNumber++;
    const entry: QueueEntry<T> = {
      message,
      sequenceNumber,
      enqueuedTime: now,
      expiryTime,
      deliveryCount: 0,
      lockToken: undefined,
      lockedUntil: 0,
    };
    this.#entries.push(entry);
    this.#kept.add(entry);
    this.#setDue(expiryTime);
    this.#events.available();
    return sequenceNumber;
  }

  /** Locks the first message that is not locked, and returns it. The lock lasts a minute, or as long as is said. */
  lockNext(now: number, lockDurationInMs: number = LOCK_DURATION): Locked<T> | undefined {
    this.#sweep(now);
    const entry = this.#entries.find(({ lockToken }) => lockToken === undefined);
    if (entry === undefined) return undefined;
    const { message, sequenceNumber, enqueuedTime, expiryTime, deliveryCount } = entry;
    const lockToken = crypto.randomUUID();
    entry.lockToken = lockToken;
    entry.lockedUntil = now + lockDurationInMs;
    this.#setDue(entry.lockedUntil);
    this.#kept.put(entry);
    return { message, lockToken, sequenceNumber, enqueuedTime, expiryTime, deliveryCount };
  }

  /** Removes a locked message and returns it; `undefined` when the lock has been lost, and the message stays. */
  remove(lockToken: string, now: number): { message: T } | undefined {
    const entry = this.#locked(lockToken, now);
    if (entry !== undefined) this.#take(entry);
    return entry;
  }

  /** Gives a locked message back, which counts as a delivery. Returns `false` when the lock has been lost. */
  abandon(lockToken: string, now: number): boolean {
    const entry = this.#locked(lockToken, now);
    if (entry === undefined) return false;
    entry.deliveryCount++;
    if (entry.deliveryCount < MAX_DELIVERY_COUNT) {
      this.#putBack(entry);
    } else {
      this.#take(entry);
      this.#events.ended?.(entry.message, "DeliveryCountExceeded", now, entry.sequenceNumber);
    }
    return true;
  }

  /** Gives back the message of a receiver that has disconnected. This does not count as a delivery. */
  unlock(lockToken: string): void {
    const entry = this.#entries.find((candidate) => candidate.lockToken === lockToken);
    if (entry !== undefined) this.#putBack(entry);
  }

  /** Removes all messages, including locked ones, and returns them. */
  takeAll(): T[] {
    this.#forgetDue();
    const entries = this.#entries.splice(0);
    for (const entry of entries) this.#kept.delete(entry);
    return entries.map(({ message }) => message);
  }

  /**
   * Changes the messages that are not locked.
   *
   * @param change Returns the message to keep in place of another; `undefined` drops it.
   */
  rewrite(change: (message: T) => T | undefined): void {
    this.#entries = this.#entries.filter((entry) => {
      if (entry.lockToken !== undefined) return true;
      const message = change(entry.message);
      if (message === undefined) {
        this.#kept.delete(entry);
        return false;
      }
      if (message !== entry.message) {
        entry.message = message;
        this.#kept.put(entry);
      }
      return true;
    });
  }

  /** Ends the messages that have expired, and unlocks those whose lock has run out. */
  wake(now: number): void {
    if (this.#sweep(now)) this.#events.available();
  }

  #locked(lockToken: string, now: number): QueueEntry<T> | undefined {
    return this.#entries.find((entry) => entry.lockToken === lockToken && entry.lockedUntil > now);
  }

  #take(entry: QueueEntry<T>): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#kept.delete(entry);
    if (this.#entries.length === 0) this.#forgetDue();
  }

  #putBack(entry: QueueEntry<T>): void {
    release(entry);
    this.#kept.put(entry);
    this.#setDue(entry.expiryTime);
    this.#events.available();
  }

  /** Does what is due. Returns whether a lock has run out. */
  #sweep(now: number): boolean {
    return now >= this.#due && this.#kept.together(() => this.#sweepDue(now));
  }

  #sweepDue(now: number): boolean {
    let hasFreed = false;
    const ended: [entry: QueueEntry<T>, time: number][] = [];
    this.#forgetDue();
    this.#entries = this.#entries.filter((entry) => {
      const { lockedUntil, expiryTime } = entry;
      if (lockedUntil <= now && expiryTime <= now) {
        ended.push([entry, Math.max(lockedUntil, expiryTime)]);
        this.#kept.delete(entry);
        return false;
      }
      if (entry.lockToken !== undefined && lockedUntil <= now) {
        release(entry);
        this.#kept.put(entry);
        hasFreed = true;
      }
      this.#setDue(entry.lockToken === undefined ? expiryTime : lockedUntil);
      return true;
    });
    for (const [{ message, sequenceNumber }, time] of ended) {
      this.#events.ended?.(message, "Expired", time, sequenceNumber);
    }
    return hasFreed;
  }

  #setDue(time: number): void {
    if (time >= this.#due) return;
    this.#due = time;
    this.#alarm.set(this, time);
  }

  #forgetDue(): void {
    this.#due = Infinity;
    this.#alarm.forget(this);
  }
}

function release(entry: QueueEntry<unknown>): void {
  entry.lockToken = undefined;
  entry.lockedUntil = 0;
}
