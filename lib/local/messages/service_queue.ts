import type { HubAlarm } from "../hub_alarm.ts";
import { type Locked, LockQueue } from "./lock_queue.ts";

const TIME_TO_LIVE = 60 * 60 * 1000;

interface ServiceContent {
  /** Such as `application/vnd.microsoft.iothub.feedback.json`. */
  readonly contentType: string;
  /** JSON text. */
  readonly body: string;
}

/** A message to back ends, locked by the one that took it. */
export type ServiceMessage = ServiceContent & Omit<Locked<ServiceContent>, "message">;

/**
 * What the hub has to say to back ends, which share it: a message goes to whoever locks it first. First in, first out;
 * an unlocked message is gone after an hour, and one that was abandoned ten times at once.
 */
export class ServiceQueue {
  readonly #alarm: HubAlarm;
  readonly #messages: LockQueue<ServiceContent>;
  readonly #listeners = new Set<() => void>();

  constructor(alarm: HubAlarm) {
    this.#alarm = alarm;
    this.#messages = new LockQueue(alarm, { available: () => this.#tell() });
  }

  /** Queues a message behind the others. */
  add(contentType: string, body: string, now: number): void {
    this.#messages.add({ contentType, body }, now, now + TIME_TO_LIVE);
  }

  /** Locks the first message that is not locked, for a minute, and hands it out. */
  lockNext(now: number): ServiceMessage | undefined {
    // What falls due elsewhere may come to this queue.
    this.#alarm.ring(now);
    const locked = this.#messages.lockNext(now);
    if (locked === undefined) return undefined;
    const { message, ...lock } = locked;
    return { ...message, ...lock };
  }

  /** Ends a message. `false`: the lock was lost, the message stays. */
  complete(lockToken: string, now: number): boolean {
    return this.#messages.remove(lockToken, now);
  }

  /** Gives a message back, which counts. `false`: the lock was lost. */
  abandon(lockToken: string, now: number): boolean {
    return this.#messages.abandon(lockToken, now);
  }

  /** Gives a message back whose back end has left; this does not count. */
  unlock(lockToken: string): void {
    this.#messages.unlock(lockToken);
  }

  /**
   * Changes the bodies of the messages that nobody has locked.
   *
   * @param change gives the new body; `undefined` drops the message
   */
  rewrite(change: (body: string) => string | undefined): void {
    this.#messages.rewrite(({ contentType, body }) => {
      const changed = change(body);
      return changed === undefined ? undefined : { contentType, body: changed };
    });
  }

  /**
   * Calls a listener whenever a message has become one that can be locked. One that could be locked before is not
   * announced: look first.
   *
   * @returns the way to stop it
   */
  onMessage(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Forgets the listeners. */
  close(): void {
    this.#listeners.clear();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
