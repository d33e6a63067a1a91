import type { HubAlarm, Sleeper } from "../hub_alarm.ts";

const MAX_DELIVERY_COUNT = 10;
const LOCK_DURATION = 60_000;

/** A message as it was handed out: it stands for one lock, and the next lock of the same message is another one. */
export interface Locked<T> {
  readonly message: T;
  /** A GUID. */
  readonly lockToken: string;
  /** Grows by one with each message of the queue. */
  readonly sequenceNumber: number;
  /** Milliseconds since the epoch, like the one below. */
  readonly enqueuedTime: number;
  readonly expiryTime: number;
  /** How often it has been abandoned. */
  readonly deliveryCount: number;
}

/** What a queue tells whoever has it. */
export interface LockQueueEvents<T> {
  /** There is a message that can be locked. */
  available(): void;
  /** The queue itself has ended a message, as of a time. */
  ended?(message: T, outcome: "Expired" | "DeliveryCountExceeded", time: number): void;
}

interface Entry<T> {
  message: T;
  readonly sequenceNumber: number;
  readonly enqueuedTime: number;
  readonly expiryTime: number;
  deliveryCount: number;
  /** `undefined`: not locked. */
  lockToken: string | undefined;
  /** 0: not locked. */
  lockedUntil: number;
}

/**
 * Messages that are locked for a minute by whoever takes them: first in, first out. One that is abandoned for the tenth
 * time ends, and so does one that expires, which a locked one does when its lock ends.
 */
export class LockQueue<T> implements Sleeper {
  readonly #alarm: HubAlarm;
  readonly #events: LockQueueEvents<T>;
  /** In the order of their numbers: a message that comes back is where it was. */
  #entries: Entry<T>[] = [];
  #nextSequenceNumber = 1;
  /** No message expires and no lock ends before. */
  #due = Infinity;

  constructor(alarm: HubAlarm, events: LockQueueEvents<T>) {
    this.#alarm = alarm;
    this.#events = events;
  }

  /** How many messages there are, locked ones among them. */
  count(now: number): number {
    this.wake(now);
    return this.#entries.length;
  }

  /** Queues a message behind the others. */
  add(message: T, now: number, expiryTime: number): void {
    const sequenceNumber = this.#nextSequenceNumber++;
    this.#entries.push({
      message,
      sequenceNumber,
      enqueuedTime: now,
      expiryTime,
      deliveryCount: 0,
      lockToken: undefined,
      lockedUntil: 0,
    });
    this.#setDue(expiryTime);
    this.#events.available();
  }

  /** Locks the first message that is not locked and hands it out. */
  lockNext(now: number): Locked<T> | undefined {
    this.#sweep(now);
    const entry = this.#entries.find(({ lockToken }) => lockToken === undefined);
    if (entry === undefined) return undefined;
    const { message, sequenceNumber, enqueuedTime, expiryTime, deliveryCount } = entry;
    const lockToken = crypto.randomUUID();
    entry.lockToken = lockToken;
    entry.lockedUntil = now + LOCK_DURATION;
    this.#setDue(entry.lockedUntil);
    return { message, lockToken, sequenceNumber, enqueuedTime, expiryTime, deliveryCount };
  }

  /** Takes a message out for good. `false`: the lock was lost, the message stays. */
  remove(lockToken: string, now: number): boolean {
    const entry = this.#locked(lockToken, now);
    if (entry !== undefined) this.#take(entry);
    return entry !== undefined;
  }

  /** Gives a message back, which counts. `false`: the lock was lost. */
  abandon(lockToken: string, now: number): boolean {
    const entry = this.#locked(lockToken, now);
    if (entry === undefined) return false;
    entry.deliveryCount++;
    if (entry.deliveryCount < MAX_DELIVERY_COUNT) {
      this.#putBack(entry);
    } else {
      this.#take(entry);
      this.#events.ended?.(entry.message, "DeliveryCountExceeded", now);
    }
    return true;
  }

  /** Gives a message back whose receiver has left. It does not count as a delivery. */
  unlock(lockToken: string): void {
    const entry = this.#entries.find((candidate) => candidate.lockToken === lockToken);
    if (entry !== undefined) this.#putBack(entry);
  }

  /** Takes all messages out, locked ones too. */
  takeAll(): T[] {
    this.#forgetDue();
    return this.#entries.splice(0).map(({ message }) => message);
  }

  /**
   * Changes the messages that nobody has locked.
   *
   * @param change gives what takes the place of a message; `undefined` drops it
   */
  rewrite(change: (message: T) => T | undefined): void {
    this.#entries = this.#entries.filter((entry) => {
      if (entry.lockToken !== undefined) return true;
      const message = change(entry.message);
      if (message !== undefined) entry.message = message;
      return message !== undefined;
    });
  }

  /** Ends what has expired, and offers again what was locked for too long. */
  wake(now: number): void {
    if (this.#sweep(now)) this.#events.available();
  }

  #locked(lockToken: string, now: number): Entry<T> | undefined {
    return this.#entries.find((entry) => entry.lockToken === lockToken && entry.lockedUntil > now);
  }

  #take(entry: Entry<T>): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    if (this.#entries.length === 0) this.#forgetDue();
  }

  #putBack(entry: Entry<T>): void {
    release(entry);
    this.#setDue(entry.expiryTime);
    this.#events.available();
  }

  /** @returns whether a lock has ended */
  #sweep(now: number): boolean {
    if (now < this.#due) return false;
    let hasFreed = false;
    const ended: [message: T, time: number][] = [];
    this.#forgetDue();
    this.#entries = this.#entries.filter((entry) => {
      const { message, lockedUntil, expiryTime } = entry;
      if (lockedUntil <= now && expiryTime <= now) return void ended.push([message, Math.max(lockedUntil, expiryTime)]);
      if (entry.lockToken !== undefined && lockedUntil <= now) {
        release(entry);
        hasFreed = true;
      }
      this.#setDue(entry.lockToken === undefined ? expiryTime : lockedUntil);
      return true;
    });
    for (const [message, time] of ended) this.#events.ended?.(message, "Expired", time);
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

function release(entry: Entry<unknown>): void {
  entry.lockToken = undefined;
  entry.lockedUntil = 0;
}
