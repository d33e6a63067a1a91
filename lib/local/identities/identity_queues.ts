import type { Activity } from "../activity/activity.ts";
import type { LocalHubMessageEvent } from "../activity/hub_event.ts";
import type { CloudMessage } from "../messages/cloud_message.ts";
import type { FeedbackBatcher } from "../messages/feedback_batcher.ts";
import type { HubAlarm } from "../hub_alarm.ts";
import { type IdentityTarget, requireIdentity } from "../records/find_identity.ts";
import type { IdentityStore } from "../records/identity_store.ts";
import { type AnyRecord, deviceOf, keyOf } from "../records/identity_records.ts";
import { feedbackOn } from "../messages/message_feedback.ts";
import type { KeptQueues } from "../messages/kept_queues.ts";
import { MessageQueue } from "../messages/message_queue.ts";
import { type Presence, targetOf } from "../presence/presence.ts";
import type { HubStorage, Keeper } from "../storage/hub_storage.ts";

/** Holds the cloud-to-device messages of all identities. */
export class IdentityQueues implements Keeper {
  readonly #now: () => number;
  readonly #store: IdentityStore;
  readonly #presence: Presence;
  readonly #feedback: FeedbackBatcher;
  readonly #alarm: HubAlarm;
  readonly #activity: Activity;
  readonly #storage: HubStorage;
  readonly #kept: KeptQueues;
  /** By generation id, so that an identity that is deleted and created again starts with a new queue. */
  readonly #queues = new Map<string, MessageQueue>();

  constructor(parts: {
    now: () => number;
    store: IdentityStore;
    presence: Presence;
    feedback: FeedbackBatcher;
    alarm: HubAlarm;
    activity: Activity;
    storage: HubStorage;
    kept: KeptQueues;
  }) {
    this.#now = parts.now;
    this.#store = parts.store;
    this.#presence = parts.presence;
    this.#feedback = parts.feedback;
    this.#alarm = parts.alarm;
    this.#activity = parts.activity;
    this.#storage = parts.storage;
    this.#kept = parts.kept;
  }

  /**
   * Queues a message for a device or a module.
   *
   * @throws {HubFault} `DeviceNotFound` or `ModuleNotFound` (404) when the identity does not exist or is disabled, or
   * the fault with which the queue refuses the message.
   */
  enqueue(target: IdentityTarget, message: CloudMessage): void {
    this.#alarm.ring();
    const record = requireIdentity(this.#store, target, { includeDisabled: false, missingModule: "ModuleNotFound" });
    const sequenceNumber = this.#storage.together(() => this.of(record).add(message, this.#now()));
    this.#tell(record, "queued", sequenceNumber);
  }

  /** Returns the queue of an identity, which is created on first use. */
  of(record: AnyRecord): MessageQueue {
    const known = this.#queues.get(record.generationId);
    if (known !== undefined) return known;
    const queue = this.#make(record);
    this.#queues.set(record.generationId, queue);
    return queue;
  }

  /** Returns the number of messages that wait for an identity, including locked ones. */
  count(record: AnyRecord): number {
    return this.#queues.get(record.generationId)?.count(this.#now()) ?? 0;
  }

  /**
   * Discards the messages of identities that are deleted together, and the waiting feedback on the devices among them.
   */
  discard(records: readonly AnyRecord[]): void {
    for (const record of records) {
      this.#queues.get(record.generationId)?.discard();
      this.#queues.delete(record.generationId);
      if (record.kind === "device") this.#feedback.discard(record.generationId);
    }
  }

  clear(): void {
    for (const queue of this.#queues.values()) queue.discard();
    this.#queues.clear();
  }

  /** What waited for identities that are not there is dropped. */
  load(): void {
    for (const record of [...this.#store.devices.after(0), ...this.#store.modules.after(0)]) {
      if (this.#kept.has(record.generationId)) this.of(record).load();
    }
  }

  #make(record: AnyRecord): MessageQueue {
    const key = keyOf(record);
    const owner = { deviceId: record.deviceId, deviceGenerationId: deviceOf(record).generationId };
    return new MessageQueue(this.#alarm, {
      available: () => {
        for (const connection of this.#presence.active(key)) connection.messageQueued();
      },
      ended: (message, outcome, time, sequenceNumber) => {
        if (sequenceNumber !== undefined) {
          this.#tell(record, outcome === "Expired" ? "expired" : "deadLettered", sequenceNumber);
        }
        const feedback = feedbackOn(message, outcome, time, owner);
        if (feedback !== undefined) this.#feedback.add(feedback);
      },
    }, this.#kept.queue(record.generationId));
  }

  #tell(record: AnyRecord, change: LocalHubMessageEvent["change"], sequenceNumber: number): void {
    this.#activity.tell(() => ({ kind: "message", ...targetOf(record), change, sequenceNumber }));
  }
}
