import type { CloudMessage } from "./cloud_message.ts";
import type { FeedbackBatcher } from "./feedback_batcher.ts";
import type { HubAlarm } from "./hub_alarm.ts";
import { type AnyRecord, identityKey } from "./identity_records.ts";
import { feedbackOn, type MessageOutcome, type QueueOwner } from "./message_feedback.ts";
import { MessageQueue, type QueueListener } from "./message_queue.ts";
import type { Presence } from "./presence.ts";

/** Makes the queues of identities, wakes the devices that wait at them, and reports what becomes of the messages. */
export class MessageQueues implements QueueListener {
  readonly #presence: Presence;
  readonly #feedback: FeedbackBatcher;
  readonly #alarm: HubAlarm;

  constructor(presence: Presence, feedback: FeedbackBatcher, alarm: HubAlarm) {
    this.#presence = presence;
    this.#feedback = feedback;
    this.#alarm = alarm;
  }

  create(owner: QueueOwner): MessageQueue {
    return new MessageQueue(owner, this, this.#alarm);
  }

  /** Discards the messages of identities that are deleted together, and the feedback about those of a device. */
  discard(records: readonly AnyRecord[]): void {
    for (const record of records) {
      record.queue.discard();
      if (record.kind === "device") this.#feedback.discard(record.generationId);
    }
  }

  ended(owner: QueueOwner, message: CloudMessage, outcome: MessageOutcome, time: number): void {
    const record = feedbackOn(message, outcome, time, owner);
    if (record !== undefined) this.#feedback.add(record);
  }

  available({ deviceId, moduleId }: QueueOwner): void {
    this.#presence.active(identityKey(deviceId, moduleId))?.messageQueued();
  }
}
