import { responseOf } from "../../lib/local/hub_answer.ts";
import type { CloudMessage } from "../../lib/local/messages/cloud_message.ts";
import { HubState } from "../../lib/local/hub_state.ts";
import { LocalDevice } from "../../lib/local/devices/local_device.ts";
import type { FeedbackRecord } from "../../lib/local/messages/message_feedback.ts";
import type { MessageQueue, QueuedMessage } from "../../lib/local/messages/message_queue.ts";
import { requireDevice } from "../../lib/local/records/find_identity.ts";
import type { DeviceRecord } from "../../lib/local/records/identity_records.ts";
import { answerRest } from "../../lib/local/device_rest/answer_rest.ts";
import { type Answer, RestCaller } from "./rest_caller.ts";

const FEEDBACK = "/messages/serviceBound/feedback";

/** A hub without sockets, whose clock goes only when it is told to, and that has the device `d`. */
export class MessagingHub implements Disposable {
  readonly state: HubState;
  readonly rest: RestCaller;
  #time: number = Date.now();

  constructor(options: { feedbackIntervalInMs?: number; now?: () => number } = {}) {
    const { feedbackIntervalInMs = 0, now = () => this.#time } = options;
    this.state = new HubState({ hostName: "hub.example", now, clockSkew: 1e12, feedbackIntervalInMs });
    this.state.devices.create("d", {});
    const { state } = this;
    const key = state.policies.get("iothubowner")!.primaryKey;
    this.rest = new RestCaller({
      hostName: state.hostName,
      connectionString: `HostName=${state.hostName};SharedAccessKeyName=iothubowner;SharedAccessKey=${key}`,
      fetch: async (request) => responseOf(await answerRest(state, request)),
    });
  }

  get now(): number {
    return this.state.now();
  }

  /** The record of the device `d`, or of another one. */
  record(deviceId: string = "d"): DeviceRecord {
    return requireDevice(this.state.store, deviceId);
  }

  /** The queue of the device `d`. */
  get queue(): MessageQueue {
    return this.queueOf();
  }

  /** The queue of the device `d`, or of another one. */
  queueOf(deviceId: string = "d"): MessageQueue {
    return this.state.queues.of(this.record(deviceId));
  }

  /** The device `d`, in process. */
  device(): LocalDevice {
    return new LocalDevice(this.state, "d");
  }

  tick(milliseconds: number): void {
    this.#time += milliseconds;
  }

  /** Queues a message for the device `d`, or for whom `to` names. */
  send(
    messageId: string,
    message: Partial<CloudMessage> = {},
    to: { deviceId?: string; moduleId?: string } = {},
  ): void {
    const data = new TextEncoder().encode(messageId);
    this.state.queues.enqueue({ deviceId: "d", ...to }, { to: "", properties: {}, data, messageId, ...message });
  }

  /** Locks the next message of the device `d`, which has to be there. */
  lock(): QueuedMessage {
    const message = this.queue.lockNext(this.now);
    if (message === undefined) throw new Error("No message can be locked");
    return message;
  }

  /** Takes one batch of feedback. */
  receive(): Promise<Answer> {
    return this.rest.call("GET", FEEDBACK);
  }

  complete(lockToken: string): Promise<Answer> {
    return this.rest.call("DELETE", `${FEEDBACK}/${lockToken}`);
  }

  abandon(lockToken: string): Promise<Answer> {
    return this.rest.call("POST", `${FEEDBACK}/${lockToken}/abandon`);
  }

  /** Takes all batches and completes them. */
  async batches(): Promise<FeedbackRecord[][]> {
    const batches: FeedbackRecord[][] = [];
    for (;;) {
      const { status, body, headers } = await this.receive();
      if (status === 204) return batches;
      batches.push(body);
      await this.complete(headers.get("iothub-messagelocktoken")!);
    }
  }

  /** What all feedback says: message ids and outcomes. */
  async feedback(): Promise<[messageId: string, outcome: string][]> {
    return (await this.batches()).flat().map(({ originalMessageId, statusCode }) => [originalMessageId, statusCode]);
  }

  [Symbol.dispose](): void {
    this.state.close();
  }
}
