import { checkCloudMessage, type CloudMessage } from "./cloud_message.ts";
import type { HubAlarm } from "../hub_alarm.ts";
import { HubFault } from "../hub_fault.ts";
import { type Locked, LockQueue } from "./lock_queue.ts";
import type { KeptQueue } from "./kept_queues.ts";
import type { MessageOutcome } from "./message_feedback.ts";

const MAX_DEPTH = 50;

/** A message that its device has locked. */
export type QueuedMessage = Locked<CloudMessage>;

/** Names a lock. */
export type MessageLock = Pick<QueuedMessage, "lockToken">;

/** The events of a {@linkcode MessageQueue}. */
export interface MessageQueueEvents {
  /** A message can be locked. */
  available(): void;
  /** A message has ended; `time` may lie in the past. Where the queue itself has ended it, its number is told. */
  ended(message: CloudMessage, outcome: MessageOutcome, time: number, sequenceNumber?: number): void;
}

/**
 * The cloud-to-device messages of one identity, first in, first out, 50 at most. The device locks a message, handles
 * it, and completes, abandons or rejects it. Each message ends with one outcome: it is completed, rejected, abandoned
 * for the tenth time or purged, or it expires.
 */
export class MessageQueue {
  readonly #messages: LockQueue<CloudMessage>;
  readonly #events: MessageQueueEvents;
  readonly #kept: KeptQueue<CloudMessage>;

  constructor(alarm: HubAlarm, events: MessageQueueEvents, kept: KeptQueue<CloudMessage>) {
    this.#messages = new LockQueue(alarm, events, kept);
    this.#events = events;
    this.#kept = kept;
  }

  /** Takes the messages that are kept. */
  load(): void {
    this.#messages.load();
  }

  /** Returns the number of messages, including locked ones. */
  count(now: number): number {
    return this.#messages.count(now);
  }

  /**
   * Adds a message at the end.
   *
   * @returns Its number.
   * @throws {HubFault} `DeviceMaximumQueueDepthExceeded` (403) when the queue is full, or the fault of a message that
   * breaks a rule.
   */
  add(message: CloudMessage, now: number): number {
    const expiryTime = checkCloudMessage(message, now);
    if (this.count(now) >= MAX_DEPTH) {
      throw new HubFault(
        "DeviceMaximumQueueDepthExceeded",
        403,
        `The queue of the device is full, ${MAX_DEPTH} messages wait: have the device receive them, or purge the queue`,
      );
    }
    return this.#messages.add(message, now, expiryTime);
  }

  /** Locks the first message that is not locked, and returns it. The lock lasts a minute, or as long as is said. */
  lockNext(now: number, lockDurationInMs?: number): QueuedMessage | undefined {
    return this.#messages.lockNext(now, lockDurationInMs);
  }

  /**
   * Ends a message that its device has handled. Returns `false` when the lock has been lost; the message then stays.
   */
  complete(lock: MessageLock, now: number): boolean {
    return this.#end(lock, "Success", now);
  }

  /**
   * Ends a message that its device does not want. Returns `false` when the lock has been lost; the message then stays.
   */
  reject(lock: MessageLock, now: number): boolean {
    return this.#end(lock, "Rejected", now);
  }

  /** Gives back a message that its device could not handle. Returns `false` when the lock has been lost. */
  abandon({ lockToken }: MessageLock, now: number): boolean {
    return this.#kept.together(() => this.#messages.abandon(lockToken, now));
  }

  /** Gives back the message of a device that has disconnected. This does not count as a delivery. */
  unlock({ lockToken }: MessageLock): void {
    this.#messages.unlock(lockToken);
  }

  /** Ends every message, including locked ones, and returns how many there were. */
  purge(now: number): number {
    return this.#kept.together(() => {
      this.#messages.wake(now);
      const purged = this.#messages.takeAll();
      for (const message of purged) this.#events.ended(message, "Purged", now);
      return purged.length;
    });
  }

  /** Drops every message without an outcome, for an identity that is deleted. */
  discard(): void {
    this.#kept.together(() => this.#messages.takeAll());
    this.#kept.end();
  }

  #end({ lockToken }: MessageLock, outcome: MessageOutcome, now: number): boolean {
    return this.#kept.together(() => {
      const ended = this.#messages.remove(lockToken, now);
      if (ended !== undefined) this.#events.ended(ended.message, outcome, now);
      return ended !== undefined;
    });
  }
}
