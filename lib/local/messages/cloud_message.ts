import { cannotUse, quote } from "../../values/checks.ts";
import { wrongArgument } from "../argument_faults.ts";
import { byteLength } from "../byte_length.ts";
import { HubFault } from "../hub_fault.ts";

const MAX_MESSAGE_BYTES = 64 * 1024;
const DEFAULT_TIME_TO_LIVE = 60 * 60 * 1000;
const MAX_TIME_TO_LIVE = 2 * 24 * 60 * 60 * 1000;
const MAX_MESSAGE_ID_LENGTH = 128;
/** What a time counts in the size of a message. */
export const TIMESTAMP_BYTES = 8;
const ACK_PROPERTY = "iothub-ack";
const ACKS: readonly string[] = ["none", "positive", "negative", "full"];

/** A cloud-to-device message as a sender has written it. */
export interface CloudMessage {
  messageId?: string | undefined;
  correlationId?: string | undefined;
  userId?: string | undefined;
  to: string;
  contentType?: string | undefined;
  contentEncoding?: string | undefined;
  /** In milliseconds since the epoch. */
  expiryTime?: number | undefined;
  /** The value of the application property `iothub-ack`, which `properties` does not include. */
  ack?: string | undefined;
  /** The application properties. */
  properties: Record<string, unknown>;
  data: Uint8Array;
}

/**
 * Checks a message.
 *
 * @returns When the message expires, in milliseconds since the epoch.
 * @throws {HubFault} `ArgumentInvalid` (400), `InvalidMessageExpiryTime` (403) or `MessageTooLarge` (413) when the hub
 * cannot queue it.
 */
export function checkCloudMessage(message: CloudMessage, now: number): number {
  checkMessageId(message);
  if (message.ack !== undefined && !ACKS.includes(message.ack)) {
    throw wrongArgument("iothub-ack", message.ack, ACKS.map(quote).join(" or "));
  }
  const size = sizeOfMessage(message);
  if (size > MAX_MESSAGE_BYTES) {
    throw new HubFault(
      "MessageTooLarge",
      413,
      cannotUse(`a message of ${size} bytes with its properties`, `at most ${MAX_MESSAGE_BYTES} bytes`),
    );
  }
  return expiryOf(message.expiryTime, now);
}

/**
 * Checks the id of a message, in whichever direction it goes.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when it is too long.
 */
export function checkMessageId({ messageId }: Pick<CloudMessage, "messageId">): void {
  if (messageId === undefined || messageId.length <= MAX_MESSAGE_ID_LENGTH) return;
  throw wrongArgument("message-id", messageId, `at most ${MAX_MESSAGE_ID_LENGTH} characters long`);
}

function expiryOf(expiryTime: number | undefined, now: number): number {
  if (expiryTime === undefined) return now + DEFAULT_TIME_TO_LIVE;
  if (expiryTime > now && expiryTime <= now + MAX_TIME_TO_LIVE) return expiryTime;
  throw new HubFault(
    "InvalidMessageExpiryTime",
    403,
    cannotUse(`the expiry time ${timeText(expiryTime)}`, "in the future and within two days"),
  );
}

/**
 * Returns the size of a message: the body, the values of system properties, and the names and values of application
 * properties, `iothub-ack` included. The address does not count, so that the limit is the same for every device.
 */
export function sizeOfMessage(message: CloudMessage): number {
  const { messageId, correlationId, userId, contentType, contentEncoding, expiryTime, ack } = message;
  let size = message.data.byteLength + (expiryTime === undefined ? 0 : TIMESTAMP_BYTES);
  for (const text of [messageId, correlationId, userId, contentType, contentEncoding]) size += byteLength(text ?? "");
  if (ack !== undefined) size += ACK_PROPERTY.length + ack.length;
  for (const [name, value] of Object.entries(message.properties)) size += byteLength(name) + byteLength(String(value));
  return size;
}

function timeText(milliseconds: number): string {
  const time = new Date(milliseconds);
  return Number.isNaN(time.getTime()) ? String(milliseconds) : time.toISOString();
}
