import rhea from "rhea";
import type { Message } from "rhea";
import { cannotUse, describeType, quote } from "../../values/checks.ts";
import { joinBytes } from "../../values/join_bytes.ts";
import { parseDeviceAddress, parseRawDeviceAddress } from "./address.ts";
import type { MessageTarget } from "./backend.ts";
import type { CloudMessage } from "../messages/cloud_message.ts";
import { wrongArgumentType } from "../argument_faults.ts";
import { HubFault } from "../hub_fault.ts";
import type { JsonValue } from "../json.ts";
import { readJsonBytes } from "../json_bytes.ts";
import type { TelemetryMessage } from "../messages/telemetry_message.ts";

const ACK_PROPERTY = "iothub-ack";
const SUBJECT = "dt-subject";
const INTERFACE_ID = "iothub-interface-id";
const DATA_SECTION = 0x75;

/**
 * Returns the device or module that the property `to` names.
 *
 * @throws {HubFault} `InvalidOperation` (400) when it names neither.
 */
export function parseTarget(to: unknown): MessageTarget {
  if (typeof to === "string") {
    const [target, raw] = [parseDeviceAddress(to), parseRawDeviceAddress(to)];
    if (target !== undefined && raw !== undefined) return { ...target, raw };
  }
  const got = typeof to === "string" ? quote(to) : to === undefined ? "nothing" : describeType(to);
  throw new HubFault(
    "InvalidOperation",
    400,
    `The property To must contain the device identifier: /devices/{id}/messages/devicebound, got ${got}`,
  );
}

/** Tells whether a value has the type that AMQP gives a property, and names the type. */
interface PropertyType {
  readonly isLegal: (value: unknown) => boolean;
  readonly rule: string;
}

const TEXT: PropertyType = { isLegal: (value) => typeof value === "string", rule: "a string" };
const BYTES: PropertyType = { isLegal: (value) => value instanceof Uint8Array, rule: "binary" };
const ID: PropertyType = { isLegal: isIdValue, rule: "a string, a ulong, a UUID or binary" };
const TIME: PropertyType = {
  isLegal: (value) => value instanceof Date || typeof value === "number",
  rule: "a timestamp",
};
const COUNT: PropertyType = { isLegal: (value) => typeof value === "number", rule: "a uint" };

/**
 * The properties of a message with the types that AMQP gives them. The library decodes whatever comes, and throws when it
 * has to encode it again.
 */
const PROPERTY_TYPES: Readonly<Record<string, PropertyType>> = {
  message_id: ID,
  user_id: BYTES,
  to: TEXT,
  subject: TEXT,
  reply_to: TEXT,
  correlation_id: ID,
  content_type: TEXT,
  content_encoding: TEXT,
  absolute_expiry_time: TIME,
  creation_time: TIME,
  group_id: TEXT,
  group_sequence: COUNT,
  reply_to_group_id: TEXT,
};

/** Whether a value is one that the property `message-id` can have. */
export function isIdValue(value: unknown): boolean {
  return typeof value === "string" || value instanceof Uint8Array ||
    (Number.isSafeInteger(value) && Number(value) >= 0);
}

/**
 * Checks the types of all properties of a message.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when one has a type that AMQP does not allow for it.
 */
export function checkProperties(message: Message): void {
  for (const [name, { isLegal, rule }] of Object.entries(PROPERTY_TYPES)) {
    const value: unknown = message[name as keyof Message];
    if (value !== undefined && value !== null && !isLegal(value)) {
      throw wrongArgumentType(`the property ${name.replaceAll("_", "-")}`, value, rule);
    }
  }
  for (const [name, value] of Object.entries(message.application_properties ?? {})) {
    const isComposite = typeof value === "object" && value !== null && !TIME.isLegal(value) && !BYTES.isLegal(value);
    if (isComposite) throw wrongArgumentType(`the application property ${quote(name)}`, value, "a simple type");
  }
}

/**
 * Converts a message for a device to the hub's own form.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when the body is neither bytes nor text, or a property has the wrong type.
 */
export function readMessage(message: Message): CloudMessage {
  const { properties: { [ACK_PROPERTY]: ack, ...properties }, ...read } = readContent(message);
  if (ack === undefined) return { ...read, properties };
  if (typeof ack !== "string") throw wrongArgumentType(ACK_PROPERTY, ack, "a string");
  return { ...read, properties, ack };
}

