import type { HubAlarm, Sleeper } from "./hub_alarm.ts";

const LOCK_DURATION = 60_000;
const TIME_TO_LIVE = 60 * 60 * 1000;
const MAX_DELIVERY_COUNT = 10;

/** A message to back ends, locked by the one that took it. */
export interface ServiceMessage {
  /** A GUID, new at each lock. */
  readonly lockToken: string;
  /** Milliseconds since the epoch. */
  readonly enqueuedTime: number;
  /** How often a back end has abandoned it. */
  readonly deliveryCount: number;
  /** Such as `application/vnd.microsoft.iothub.feedback.json`. */
  readonly contentType: string;
  /** JSON text. */
  readonly body: string;
}

interface Entry {
  readonly enqueuedTime: number;
  readonly contentType: string;
  body: string;
  deliveryCount: number;
  /** `undefined`: not locked. */
  lockToken: string | undefined;
  /** 0: not locked. */
  lockedUntil: number;
}

/**
 * What the hub has to say to back ends, which share it: a message goes to whoever locks it first. First in, first out;
 * an unlocked message is gone after an hour, and one that was abandoned ten times at once.
 */
export class ServiceQueue implements Sleeper {
  readonly #alarm: HubAlarm;
  readonly #listeners = new Set<() => void>();
  /** In the order in which they came: a message that comes back is where it was. */
  #entries: Entry[] = [];
  /** No message expires and no lock ends before. */
  #due = Infinity;

  constructor(alarm: HubAlarm) {
    this.#alarm = alarm;
  }

  /** Queues a message behind the others. */
  add(contentType: string, body: string, now: number): void {
    this.#entries.push({
      enqueuedTime: now,
      contentType,
      body,
      deliveryCount: 0,
      lockToken: undefined,
      lockedUntil: 0,
    });
    this.#setDue(now + TIME_TO_LIVE);
    this.#tell();
  }

  /** Locks the first message that is not locked, for a minute, and hands it out. */
  lockNext(now: number): ServiceMessage | undefined {
    // What falls due elsewhere may come to this queue.
    this.#alarm.ring(now);
    this.#sweep(now);
    const entry = this.#entries.find(({ lockToken }) => lockToken === undefined);
    if (entry === undefined) return undefined;
    const { enqueuedTime, deliveryCount, contentType, body } = entry;
    const lockToken = crypto.randomUUID();
    entry.lockToken = lockToken;
    entry.lockedUntil = now + LOCK_DURATION;
    this.#setDue(entry.lockedUntil);
    return { lockToken, enqueuedTime, deliveryCount, contentType, body };
  }

  /** Ends a message. `false`: the lock was lost, the message stays. */
  complete(lockToken: string, now: number): boolean {
    const entry = this.#locked(lockToken, now);
    if (entry !== undefined) this.#remove(entry);
    return entry !== undefined;
  }

  /** Gives a message back, which counts. `false`: the lock was lost. */
  abandon(lockToken: string, now: number): boolean {
    const entry = this.#locked(lockToken, now);
    if (entry === undefined) return false;
    entry.deliveryCount++;
    if (entry.deliveryCount >= MAX_DELIVERY_COUNT) this.#remove(entry);
    else this.#putBack(entry);
    return true;
  }

  /** Gives a message back whose back end has left; this does not count. */
  unlock(lockToken: string): void {
    const entry = this.#entries.find((candidate) => candidate.lockToken === lockToken);
    if (entry !== undefined) this.#putBack(entry);
  }

  /**
   * Changes the bodies of the messages that nobody has locked.
   *
   * @param change gives the new body; `undefined` drops the message
   */
  rewrite(change: (body: string) => string | undefined): void {
    this.#entries = this.#entries.filter((entry) => {
      if (entry.lockToken !== undefined) return true;
      const body = change(entry.body);
      if (body !== undefined) entry.body = body;
      return body !== undefined;
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

  /** Forgets the listeners, and what falls due. */
  close(): void {
    this.#listeners.clear();
    this.#alarm.forget(this);
  }

  /** Drops what is too old, and offers again what was locked for too long. */
  wake(now: number): void {
    if (this.#sweep(now)) this.#tell();
  }

  #locked(lockToken: string, now: number): Entry | undefined {
    return this.#entries.find((entry) => entry.lockToken === lockToken && entry.lockedUntil > now);
  }

  #remove(entry: Entry): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
  }

  #putBack(entry: Entry): void {
    release(entry);
    this.#setDue(entry.enqueuedTime + TIME_TO_LIVE);
    this.#tell();
  }

  /** @returns whether a lock has ended */
  #sweep(now: number): boolean {
    if (now < this.#due) return false;
    let hasFreed = false;
    this.#due = Infinity;
    this.#alarm.forget(this);
    this.#entries = this.#entries.filter((entry) => {
      const { lockedUntil } = entry;
      const expiryTime = entry.enqueuedTime + TIME_TO_LIVE;
      if (lockedUntil <= now && expiryTime <= now) return false;
      if (entry.lockToken !== undefined && lockedUntil <= now) {
        release(entry);
        hasFreed = true;
      }
      this.#setDue(entry.lockToken === undefined ? expiryTime : lockedUntil);
      return true;
    });
    return hasFreed;
  }

  #setDue(time: number): void {
    if (time >= this.#due) return;
    this.#due = time;
    this.#alarm.set(this, time);
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function release(entry: Entry): void {
  entry.lockToken = undefined;
  entry.lockedUntil = 0;
}
