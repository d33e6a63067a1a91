import type { AmqpBytes } from "./buffer_class.ts";
import type { Message } from "./library.ts";
import { ValueReader } from "./value_reader.ts";

const MESSAGE_ANNOTATIONS = 0x72;
const PROPERTIES = 0x73;
const APPLICATION_PROPERTIES = 0x74;
const DATA = 0x75;

/** The properties, by their places in their section. */
const PROPERTY_NAMES: readonly string[] = [
  ...["message_id", "user_id", "to", "subject", "reply_to", "correlation_id"],
  ...["content_type", "content_encoding", "absolute_expiry_time", "creation_time"],
];

/**
 * Decodes a message that has been checked. It reads what an event has: of the kinds of bodies, data alone.
 *
 * The library would first build a tree of typed values, which costs more than the rest of what it does to receive one.
 */
export function decodeMessage(bytes: AmqpBytes): Message {
  const message: Record<string, unknown> = {};
  const content: unknown[] = [];
  const reader = new ValueReader(bytes);
  while (reader.hasMore) {
    switch (reader.descriptor()) {
      case MESSAGE_ANNOTATIONS:
        message["message_annotations"] = reader.map();
        break;
      case PROPERTIES: {
        const values = reader.list();
        PROPERTY_NAMES.forEach((name, place) => message[name] = values[place]);
        break;
      }
      case APPLICATION_PROPERTIES:
        message["application_properties"] = reader.map();
        break;
      case DATA:
        content.push(reader.value());
        break;
      default:
        reader.value();
    }
  }
  return { ...message, body: { content } };
}