/**
 * Converts a message of a device to the hub's own form.
 *
 * @throws {HubFault} `ArgumentInvalid` (400), likewise.
 */
export function readTelemetry(message: Message): TelemetryMessage {
  const read: TelemetryMessage = readContent(message);
  const { creation_time } = message;
  const [subject, interfaceId] = [readTextAnnotation(message, SUBJECT), readTextAnnotation(message, INTERFACE_ID)];
  if (subject !== undefined) read.subject = subject;
  if (interfaceId !== undefined) read.interfaceId = interfaceId;
  if (creation_time !== undefined && creation_time !== null) read.creationTime = Number(creation_time);
  return read;
}

/** Returns an annotation; `undefined` when there is none. */
export function readAnnotation({ message_annotations }: Message, name: string): unknown {
  const all: Record<string, unknown> = message_annotations ?? {};
  return (Object.hasOwn(all, name) ? all[name] : undefined) ?? undefined;
}

function readTextAnnotation(message: Message, name: string): string | undefined {
  const value = readAnnotation(message, name);
  if (value === undefined) return undefined;
  if (typeof value === "string") return value;
  throw wrongArgumentType(`the annotation ${name}`, value, "a string");
}

/** Reads what messages in both directions have. */
function readContent(message: Message): Omit<CloudMessage, "ack"> {
  checkProperties(message);
  const { message_id, correlation_id, user_id, content_type, content_encoding, absolute_expiry_time } = message;
  const read: Omit<CloudMessage, "ack"> = {
    to: message.to ?? "",
    properties: Object.fromEntries(Object.entries(message.application_properties ?? {})),
    data: readBody(message.body),
  };
  if (message_id !== undefined) read.messageId = readId(message_id);
  if (correlation_id !== undefined) read.correlationId = readId(correlation_id);
  if (user_id !== undefined) read.userId = new TextDecoder().decode(user_id as unknown as Uint8Array);
  if (content_type !== undefined) read.contentType = content_type;
  if (content_encoding !== undefined) read.contentEncoding = content_encoding;
  if (absolute_expiry_time !== undefined) read.expiryTime = Number(absolute_expiry_time);
  return read;
}

/**
 * Returns the id that says which request a message belongs to, as text.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when there is none.
 */
export function readCorrelationId({ correlation_id }: Message): string {
  if (correlation_id === undefined || correlation_id === null) {
    throw wrongArgumentType("the property correlation-id", correlation_id, ID.rule);
  }
  return readId(correlation_id);
}

/**
 * Returns the JSON in the body of a message; `undefined` when there is nothing.
 *
 * @param name Says in an error what the JSON is.
 * @throws {HubFault} `ArgumentInvalid` (400) when it is not JSON, or nested too deep.
 */
export function readJsonBody(name: string, { body }: Message): JsonValue | undefined {
  if (body === undefined || body === null) return undefined;
  return readJsonBytes(name, readBody(body));
}

/** Converts an id to text. AMQP allows a string, a number, a UUID or bytes. */
function readId(id: unknown): string {
  if (!(id instanceof Uint8Array)) return String(id);
  return id.byteLength === 16
    ? rhea.uuid_to_string(id as Parameters<typeof rhea.uuid_to_string>[0])
    : new TextDecoder().decode(id);
}

/** Returns the bytes of a body: one or more data sections, or a value that is text or bytes. */
function readBody(body: unknown): Uint8Array {
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return new Uint8Array(body);
  // A map that is the value of a message may have members of these names as well, of any type.
  const { typecode, content } = (body ?? {}) as { typecode?: unknown; content?: unknown };
  const chunks: unknown[] = Array.isArray(content) ? content : [content];
  if (typecode !== DATA_SECTION || !areBytes(chunks)) {
    throw new HubFault("ArgumentInvalid", 400, cannotUse("the body of a message", "a data section"));
  }
  return joinBytes(chunks);
}

function areBytes(chunks: unknown[]): chunks is Uint8Array[] {
  return chunks.length > 0 && chunks.every((chunk) => chunk instanceof Uint8Array);
}
