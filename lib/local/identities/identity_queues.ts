import type { CloudMessage } from "../messages/cloud_message.ts";
import type { FeedbackBatcher } from "../messages/feedback_batcher.ts";
import type { HubAlarm } from "../hub_alarm.ts";
import { type IdentityTarget, requireIdentity } from "../records/find_identity.ts";
import type { IdentityStore } from "../records/identity_store.ts";
import { type AnyRecord, identityKey } from "../records/identity_records.ts";
import { feedbackOn, type QueueOwner } from "../messages/message_feedback.ts";
import { MessageQueue } from "../messages/message_queue.ts";
import type { Presence } from "../sessions/presence.ts";

/** Makes the queues of identities, wakes the devices that wait at them, and reports what becomes of the messages. */
export class IdentityQueues {
  readonly #now: () => number;
  readonly #store: IdentityStore;
  readonly #presence: Presence;
  readonly #feedback: FeedbackBatcher;
  readonly #alarm: HubAlarm;

  constructor(parts: {
    now: () => number;
    store: IdentityStore;
    presence: Presence;
    feedback: FeedbackBatcher;
    alarm: HubAlarm;
  }) {
    this.#now = parts.now;
    this.#store = parts.store;
    this.#presence = parts.presence;
    this.#feedback = parts.feedback;
    this.#alarm = parts.alarm;
  }

  /**
   * Queues a message for a device or a module, and wakes the one that waits for it.
   *
   * @throws 404 where the identity does not exist or is disabled, or what the queue says against the message
   */
  enqueue(target: IdentityTarget, message: CloudMessage): void {
    this.#alarm.ring();
    const record = requireIdentity(this.#store, target, { includeDisabled: false, missingModule: "ModuleNotFound" });
    record.queue.add(message, this.#now());
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
