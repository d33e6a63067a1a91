import type { QueuedMessage } from "../messages/message_queue.ts";

/** A cloud-to-device message as a device of the local hub receives it. */
export class LocalMessage {
  /** The sender's id of the message. */
  readonly messageId: string | undefined;
  /** The sender's id of what the message belongs to. */
  readonly correlationId: string | undefined;
  /** Who sent it, in the sender's words. */
  readonly userId: string | undefined;
  /** The address, such as `"/devices/d1/messages/devicebound"`. */
  readonly to: string;
  /** The media type of the data. */
  readonly contentType: string | undefined;
  /** The encoding of the data, such as `"utf-8"`. */
  readonly contentEncoding: string | undefined;
  /** What feedback the sender wants: `"none"`, `"positive"`, `"negative"` or `"full"`. */
  readonly ack: string | undefined;
  /** The sender's own properties. */
  readonly properties: Record<string, unknown>;
  /** The bytes of the message. */
  readonly data: Uint8Array;
  /** When the message came to the hub. */
  readonly enqueuedTimeUtc: Date;
  /** When the message is given up. */
  readonly expiryTimeUtc: Date;
  /** How often the device has abandoned this message before. */
  readonly deliveryCount: number;
  /** The number of the message in the queue of its device; it grows by one with each message. */
  readonly sequenceNumber: number;

  /** Not for users: a device makes these. */
  constructor(queued: QueuedMessage) {
    const { message } = queued;
    this.messageId = message.messageId;
    this.correlationId = message.correlationId;
    this.userId = message.userId;
    this.to = message.to;
    this.contentType = message.contentType;
    this.contentEncoding = message.contentEncoding;
    this.ack = message.ack;
    this.properties = { ...message.properties };
    this.data = message.data.slice();
    this.enqueuedTimeUtc = new Date(queued.enqueuedTime);
    this.expiryTimeUtc = new Date(queued.expiryTime);
    this.deliveryCount = queued.deliveryCount;
    this.sequenceNumber = queued.sequenceNumber;
  }

  /** The data as UTF-8 text. */
  get text(): string {
    return new TextDecoder().decode(this.data);
  }
}
