import { checkCloudMessage, type CloudMessage } from "./cloud_message.ts";
import type { HubAlarm } from "../hub_alarm.ts";
import { HubFault } from "../hub_fault.ts";
import { type Locked, LockQueue } from "./lock_queue.ts";
import type { MessageOutcome } from "./message_feedback.ts";

const MAX_DEPTH = 50;

/** A message in the hands of its device. */
export type QueuedMessage = Locked<CloudMessage>;

/** What a queue of messages tells whoever made it. */
export interface MessageQueueEvents {
  /** There is a message that can be locked. */
  available(): void;
  /** A message has come to its end, at a time. */
  ended(message: CloudMessage, outcome: MessageOutcome, time: number): void;
}

/**
 * The cloud-to-device messages of one identity: first in, first out, 50 deep. A device locks the first one, handles it,
 * and completes, abandons or rejects it. Each ends with one outcome: it is completed, rejected, abandoned for the tenth
 * time, purged, or it expires.
 */
export class MessageQueue {
  readonly #messages: LockQueue<CloudMessage>;
  readonly #events: MessageQueueEvents;

  constructor(alarm: HubAlarm, events: MessageQueueEvents) {
    this.#messages = new LockQueue(alarm, events);
    this.#events = events;
  }

  /** How many messages there are, locked ones among them. */
  count(now: number): number {
    return this.#messages.count(now);
  }

  /** Queues a message behind the others. */
  add(message: CloudMessage, now: number): void {
    const expiryTime = checkCloudMessage(message, now);
    if (this.count(now) >= MAX_DEPTH) {
      throw new HubFault(
        "DeviceMaximumQueueDepthExceeded",
        403,
        `The queue of the device is full, ${MAX_DEPTH} messages wait: have the device receive them, or purge the queue`,
      );
    }
    this.#messages.add(message, now, expiryTime);
  }

  /** Locks the first message that is not locked and hands it out. */
  lockNext(now: number): QueuedMessage | undefined {
    return this.#messages.lockNext(now);
  }

  /** Ends a message that its device has handled. `false`: the lock was lost, the message stays. */
  complete(message: QueuedMessage, now: number): boolean {
    return this.#end(message, "Success", now);
  }

  /** Ends a message that its device does not want. `false`: the lock was lost, the message stays. */
  reject(message: QueuedMessage, now: number): boolean {
    return this.#end(message, "Rejected", now);
  }

  /** Gives a message back that its device could not handle. `false`: the lock was lost. */
  abandon({ lockToken }: QueuedMessage, now: number): boolean {
    return this.#messages.abandon(lockToken, now);
  }

  /** Gives a message back whose device has left. It does not count as a delivery. */
  unlock({ lockToken }: QueuedMessage): void {
    this.#messages.unlock(lockToken);
  }

  /** Ends every message, locked ones too, and tells how many there were. */
  purge(now: number): number {
    this.#messages.wake(now);
    const purged = this.#messages.takeAll();
    for (const message of purged) this.#events.ended(message, "Purged", now);
    return purged.length;
  }

  /** Drops every message without an outcome, as its identity is deleted. */
  discard(): void {
    this.#messages.takeAll();
  }

  #end({ message, lockToken }: QueuedMessage, outcome: MessageOutcome, now: number): boolean {
    const hasEnded = this.#messages.remove(lockToken, now);
    if (hasEnded) this.#events.ended(message, outcome, now);
    return hasEnded;
  }
}
