import { cannotUse } from "../../values/checks.ts";
import { HubFault } from "../hub_fault.ts";
import { byteLength } from "../byte_length.ts";
import { checkMessageId, type CloudMessage, sizeOfMessage, TIMESTAMP_BYTES } from "./cloud_message.ts";

/** The largest message of a device: its body, its system properties, and the names and values of the others. */
export const MAX_TELEMETRY_BYTES: number = 256 * 1024;

/** A message of a device to the hub. It has what one to a device has, save what only the hub's queue needs. */
export interface TelemetryMessage extends Omit<CloudMessage, "ack"> {
  /** The component of the device that it comes from. */
  subject?: string | undefined;
  /** Marks a message of a security agent. */
  interfaceId?: string | undefined;
  /** When the device has made it, in milliseconds since the epoch. */
  creationTime?: number | undefined;
}

/**
 * Checks a message.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) or `MessageTooLarge` (413) when the hub cannot take it.
 */
export function checkTelemetryMessage(message: TelemetryMessage): void {
  checkMessageId(message);
  const size = sizeOfTelemetry(message);
  if (size <= MAX_TELEMETRY_BYTES) return;
  throw new HubFault(
    "MessageTooLarge",
    413,
    cannotUse(`a message of ${size} bytes with its properties`, `at most ${MAX_TELEMETRY_BYTES} bytes`),
  );
}

/** Returns the size of a message: its body, its system properties, and the names and values of the others. */
export function sizeOfTelemetry(message: TelemetryMessage): number {
  const { subject = "", interfaceId = "", creationTime } = message;
  const own = byteLength(subject) + byteLength(interfaceId) + (creationTime === undefined ? 0 : TIMESTAMP_BYTES);
  return sizeOfMessage(message) + own;
}
