import type { C2dMessage } from "../messages/c2d_message.ts";
import { AmqpWriter } from "./amqp_writer.ts";

const PROPERTIES_SECTION = 0x73;
const APPLICATION_PROPERTIES_SECTION = 0x74;
const DATA_SECTION = 0x75;

/** One for all: encoding never waits for anything. */
const writer = new AmqpWriter();

/**
 * The sections of a message as they travel: properties, application properties and one data section. The result is a view
 * that the next message overwrites.
 *
 * They are written by hand, because the AMQP library builds a tree of typed values first, which costs more than all the
 * rest of a send.
 */
export function encodeMessage(message: C2dMessage): Uint8Array {
  writeProperties(message);
  if (message.applicationProperties.length > 0) writeApplicationProperties(message.applicationProperties);
  writer.section(DATA_SECTION);
  writer.binary(message.body);
  return writer.take();
}

/** The order is fixed by the standard; the fields after the expiry time are left off. */
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
