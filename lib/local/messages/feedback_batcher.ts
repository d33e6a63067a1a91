import type { HubAlarm, Sleeper } from "../hub_alarm.ts";
import type { FeedbackRecord } from "./message_feedback.ts";
import type { ServiceQueue } from "./service_queue.ts";

const CONTENT_TYPE = "application/vnd.microsoft.iothub.feedback.json";
const MAX_RECORDS = 64;

/**
 * Gathers feedback to messages of up to 64 records. A message goes out when it is full, or when an interval has passed
 * since the one before: so a record after a long quiet goes out at once.
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

  add(record: FeedbackRecord): void {
    this.#records.push(record);
    const now = this.#now();
    if (this.#records.length >= MAX_RECORDS || now >= this.#nextFlush) this.#flush(now);
    else this.#alarm.set(this, this.#nextFlush);
  }

  /** Drops what no back end has received of a device that is deleted. */
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
