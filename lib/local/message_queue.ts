import { checkCloudMessage, type CloudMessage } from "./cloud_message.ts";
import type { HubAlarm, Sleeper } from "./hub_alarm.ts";
import { HubFault } from "./hub_fault.ts";
import type { MessageOutcome, QueueOwner } from "./message_feedback.ts";

const MAX_DEPTH = 50;
const MAX_DELIVERY_COUNT = 10;
const LOCK_DURATION = 60_000;

/** A message as it was handed out: it stands for one lock, and the next lock of the same message is another one. */
export interface QueuedMessage {
  readonly message: CloudMessage;
  /** A GUID. */
  readonly lockToken: string;
  readonly sequenceNumber: number;
  /** Milliseconds since the epoch, like the one below. */
  readonly enqueuedTime: number;
  readonly expiryTime: number;
  /** How often the device has abandoned it. */
  readonly deliveryCount: number;
}

/** Who is told what happens in the queues of a hub. */
export interface QueueListener {
  /** A message has come to its end, at a time. */
  ended(owner: QueueOwner, message: CloudMessage, outcome: MessageOutcome, time: number): void;
  /** There is a message that can be locked. */
  available(owner: QueueOwner): void;
}

interface Entry {
  readonly message: CloudMessage;
  readonly sequenceNumber: number;
  readonly enqueuedTime: number;
  readonly expiryTime: number;
  deliveryCount: number;
  /** 0: not locked. */
  lockedUntil: number;
  lock: QueuedMessage | undefined;
}

/**
 * The cloud-to-device messages of one identity: first in, first out, 50 deep. A device locks the first one, handles it,
 * and completes, abandons or rejects it. Each ends with one outcome: it is completed, rejected, abandoned for the tenth
 * time, purged, or it expires, which a locked one does when its lock ends.
 */
export class MessageQueue implements Sleeper {
  readonly #owner: QueueOwner;
  readonly #listener: QueueListener;
  readonly #alarm: HubAlarm;
  /** In the order of their numbers: a message that comes back is where it was. */
  #entries: Entry[] = [];
  #nextSequenceNumber = 1;
  /** No message expires and no lock ends before. */
  #due = Infinity;

  constructor(owner: QueueOwner, listener: QueueListener, alarm: HubAlarm) {
    this.#owner = owner;
    this.#listener = listener;
    this.#alarm = alarm;
  }

  /** How many messages there are, locked ones among them. */
  count(now: number): number {
    this.wake(now);
    return this.#entries.length;
  }

  /** Queues a message behind the others. */
  add(message: CloudMessage, now: number): void {
    const expiryTime = checkCloudMessage(message, now);
    if (this.count(now) >= MAX_DEPTH) {
      throw new HubFault(
        "DeviceMaximumQueueDepthExceeded",
        403,
        `The queue of the device is full: ${MAX_DEPTH} messages wait. Have the device receive them, or purge the queue`,
      );
    }
    const sequenceNumber = this.#nextSequenceNumber++;
    this.#entries.push({
      message,
      sequenceNumber,
      enqueuedTime: now,
      expiryTime,
      deliveryCount: 0,
      lockedUntil: 0,
      lock: undefined,
    });
    this.#setDue(expiryTime);
    this.#listener.available(this.#owner);
  }

  /** Locks the first message that is not locked and hands it out. */
  lockNext(now: number): QueuedMessage | undefined {
    this.#sweep(now);
    const entry = this.#entries.find(({ lock }) => lock === undefined);
    if (entry === undefined) return undefined;
    const { message, sequenceNumber, enqueuedTime, expiryTime, deliveryCount } = entry;
    const lockToken = crypto.randomUUID();
    entry.lock = { message, lockToken, sequenceNumber, enqueuedTime, expiryTime, deliveryCount };
    entry.lockedUntil = now + LOCK_DURATION;
    this.#setDue(entry.lockedUntil);
    return entry.lock;
  }

  /** Ends a message that its device has handled. `false`: the lock was lost, the message stays. */
  complete(message: QueuedMessage, now: number): boolean {
    return this.#endLocked(message, "Success", now);
  }

  /** Ends a message that its device does not want. `false`: the lock was lost, the message stays. */
  reject(message: QueuedMessage, now: number): boolean {
    return this.#endLocked(message, "Rejected", now);
  }

  /** Gives a message back that its device could not handle. `false`: the lock was lost. */
  abandon(message: QueuedMessage, now: number): boolean {
    const entry = this.#locked(message, now);
    if (entry === undefined) return false;
    entry.deliveryCount++;
    if (entry.deliveryCount >= MAX_DELIVERY_COUNT) this.#end(entry, "DeliveryCountExceeded", now);
    else this.#putBack(entry);
    return true;
  }

  /** Gives a message back whose device has left. It does not count as a delivery. */
  unlock(message: QueuedMessage): void {
    const entry = this.#entries.find(({ lock }) => lock === message);
    if (entry !== undefined) this.#putBack(entry);
  }

  /** Ends every message, locked ones too, and tells how many there were. */
  purge(now: number): number {
    this.wake(now);
    const purged = this.#takeAll();
    for (const { message } of purged) this.#listener.ended(this.#owner, message, "Purged", now);
    return purged.length;
  }

  /** Drops every message without an outcome, as its identity is deleted. */
  discard(): void {
    this.#takeAll();
  }

  /** Ends what has expired, and offers again what was locked for too long. */
  wake(now: number): void {
    if (this.#sweep(now)) this.#listener.available(this.#owner);
  }

  #locked(message: QueuedMessage, now: number): Entry | undefined {
    return this.#entries.find(({ lock, lockedUntil }) => lock === message && lockedUntil > now);
  }

  #endLocked(message: QueuedMessage, outcome: MessageOutcome, now: number): boolean {
    const entry = this.#locked(message, now);
    if (entry !== undefined) this.#end(entry, outcome, now);
    return entry !== undefined;
  }

  #end(entry: Entry, outcome: MessageOutcome, time: number): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    if (this.#entries.length === 0) this.#forgetDue();
    this.#listener.ended(this.#owner, entry.message, outcome, time);
  }

  #putBack(entry: Entry): void {
    release(entry);
    this.#setDue(entry.expiryTime);
    this.#listener.available(this.#owner);
  }

  #takeAll(): Entry[] {
    this.#forgetDue();
    return this.#entries.splice(0);
  }

  /** @returns whether a lock has ended */
  #sweep(now: number): boolean {
    if (now < this.#due) return false;
    let hasFreed = false;
    const ended: [Entry, time: number][] = [];
    this.#forgetDue();
    this.#entries = this.#entries.filter((entry) => {
      const { lockedUntil, expiryTime } = entry;
      if (lockedUntil <= now && expiryTime <= now) return void ended.push([entry, Math.max(lockedUntil, expiryTime)]);
      if (entry.lock !== undefined && lockedUntil <= now) {
        release(entry);
        hasFreed = true;
      }
      this.#setDue(entry.lock === undefined ? expiryTime : lockedUntil);
      return true;
    });
    for (const [{ message }, time] of ended) this.#listener.ended(this.#owner, message, "Expired", time);
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

function release(entry: Entry): void {
  entry.lock = undefined;
  entry.lockedUntil = 0;
}
