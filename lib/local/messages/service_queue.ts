import type { HubAlarm } from "../hub_alarm.ts";
import type { Keeper } from "../storage/hub_storage.ts";
import type { KeptQueue } from "./kept_queues.ts";
import { type Locked, LockQueue } from "./lock_queue.ts";

const TIME_TO_LIVE = 60 * 60 * 1000;

/** What a message to back ends says. */
export interface ServiceContent {
  /** The media type of the body, such as `application/vnd.microsoft.iothub.feedback.json`. */
  readonly contentType: string;
  /** The body, as JSON text. */
  readonly body: string;
}

/** A message to back ends that one of them has locked. */
export type ServiceMessage = ServiceContent & Omit<Locked<ServiceContent>, "message">;

/**
 * The messages of the hub to back ends, first in, first out. All back ends share the queue: the first to lock a message
 * gets it. A message is dropped after an hour, or when it has been abandoned ten times.
 */
export class ServiceQueue implements Keeper {
  readonly #alarm: HubAlarm;
  readonly #messages: LockQueue<ServiceContent>;
  readonly #listeners = new Set<() => void>();

  constructor(alarm: HubAlarm, kept: KeptQueue<ServiceContent>) {
    this.#alarm = alarm;
    this.#messages = new LockQueue(alarm, { available: () => this.#tell() }, kept);
  }

  /** Adds a message at the end. */
  add(contentType: string, body: string, now: number): void {
    this.#messages.add({ contentType, body }, now, now + TIME_TO_LIVE);
  }

  /** Locks the first message that is not locked, for a minute, and returns it. */
  lockNext(now: number): ServiceMessage | undefined {
    // Something else that is due may add a message to this queue.
    this.#alarm.ring(now);
    const locked = this.#messages.lockNext(now);
    if (locked === undefined) return undefined;
    const { message, ...lock } = locked;
    return { ...message, ...lock };
  }

  /** Ends a message. Returns `false` when the lock has been lost; the message then stays. */
  complete(lockToken: string, now: number): boolean {
    return this.#messages.remove(lockToken, now) !== undefined;
  }

  /** Gives a message back, which counts as a delivery. Returns `false` when the lock has been lost. */
  abandon(lockToken: string, now: number): boolean {
    return this.#messages.abandon(lockToken, now);
  }

  /** Gives back the message of a back end that has disconnected. This does not count as a delivery. */
  unlock(lockToken: string): void {
    this.#messages.unlock(lockToken);
  }

  /**
   * Changes the bodies of the messages that are not locked.
   *
   * @param change Returns the new body; `undefined` drops the message.
   */
  rewrite(change: (body: string) => string | undefined): void {
    this.#messages.rewrite((content) => {
      const { contentType, body } = content;
      const changed = change(body);
      return changed === undefined ? undefined : changed === body ? content : { contentType, body: changed };
    });
  }

  /**
   * Calls a listener whenever another message can be locked. Messages that could be locked before are not announced, so
   * a new listener has to look first.
   *
   * @returns A function that removes the listener.
   */
  onMessage(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  clear(): void {
    this.#messages.takeAll();
  }

  load(): void {
    this.#messages.load();
    this.#tell();
  }

  /** Removes the listeners. */
  close(): void {
    this.#listeners.clear();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
