import { wrongArgument } from "../argument_faults.ts";
import type { TelemetryMessage } from "../messages/telemetry_message.ts";
import { readPropertyBag } from "./property_bag.ts";

/** The members of a message, by the names of system properties. All others are properties like those of the device. */
const SYSTEM_PROPERTIES: Readonly<
  Record<string, Exclude<keyof TelemetryMessage, "data" | "properties" | "expiryTime" | "creationTime">>
> = {
  "$.mid": "messageId",
  "$.cid": "correlationId",
  "$.uid": "userId",
  "$.ct": "contentType",
  "$.ce": "contentEncoding",
  "$.sub": "subject",
  "$.ifid": "interfaceId",
  "$.to": "to",
};

/**
 * Converts what a device has published to the hub's own form.
 *
 * @param bag The properties, as they stand in the topic.
 * @param isRetained Whether the device wants the message to be retained, which no hub does.
 * @throws {HubFault} `ArgumentInvalid` (400) when a property cannot be read.
 */
export function readTelemetry(bag: string, data: Uint8Array, isRetained: boolean): TelemetryMessage {
  const message: TelemetryMessage = { to: "", properties: {}, data };
  const properties = new Map<string, string>();
  for (const [name, value] of readPropertyBag(bag)) {
    const member = Object.hasOwn(SYSTEM_PROPERTIES, name) ? SYSTEM_PROPERTIES[name] : undefined;
    if (member !== undefined) message[member] = value;
    else if (name === "$.exp") message.expiryTime = readTime(name, value);
    else if (name === "$.ctime") message.creationTime = readTime(name, value);
    else properties.set(name, value);
  }
  if (isRetained) properties.set("mqtt-retain", "true");
  return { ...message, properties: Object.fromEntries(properties) };
}

function readTime(name: string, text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw wrongArgument(name, text, "a time such as 2026-11-27T12:00:00Z");
  return time;
}
