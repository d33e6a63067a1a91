import { type ReceivedEvent, receivedEvent } from "../values/received_event.ts";
import type { Message } from "./library.ts";
import { bytesOf } from "./message_bytes.ts";
import { setOwn } from "../values/own_member.ts";

const DEVICE = "iothub-connection-device-id";
const MODULE = "iothub-connection-module-id";
const SOURCE = "iothub-message-source";
const SEQUENCE_NUMBER = "x-opt-sequence-number";
const OFFSET = "x-opt-offset";
const ENQUEUED_TIME = "x-opt-enqueued-time";
/** The annotations that are members of an event. */
const PLACE: readonly string[] = [SEQUENCE_NUMBER, OFFSET, ENQUEUED_TIME];
/** The properties of a message, as it and as an event calls them. */
const PROPERTIES: readonly (readonly [keyof Message, name: string])[] = [
  ["message_id", "messageId"],
  ["correlation_id", "correlationId"],
  ["user_id", "userId"],
  ["content_type", "contentType"],
  ["content_encoding", "contentEncoding"],
  ["to", "to"],
  ["absolute_expiry_time", "absoluteExpiryTime"],
  ["creation_time", "creationTime"],
];

/** Converts a message to an event; `undefined` when it does not say where the event is. */
export function readEvent(message: Message, partitionId: string): ReceivedEvent | undefined {
  const annotations = message.message_annotations ?? {};
  const [sequenceNumber, offset, time] = [
    annotations[SEQUENCE_NUMBER],
    annotations[OFFSET],
    annotations[ENQUEUED_TIME],
  ];
  const enqueuedTimeUtc = new Date(time instanceof Date ? time.getTime() : typeof time === "number" ? time : NaN);
  const isPlaced = Number.isSafeInteger(sequenceNumber) && Number(sequenceNumber) >= 0 &&
    (typeof offset === "string" || typeof offset === "number") && !Number.isNaN(enqueuedTimeUtc.getTime());
  if (!isPlaced) return undefined;
  const moduleId = annotations[MODULE];
  return receivedEvent({
    deviceId: textOf(annotations[DEVICE]),
    moduleId: moduleId === undefined || moduleId === null ? undefined : textOf(moduleId),
    source: textOf(annotations[SOURCE]),
    body: new Uint8Array(bytesOf(message.body)),
    properties: textsOf(message.application_properties ?? {}),
    systemProperties: systemPropertiesOf(message, annotations),
    enqueuedTimeUtc,
    sequenceNumber: Number(sequenceNumber),
    offset: String(offset),
    partitionId,
  });
}

function textsOf(values: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const name of Object.keys(values)) setOwn(texts, name, textOf(values[name]));
  return texts;
}

function systemPropertiesOf(message: Message, annotations: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const [property, name] of PROPERTIES) {
    const value = message[property];
    if (value !== undefined && value !== null) read[name] = value instanceof Date ? value : textOf(value);
  }
  for (const name of Object.keys(annotations)) {
    const value = annotations[name];
    if (!PLACE.includes(name) && value !== undefined && value !== null) setOwn(read, name, simple(value));
  }
  return read;
}

/** A value that users can rely on: a text, a number, a boolean or a time. */
function simple(value: unknown): unknown {
  const isSimple = typeof value === "number" || typeof value === "boolean" || value instanceof Date;
  return isSimple ? value : textOf(value);
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (value instanceof Date) return value.toISOString();
  return value === undefined || value === null ? "" : String(value);
}
