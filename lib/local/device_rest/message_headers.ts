import { wrongArgument } from "../argument_faults.ts";
import { invalidArgument } from "../hub_fault.ts";
import { utcTime } from "../hub_time.ts";
import type { QueuedMessage } from "../messages/message_queue.ts";
import type { TelemetryMessage } from "../messages/telemetry_message.ts";

/** What a message has besides its body. */
type MessageProperties = Omit<TelemetryMessage, "data" | "to"> & { to?: string };

const APPLICATION = "iothub-app-";
const EXPIRY = "iothub-expiry";

/** The headers of system properties. Others have no meaning for a message. */
const SYSTEM: Readonly<Record<string, Exclude<keyof MessageProperties, "properties" | "expiryTime" | "creationTime">>> =
  {
    "iothub-messageid": "messageId",
    "iothub-correlationid": "correlationId",
    "iothub-userid": "userId",
    "iothub-to": "to",
    "iothub-contenttype": "contentType",
    "iothub-contentencoding": "contentEncoding",
    "iothub-interface-id": "interfaceId",
    "dt-subject": "subject",
  };

/**
 * Reads what headers say of a message, or the properties in a batch, which have the same names.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when one of them cannot be used.
 */
export function readMessageHeaders(headers: Iterable<[name: string, value: string]>): MessageProperties {
  const read: MessageProperties = { properties: {} };
  const properties: [string, string][] = [];
  for (const [name, value] of headers) {
    const lowerCase = name.toLowerCase();
    if (lowerCase.startsWith(APPLICATION)) properties.push([nameOf(name), value]);
    else if (lowerCase === EXPIRY) read.expiryTime = readTime(value);
    else if (Object.hasOwn(SYSTEM, lowerCase)) read[SYSTEM[lowerCase]!] = value;
  }
  // Any name may come, `__proto__` too.
  read.properties = Object.fromEntries(properties);
  return read;
}

function nameOf(header: string): string {
  if (header.length > APPLICATION.length) return header.slice(APPLICATION.length);
  throw invalidArgument(`Cannot use the header ${APPLICATION}: it must end with the name of a property`);
}

function readTime(text: string): number {
  const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(new Date(time).getTime())) throw wrongArgument(EXPIRY, text, "a time such as 2030-01-31T12:00:00Z");
  return time;
}

/** Returns the headers with which a device receives a message. */
export function writeMessageHeaders(queued: QueuedMessage): Record<string, string> {
  const { message, lockToken } = queued;
  const headers: Record<string, string | undefined> = {
    "etag": `"${lockToken}"`,
    "iothub-sequencenumber": String(queued.sequenceNumber),
    "iothub-enqueuedtime": utcTime(queued.enqueuedTime),
    "iothub-deliverycount": String(queued.deliveryCount),
    "iothub-expiry": utcTime(queued.expiryTime),
    "iothub-to": message.to,
    "iothub-messageid": message.messageId,
    "iothub-correlationid": message.correlationId,
    "iothub-userid": message.userId,
    "iothub-ack": message.ack,
    "iothub-contenttype": message.contentType,
    "iothub-contentencoding": message.contentEncoding,
    // So the SDK for C reads them.
    "contenttype": message.contentType,
    "contentencoding": message.contentEncoding,
  };
  for (const [name, value] of Object.entries(message.properties)) {
    headers[APPLICATION + escape(name, NOT_IN_NAMES)] = String(value);
  }
  const written = Object.entries(headers).filter((header): header is [string, string] => header[1] !== undefined);
  return Object.fromEntries(written.map(([name, value]) => [name, escape(value, NOT_IN_VALUES)]));
}

const NOT_IN_NAMES = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/gu;
const NOT_IN_VALUES = /[^\x20-\x7e]/gu;

/** Percent-encodes the characters that a header cannot have. A hub takes ASCII alone, and this one takes everything. */
function escape(text: string, forbidden: RegExp): string {
  return text.replace(forbidden, (character) => {
    const bytes = new TextEncoder().encode(character);
    return [...bytes].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
  });
}
