import { checkCloudMessage, type CloudMessage } from "./cloud_message.ts";
import { HubFault } from "./hub_fault.ts";

const MAX_DEPTH = 50;
const MAX_DELIVERY_COUNT = 10;
const LOCK_DURATION = 60_000;

/** A message that waits for its device. */
export interface QueuedMessage {
  readonly message: CloudMessage;
  readonly sequenceNumber: number;
  /** Milliseconds since the epoch, like the two below. */
  readonly enqueuedTime: number;
  readonly expiryTime: number;
  /** How often the device has abandoned it. */
  readonly deliveryCount: number;
}

interface Entry extends QueuedMessage {
  deliveryCount: number;
  /** 0: not locked. */
  lockedUntil: number;
}

/**
 * The cloud-to-device messages of one identity: first in, first out, 50 deep, each gone when it expires. A device locks
 * the first one, handles it, and completes or abandons it; abandoned ten times, it is dead.
 */
export class MessageQueue {
  #entries: Entry[] = [];
  #nextSequenceNumber = 1;

  /** How many messages there are, locked ones among them. */
  count(now: number): number {
    if (this.#entries.length > 0) this.#dropExpired(now);
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
    this.#entries.push({ message, sequenceNumber, enqueuedTime: now, expiryTime, deliveryCount: 0, lockedUntil: 0 });
  }

  /** Locks the first message that is not locked and hands it out. */
  lockNext(now: number): QueuedMessage | undefined {
    this.#dropExpired(now);
    const entry = this.#entries.find((candidate) => candidate.lockedUntil <= now);
    if (entry !== undefined) entry.lockedUntil = now + LOCK_DURATION;
    return entry;
  }

  /** Ends a message that its device has handled. `false`: the lock was lost, the message stays. */
  complete(message: QueuedMessage, now: number): boolean {
    const entry = this.#locked(message, now);
    if (entry !== undefined) this.#remove(entry);
    return entry !== undefined;
  }

  /** Gives a message back that its device could not handle. `false`: the lock was lost. */
  abandon(message: QueuedMessage, now: number): boolean {
    const entry = this.#locked(message, now);
    if (entry === undefined) return false;
    entry.lockedUntil = 0;
    entry.deliveryCount++;
    if (entry.deliveryCount >= MAX_DELIVERY_COUNT) this.#remove(entry);
    return true;
  }

  /** Unlocks every message, as when the connection of the device breaks. It does not count as a delivery. */
  unlockAll(): void {
    for (const entry of this.#entries) entry.lockedUntil = 0;
  }

  /** Drops every message and tells how many there were. */
  purge(now: number): number {
    const count = this.count(now);
    this.#entries = [];
    return count;
  }

  #locked(message: QueuedMessage, now: number): Entry | undefined {
    return this.#entries.find((entry) => entry === message && entry.lockedUntil > now);
  }

  #remove(entry: Entry): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
  }

  /** A locked message stays: its device may still complete it. */
  #dropExpired(now: number): void {
    if (this.#entries.some((entry) => isDead(entry, now))) {
      this.#entries = this.#entries.filter((entry) => !isDead(entry, now));
    }
  }
}

function isDead(entry: Entry, now: number): boolean {
  return entry.expiryTime <= now && entry.lockedUntil <= now;
}
