import type { HubAlarm, Sleeper } from "../hub_alarm.ts";
import type { FeedbackRecord } from "./message_feedback.ts";
import type { ServiceQueue } from "./service_queue.ts";

const CONTENT_TYPE = "application/vnd.microsoft.iothub.feedback.json";
const MAX_RECORDS = 64;

/**
 * Collects feedback records into messages of up to 64. A message is queued when it is full, or when the interval since
 * the previous one has passed; the first record after a quiet period is therefore queued at once.
 */
export class FeedbackBatcher implements Sleeper {
  readonly #queue: ServiceQueue;
  readonly #alarm: HubAlarm;
  readonly #now: () => number;
  readonly #intervalInMs: number;
  #records: FeedbackRecord[] = [];
  #nextFlush = -Infinity;

  constructor(queue: ServiceQueue, alarm: HubAlarm, now: () => number, intervalInMs: number) {
    this.#queue = queue;
    this.#alarm = alarm;
    this.#now = now;
    this.#intervalInMs = intervalInMs;
  }

  /** Adds a record. */
  add(record: FeedbackRecord): void {
    this.#records.push(record);
    const now = this.#now();
    if (this.#records.length >= MAX_RECORDS || now >= this.#nextFlush) this.#flush(now);
    else this.#alarm.set(this, this.#nextFlush);
  }

  /** Drops the records on a deleted device that no back end has received yet. */
  discard(deviceGenerationId: string): void {
    this.#records = this.#records.filter((record) => record.deviceGenerationId !== deviceGenerationId);
    this.#queue.rewrite((body) => {
      if (!body.includes(deviceGenerationId)) return body;
      const records: FeedbackRecord[] = JSON.parse(body);
      const others = records.filter((record) => record.deviceGenerationId !== deviceGenerationId);
      return others.length === 0 ? undefined : JSON.stringify(others);
    });
  }

  wake(now: number): void {
    if (this.#records.length > 0) this.#flush(now);
  }

  #flush(now: number): void {
    this.#alarm.forget(this);
    this.#nextFlush = now + this.#intervalInMs;
    this.#queue.add(CONTENT_TYPE, JSON.stringify(this.#records.splice(0)), now);
  }
}
