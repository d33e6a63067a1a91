import { checkCloudMessage, type CloudMessage } from "./cloud_message.ts";
import type { HubAlarm } from "../hub_alarm.ts";
import { HubFault } from "../hub_fault.ts";
import { type Locked, LockQueue } from "./lock_queue.ts";
import type { MessageOutcome } from "./message_feedback.ts";

const MAX_DEPTH = 50;

/** A message that its device has locked. */
export type QueuedMessage = Locked<CloudMessage>;

/** The events of a {@linkcode MessageQueue}. */
export interface MessageQueueEvents {
  /** A message can be locked. */
  available(): void;
  /** A message has ended; `time` may lie in the past. */
  ended(message: CloudMessage, outcome: MessageOutcome, time: number): void;
}

/**
 * The cloud-to-device messages of one identity, first in, first out, 50 at most. The device locks a message, handles
 * it, and completes, abandons or rejects it. Each message ends with one outcome: it is completed, rejected, abandoned
 * for the tenth time or purged, or it expires.
 */
export class MessageQueue {
  readonly #messages: LockQueue<CloudMessage>;
  readonly #events: MessageQueueEvents;

  constructor(alarm: HubAlarm, events: MessageQueueEvents) {
    this.#messages = new LockQueue(alarm, events);
    this.#events = events;
  }

  /** Returns the number of messages, including locked ones. */
  count(now: number): number {
    return this.#messages.count(now);
  }

  /**
   * Adds a message at the end.
   *
   * @throws {HubFault} `DeviceMaximumQueueDepthExceeded` (403) when the queue is full, or the fault of a message that
   * breaks a rule.
   */
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

  /** Locks the first message that is not locked, and returns it. */
  lockNext(now: number): QueuedMessage | undefined {
    return this.#messages.lockNext(now);
  }

  /**
   * Ends a message that its device has handled. Returns `false` when the lock has been lost; the message then stays.
   */
  complete(message: QueuedMessage, now: number): boolean {
    return this.#end(message, "Success", now);
  }

  /**
   * Ends a message that its device does not want. Returns `false` when the lock has been lost; the message then stays.
   */
  reject(message: QueuedMessage, now: number): boolean {
    return this.#end(message, "Rejected", now);
  }

  /** Gives back a message that its device could not handle. Returns `false` when the lock has been lost. */
  abandon({ lockToken }: QueuedMessage, now: number): boolean {
    return this.#messages.abandon(lockToken, now);
  }

  /** Gives back the message of a device that has disconnected. This does not count as a delivery. */
  unlock({ lockToken }: QueuedMessage): void {
    this.#messages.unlock(lockToken);
  }

  /** Ends every message, including locked ones, and returns how many there were. */
  purge(now: number): number {
    this.#messages.wake(now);
    const purged = this.#messages.takeAll();
    for (const message of purged) this.#events.ended(message, "Purged", now);
    return purged.length;
  }

  /** Drops every message without an outcome, for an identity that is deleted. */
  discard(): void {
    this.#messages.takeAll();
  }

  #end({ message, lockToken }: QueuedMessage, outcome: MessageOutcome, now: number): boolean {
    const hasEnded = this.#messages.remove(lockToken, now);
    if (hasEnded) this.#events.ended(message, outcome, now);
    return hasEnded;
  }
}
