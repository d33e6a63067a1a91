import { utcTime } from "../hub_time.ts";
import type { CloudMessage } from "./cloud_message.ts";

/** How a cloud-to-device message has ended. Each message ends once. */
export type MessageOutcome = "Success" | "Expired" | "DeliveryCountExceeded" | "Rejected" | "Purged";

/** The device that a message was for, itself or one of its modules. */
export interface QueueOwner {
  readonly deviceId: string;
  readonly deviceGenerationId: string;
}

/** Tells the sender how a message has ended. */
export interface FeedbackRecord {
  originalMessageId: string;
  enqueuedTimeUtc: string;
  statusCode: MessageOutcome;
  description: string;
  deviceId: string;
  deviceGenerationId: string;
}

/** Returns the record for an outcome; `undefined` if the sender did not ask for it, or gave the message no id. */
export function feedbackOn(
  message: CloudMessage,
  outcome: MessageOutcome,
  time: number,
  owner: QueueOwner,
): FeedbackRecord | undefined {
  const { messageId, ack = "none" } = message;
  if (messageId === undefined || !isWanted(ack, outcome)) return undefined;
  return {
    originalMessageId: messageId,
    enqueuedTimeUtc: utcTime(time),
    statusCode: outcome,
    description: outcome,
    deviceId: owner.deviceId,
    deviceGenerationId: owner.deviceGenerationId,
  };
}

function isWanted(ack: string, outcome: MessageOutcome): boolean {
  return ack === "full" || ack === (outcome === "Success" ? "positive" : "negative");
}
