import type { FeedbackBatcher } from "../messages/feedback_batcher.ts";
import type { HubAlarm } from "../hub_alarm.ts";
import { type AnyRecord, identityKey } from "../records/identity_records.ts";
import { feedbackOn, type QueueOwner } from "../messages/message_feedback.ts";
import { MessageQueue } from "../messages/message_queue.ts";
import type { Presence } from "../sessions/presence.ts";

/** Makes the queues of identities, wakes the devices that wait at them, and reports what becomes of the messages. */
export class IdentityQueues {
  readonly #presence: Presence;
  readonly #feedback: FeedbackBatcher;
  readonly #alarm: HubAlarm;

  constructor(presence: Presence, feedback: FeedbackBatcher, alarm: HubAlarm) {
    this.#presence = presence;
    this.#feedback = feedback;
    this.#alarm = alarm;
  }

  create(owner: QueueOwner): MessageQueue {
    return new MessageQueue(this.#alarm, {
      available: () => this.#presence.active(identityKey(owner.deviceId, owner.moduleId))?.messageQueued(),
      ended: (message, outcome, time) => {
        const record = feedbackOn(message, outcome, time, owner);
        if (record !== undefined) this.#feedback.add(record);
      },
    });
  }

  /** Discards the messages of identities that are deleted together, and the feedback about those of a device. */
  discard(records: readonly AnyRecord[]): void {
    for (const record of records) {
      record.queue.discard();
      if (record.kind === "device") this.#feedback.discard(record.generationId);
    }
  }
}
