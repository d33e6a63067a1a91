import type { C2dMessage } from "../messages/c2d_message.ts";
import { AmqpWriter } from "../amqp_wire/amqp_writer.ts";

const PROPERTIES_SECTION = 0x73;
const APPLICATION_PROPERTIES_SECTION = 0x74;
const DATA_SECTION = 0x75;

/** Shared by all messages, since encoding one is never interrupted. */
const writer = new AmqpWriter();

/**
 * Encodes a message: its properties, its application properties and one data section. The result is a view that the
 * next message overwrites.
 *
 * The sections are written by hand because the AMQP library first builds a tree of typed values, which costs more than
 * the rest of a send together.
 */
export function encodeMessage(message: C2dMessage): Uint8Array {
  writeProperties(message);
  if (message.applicationProperties.length > 0) writeApplicationProperties(message.applicationProperties);
  writer.section(DATA_SECTION);
  writer.binary(message.body);
  return writer.take();
}

/** Writes the properties in the order that the standard fixes, and leaves off those after the expiry time. */
function writeProperties(message: C2dMessage): void {
  const { messageId, userId, to, correlationId, contentType, contentEncoding, absoluteExpiryTime } = message;
  writer.section(PROPERTIES_SECTION);
  const list = writer.beginList();
  writer.string(messageId);
  if (userId === undefined) writer.null();
  else writer.binaryText(userId);
  writer.string(to);
  writer.null(); // subject
  writer.null(); // reply-to
  if (correlationId === undefined) writer.null();
  else writer.string(correlationId);
  if (contentType === undefined) writer.null();
  else writer.symbol(contentType);
  if (contentEncoding === undefined) writer.null();
  else writer.symbol(contentEncoding);
  if (absoluteExpiryTime === undefined) writer.null();
  else writer.timestamp(absoluteExpiryTime);
  writer.end(list, 9);
}

function writeApplicationProperties(properties: C2dMessage["applicationProperties"]): void {
  writer.section(APPLICATION_PROPERTIES_SECTION);
  const map = writer.beginMap();
  for (const [name, value] of properties) {
    writer.string(name);
    if (typeof value === "string") writer.string(value);
    else if (typeof value === "boolean") writer.boolean(value);
    else writer.number(value);
  }
  writer.end(map, 2 * properties.length);
}
