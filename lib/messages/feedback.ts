import type { FeedbackRecord } from "../../gen/types.gen.ts";
import { receiveFeedback } from "../transport/operations.ts";
import type { ServiceBoundQueue } from "./receiving.ts";
import type { Settlement } from "./settlement.ts";

/** A record of what happened to a message that asked for feedback, with methods to complete it or return it to the hub. */
export type ReceivedFeedback = FeedbackRecord & Settlement;

const STATUS_CODES = ["Success", "Expired", "DeliveryCountExceeded", "Rejected", "Purged"] as const;

/** The queue of feedback. Each of its messages contains an array of records. */
export const FEEDBACK: ServiceBoundQueue<FeedbackRecord> = {
  operation: receiveFeedback,
  address: "/messages/serviceBound/feedback",
  read(json) {
    if (!Array.isArray(json) || !json.every((record) => typeof record === "object" && record !== null)) {
      return undefined;
    }
    return json.map((record: FeedbackRecord) => ({ ...record, statusCode: spelledAsUsual(record.statusCode) }));
  },
};

/** Normalizes the case of a status, which is not the same everywhere. */
function spelledAsUsual(statusCode: FeedbackRecord["statusCode"]): FeedbackRecord["statusCode"] {
  const lowerCase = String(statusCode).toLowerCase();
  return STATUS_CODES.find((known) => known.toLowerCase() === lowerCase) ?? statusCode;
}
