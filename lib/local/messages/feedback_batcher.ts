import type { HubAlarm, Sleeper } from "../hub_alarm.ts";
import type { HubStorage, Keeper } from "../storage/hub_storage.ts";
import type { Table } from "../storage/table.ts";
import type { FeedbackRecord } from "./message_feedback.ts";
import type { ServiceQueue } from "./service_queue.ts";

const CONTENT_TYPE = "application/vnd.microsoft.iothub.feedback.json";
const MAX_RECORDS = 64;

/** What is kept of the records that wait. */
interface KeptFeedback {
  readonly records: FeedbackRecord[];
  /** JSON has no infinity, which is `null` there. */
  readonly nextFlush: number | null;
}

/**
 * Collects feedback records into messages of up to 64. A message is queued when it is full, or when the interval since
 * the previous one has passed; the first record after a quiet period is therefore queued at once.
 */
export class FeedbackBatcher implements Sleeper, Keeper {
  readonly #queue: ServiceQueue;
  readonly #alarm: HubAlarm;
  readonly #now: () => number;
  readonly #intervalInMs: number;
  readonly #storage: HubStorage;
  readonly #table: Table<KeptFeedback>;
  #records: FeedbackRecord[] = [];
  #nextFlush = -Infinity;

  constructor(
    parts: { queue: ServiceQueue; alarm: HubAlarm; now: () => number; intervalInMs: number; storage: HubStorage },
  ) {
    this.#queue = parts.queue;
    this.#alarm = parts.alarm;
    this.#now = parts.now;
    this.#intervalInMs = parts.intervalInMs;
    this.#storage = parts.storage;
    this.#table = parts.storage.table({
      name: "feedbackRecords",
      keyOf: () => "waiting",
      valueOf: (kept) => kept,
      items: () => [this.#kept],
    });
  }

  /** Adds a record. */
  add(record: FeedbackRecord): void {
    this.#records.push(record);
    const now = this.#now();
    if (this.#records.length >= MAX_RECORDS || now >= this.#nextFlush) return this.#flush(now);
    this.#alarm.set(this, this.#nextFlush);
    this.#table.put(this.#kept);
  }

  /** Drops the records on a deleted device that no back end has received yet. */
  discard(deviceGenerationId: string): void {
    const before = this.#records;
    this.#records = before.filter((record) => record.deviceGenerationId !== deviceGenerationId);
    if (this.#records.length < before.length) this.#table.put(this.#kept);
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

  clear(): void {
    this.#alarm.forget(this);
    this.#records = [];
    this.#nextFlush = -Infinity;
  }

  load(): void {
    for (const { value } of this.#table.read()) {
      const { records, nextFlush } = value as KeptFeedback;
      this.#records = records;
      this.#nextFlush = nextFlush ?? -Infinity;
    }
    if (this.#records.length > 0) this.#alarm.set(this, this.#nextFlush);
  }

  #flush(now: number): void {
    this.#storage.together(() => {
      this.#alarm.forget(this);
      this.#nextFlush = now + this.#intervalInMs;
      this.#queue.add(CONTENT_TYPE, JSON.stringify(this.#records.splice(0)), now);
      this.#table.put(this.#kept);
    });
  }

  get #kept(): KeptFeedback {
    return { records: this.#records, nextFlush: this.#nextFlush };
  }
}
