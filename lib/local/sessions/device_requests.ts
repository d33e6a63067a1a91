import type { QueuedMessage } from "../messages/message_queue.ts";
import { checkTelemetryMessage, type TelemetryMessage } from "../messages/telemetry_message.ts";
import type { AnyRecord } from "../records/identity_records.ts";
import type { SessionParts } from "./session_parts.ts";
import type { TelemetrySender } from "./telemetry_sink.ts";

// What a device can do with and without a connection. Over HTTPS it has none: each request stands for itself.

/** How a device ends a message. */
export type Settlement = "complete" | "abandon" | "reject";

/**
 * Takes what a device sends: all of it or nothing.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) or `MessageTooLarge` (413) when the hub cannot take it.
 */
export function takeTelemetry(
  parts: SessionParts,
  record: AnyRecord,
  messages: readonly TelemetryMessage[],
  sender: TelemetrySender,
): void {
  for (const message of messages) checkTelemetryMessage(message);
  for (const message of messages) parts.telemetry.add(record, message, parts.now(), sender);
  parts.presence.touch(record);
}

/** Locks the next message for a device, if there is one. */
export function receiveMessage(
  { now, queues, presence }: SessionParts,
  record: AnyRecord,
  lockDurationInMs: number | undefined,
): QueuedMessage | undefined {
  presence.touch(record);
  return queues.of(record).lockNext(now(), lockDurationInMs);
}

/** Ends the message under a lock, or gives it back. Returns `false` when the lock has been lost. */
export function settleMessage(
  { now, queues, presence }: SessionParts,
  record: AnyRecord,
  lockToken: string,
  how: Settlement,
): boolean {
  presence.touch(record);
  return queues.of(record)[how]({ lockToken }, now());
}
