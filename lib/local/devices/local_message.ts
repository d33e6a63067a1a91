import type { QueuedMessage } from "../messages/message_queue.ts";

/** A cloud-to-device message as a device of the local hub receives it. */
export class LocalMessage {
  /** The message id that the sender chose. */
  readonly messageId: string | undefined;
  /** The id of another message, or of a conversation, that this message belongs to. */
  readonly correlationId: string | undefined;
  /** The user that the sender named as its origin. */
  readonly userId: string | undefined;
  /** The address, such as `"/devices/d1/messages/devicebound"`. */
  readonly to: string;
  /** The media type of the data. */
  readonly contentType: string | undefined;
  /** The encoding of the data, such as `"utf-8"`. */
  readonly contentEncoding: string | undefined;
  /** What feedback the sender wants: `"none"`, `"positive"`, `"negative"` or `"full"`. */
  readonly ack: string | undefined;
  /** The application properties. */
  readonly properties: Record<string, unknown>;
  /** The body. */
  readonly data: Uint8Array;
  /** When the hub queued the message. */
  readonly enqueuedTimeUtc: Date;
  /** When the message expires. */
  readonly expiryTimeUtc: Date;
  /** How often the device has abandoned this message before. */
  readonly deliveryCount: number;
  /** The number of the message in the queue of its device, one higher for each message. */
  readonly sequenceNumber: number;

  /**
   * Not public: a {@linkcode LocalMessageHandler} is given one.
   *
   * @ignore
   */
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

  /** The body as UTF-8 text. */
  get text(): string {
    return new TextDecoder().decode(this.data);
  }
}
