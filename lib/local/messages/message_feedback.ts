import type { CloudMessage } from "./cloud_message.ts";

/** How the life of a cloud-to-device message ends; each ends once. */
export type MessageOutcome = "Success" | "Expired" | "DeliveryCountExceeded" | "Rejected" | "Purged";

/** The device that a message was for, itself or one of its modules. */
export interface QueueOwner {
  readonly deviceId: string;
  readonly deviceGenerationId: string;
}

/** What became of a message, as the sender is told. */
export interface FeedbackRecord {
  originalMessageId: string;
  enqueuedTimeUtc: string;
  statusCode: MessageOutcome;
  description: string;
  deviceId: string;
  deviceGenerationId: string;
}

/** The record for an outcome; `undefined` where the sender has not asked for one, or has no name for the message. */
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
    enqueuedTimeUtc: new Date(time).toISOString(),
    statusCode: outcome,
    description: outcome,
    deviceId: owner.deviceId,
    deviceGenerationId: owner.deviceGenerationId,
  };
}

function isWanted(ack: string, outcome: MessageOutcome): boolean {
  return ack === "full" || ack === (outcome === "Success" ? "positive" : "negative");
}
