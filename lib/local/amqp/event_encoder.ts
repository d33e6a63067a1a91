import { Buffer } from "node:buffer";
import { AmqpWriter } from "../../amqp_wire/amqp_writer.ts";
import { stampsOf, type StoredEvent } from "../events/stored_event.ts";
import { byteLength } from "../byte_length.ts";
import type { AmqpEvent } from "./backend.ts";

const DELIVERY_ANNOTATIONS = 0x71;
const MESSAGE_ANNOTATIONS = 0x72;
const PROPERTIES = 0x73;
const APPLICATION_PROPERTIES = 0x74;
const DATA = 0x75;
/** The places of the properties that are no texts. */
const USER_ID = 1;
const CONTENT_TYPE = 6;
const CONTENT_ENCODING = 7;

const ENCODER = new TextEncoder();
/** Shared by all events, since encoding one is never interrupted. */
const writer = new AmqpWriter();

/**
 * Encodes an event as a message. The library would first build a tree of typed values, which costs more than all else that
 * it does to send one.
 */
export function encodeEvent({ event, last }: AmqpEvent): Buffer {
  if (last !== undefined) writeDeliveryAnnotations(last);
  writeMessageAnnotations(event);
  writeProperties(event);
  writeApplicationProperties(event.message.properties);
  writer.section(DATA);
  writer.binary(event.message.data);
  return Buffer.from(writer.take());
}

function writeDeliveryAnnotations(last: NonNullable<AmqpEvent["last"]>): void {
  writer.section(DELIVERY_ANNOTATIONS);
  const map = writer.beginMap();
  writer.symbol("last_enqueued_sequence_number");
  writer.long(last.sequenceNumber);
  writer.symbol("last_enqueued_offset");
  writer.string(String(last.offset));
  writer.symbol("last_enqueued_time_utc");
  writer.timestamp(last.enqueuedTime);
  writer.symbol("runtime_info_retrieval_time_utc");
  writer.timestamp(last.enqueuedTime);
  writer.end(map, 8);
}

function writeMessageAnnotations(event: StoredEvent): void {
  writer.section(MESSAGE_ANNOTATIONS);
  const map = writer.beginMap();
  const stamps = Object.entries(stampsOf(event));
  for (const [name, stamp] of stamps) {
    writer.symbol(name);
    if (typeof stamp === "string") writeText(stamp);
    else writer.timestamp(stamp.getTime());
  }
  writer.symbol("x-opt-sequence-number");
  writer.long(event.sequenceNumber);
  writer.symbol("x-opt-offset");
  writer.string(String(event.offset));
  writer.symbol("x-opt-enqueued-time");
  writer.timestamp(event.enqueuedTime);
  writer.end(map, 2 * (stamps.length + 3));
}

/** Writes the properties in the order that the standard fixes, and leaves off the last ones that are missing. */
function writeProperties({ message }: StoredEvent): void {
  const { messageId, userId, to, correlationId, contentType, contentEncoding, expiryTime, creationTime } = message;
  const fields = [
    messageId,
    userId,
    to === "" ? undefined : to,
    undefined, // subject
    undefined, // reply-to
    correlationId,
    contentType,
    contentEncoding,
    expiryTime,
    creationTime,
  ];
  while (fields.length > 0 && fields[fields.length - 1] === undefined) fields.pop();
  writer.section(PROPERTIES);
  const list = writer.beginList();
  for (const [at, value] of fields.entries()) {
    if (value === undefined) writer.null();
    else if (typeof value === "number") writer.timestamp(value);
    else if (at === USER_ID) writer.binary(ENCODER.encode(value));
    else if (at === CONTENT_TYPE || at === CONTENT_ENCODING) writer.symbol(value);
    else writeText(value);
  }
  writer.end(list, fields.length);
}

/** All of them are texts, whatever the device has sent. */
function writeApplicationProperties(properties: Readonly<Record<string, unknown>>): void {
  const entries = Object.entries(properties);
  if (entries.length === 0) return;
  writer.section(APPLICATION_PROPERTIES);
  const map = writer.beginMap();
  for (const [name, value] of entries) {
    writeText(name);
    writeText(String(value));
  }
  writer.end(map, 2 * entries.length);
}

/** Most texts are ASCII and need not be encoded first. */
function writeText(text: string): void {
  if (byteLength(text) === text.length) writer.string(text);
  else writer.utf8(ENCODER.encode(text));
}
