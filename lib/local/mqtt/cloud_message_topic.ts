import type { QueuedMessage } from "../messages/message_queue.ts";
import type { IdentityTarget } from "../records/find_identity.ts";
import { writePropertyBag } from "./property_bag.ts";
import { ownPath } from "./topics.ts";

/**
 * Returns the topic of a message to a device. Its end has the properties, those of the system first: some devices read
 * none before the first of these, and some fail without any.
 */
export function cloudMessageTopic(target: IdentityTarget, { message, expiryTime }: QueuedMessage): string {
  const { messageId, correlationId, userId, to, contentType, contentEncoding, ack } = message;
  const system: [name: string, value: string | undefined][] = [
    ["$.mid", messageId],
    ["$.cid", correlationId],
    ["$.uid", userId],
    ["$.to", to],
    ["$.exp", message.expiryTime === undefined ? undefined : new Date(expiryTime).toISOString()],
    ["$.ct", contentType],
    ["$.ce", contentEncoding],
  ];
  const bag = writePropertyBag([
    ...system.filter(([, value]) => value !== undefined),
    ...(ack === undefined ? [] : [["iothub-ack", ack] as const]),
    ...Object.entries(message.properties),
  ]);
  return `${ownPath(target)}/messages/devicebound/${bag}`;
}
