import { checkChoice, checkType, quote, wrongType, wrongValue } from "../values/checks.ts";
import { checkId, checkMessageId } from "../values/ids.ts";
import { isObject } from "../values/json.ts";

/**
 * Which feedback the hub sends for a message: when it was delivered (`positive`), when it could not be delivered
 * (`negative`), in both cases (`full`), or never (`none`).
 */
export type C2dAcknowledgement = "none" | "positive" | "negative" | "full";

/**
 * The properties of a cloud-to-device message, in one flat object. The members listed here are system properties, and every
 * other member becomes an application property. Members that are `undefined` are left out.
 */
export interface C2dMessageProperties {
  /**
   * Identifies the message, also in feedback. It has 1 to 128 of the characters that a device id may have.
   * @default {crypto.randomUUID()}
   */
  messageId?: string | undefined;
  /** Connects the message to another one, such as the request that it answers. */
  correlationId?: string | undefined;
  /** The media type of the body, such as `application/json`. */
  contentType?: string | undefined;
  /** The encoding of the body, such as `utf-8`. */
  contentEncoding?: string | undefined;
  /** The user who sends the message. */
  userId?: string | undefined;
  /**
   * When the hub drops the message if the device has not received it: a `Date`, an ISO 8601 text (in UTC if it names no
   * time zone), or milliseconds since 1970. It may be at most two days ahead. If it is left out, the hub's own default
   * applies, which is one hour unless the hub is configured otherwise.
   */
  expiryTimeUtc?: Date | string | number | undefined;
  /**
   * Which feedback to ask for.
   * @default {"none"}
   */
  ack?: C2dAcknowledgement | undefined;
  /**
   * An application property. Its name must be printable ASCII, and its value printable ASCII text, a finite number or a
   * boolean.
   */
  [name: string]: string | number | boolean | Date | undefined;
}

/** The address to which messages for devices are sent. */
export const C2D_ADDRESS = "/messages/devicebound";

/** A cloud-to-device message that has passed every check, in terms of AMQP but independent of any AMQP library. */
export interface C2dMessage {
  /** The address, with the device id percent-encoded. */
  readonly to: string;
  /** Who it is for, as errors show it. */
  readonly target: { readonly deviceId: string; readonly moduleId?: string };
  readonly messageId: string;
  readonly correlationId?: string | undefined;
  readonly userId?: string | undefined;
  readonly contentType?: string | undefined;
  readonly contentEncoding?: string | undefined;
  /** In milliseconds since 1970. */
  readonly absoluteExpiryTime?: number | undefined;
  /** Pairs instead of an object, so that no name (such as `__proto__`) has a side effect. */
  readonly applicationProperties: readonly (readonly [name: string, value: string | number | boolean])[];
  readonly body: Uint8Array;
}

/** Returns a message with more application properties, of which its own come first. */
export function withProperties(message: C2dMessage, more: Record<string, string> | undefined): C2dMessage {
  if (more === undefined) return message;
  const { applicationProperties } = message;
  const added = Object.entries(more).filter(([name]) => applicationProperties.every(([own]) => own !== name));
  return { ...message, applicationProperties: [...applicationProperties, ...added] };
}

const MAX_SIZE_IN_BYTES = 65_536;
const MAX_LIFETIME_IN_MS = 2 * 24 * 3_600_000;
const PRINTABLE_ASCII_REGEXP = /^[\x20-\x7e]*$/;
const PRINTABLE_ASCII = "printable ASCII, since it can hold nothing else";
const ISO_8601_REGEXP = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?(Z|[+-]\d{2}:\d{2})?$/i;
const ACKNOWLEDGEMENTS: readonly string[] = ["none", "positive", "negative", "full"] satisfies C2dAcknowledgement[];

/** The application property that asks the hub for feedback. */
const ACK_PROPERTY = "iothub-ack";
const SYSTEM_PROPERTIES: ReadonlySet<string> = new Set([
  "messageId",
  "correlationId",
  "contentType",
  "contentEncoding",
  "userId",
  "expiryTimeUtc",
  "ack",
]);

/**
 * Checks everything that can be checked without the hub, and builds the message.
 *
 * @throws {TypeError} When a value has the wrong type.
 * @throws {RangeError} When a value is not legal, or the message is larger than 64 KB.
 */
export function buildC2dMessage(
  deviceId: string,
  body: string | Uint8Array,
  properties: C2dMessageProperties = {},
  moduleId?: string,
): C2dMessage {
  if (!isObject(properties)) throw wrongType("properties", "an object", properties);
  const given = (name: string): unknown => Object.hasOwn(properties, name) ? properties[name] : undefined;
  const message: C2dMessage = {
    to: addressOf(deviceId, moduleId),
    target: moduleId === undefined ? { deviceId } : { deviceId, moduleId },
    messageId: readMessageId(given("messageId")),
    correlationId: readText("correlationId", given("correlationId")),
    userId: readText("userId", given("userId")),
    contentType: readText("contentType", given("contentType")),
    contentEncoding: readText("contentEncoding", given("contentEncoding")),
    absoluteExpiryTime: readExpiry(given("expiryTimeUtc")),
    applicationProperties: gatherApplicationProperties(properties, given("ack")),
    body: toBytes(body),
  };
  const size = sizeOf(message);
  if (size > MAX_SIZE_IN_BYTES) {
    throw wrongValue(`a message of ${size} bytes`, `${MAX_SIZE_IN_BYTES} bytes (64 KB) at most, with its properties`);
  }
  return message;
}

function addressOf(deviceId: string, moduleId: string | undefined): string {
  checkId("deviceId", deviceId);
  const device = `/devices/${encodeURIComponent(deviceId)}`;
  if (moduleId === undefined) return `${device}/messages/devicebound`;
  return `${device}/modules/${encodeURIComponent(moduleId)}/messages/devicebound`;
}

/** Returns a copy of the body, since the caller may change its array while the message waits to be sent. */
function toBytes(body: string | Uint8Array): Uint8Array {
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return new Uint8Array(body);
  throw wrongType("message", "a string or a Uint8Array", body);
}

function readMessageId(value: unknown): string {
  if (value === undefined) return crypto.randomUUID();
  checkMessageId("messageId", value);
  return value;
}

function readText(name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  checkType(name, value, "string");
  if (!PRINTABLE_ASCII_REGEXP.test(value)) throw wrongValue(`${name} ${quote(value)}`, PRINTABLE_ASCII);
  return value;
}

function readExpiry(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const expiry = toEpochMilliseconds(value);
  if (!Number.isFinite(expiry)) throw wrongValue(`expiryTimeUtc ${quote(String(value))}`, "a date");
  const ahead = expiry - Date.now();
  const shown = `expiryTimeUtc ${expiry} (${describeTime(expiry)})`;
  if (ahead <= 0) {
    throw wrongValue(
      shown,
      "in the future, or no device would ever get the message; " +
        "numbers are milliseconds since 1970, not seconds",
    );
  }
  if (ahead > MAX_LIFETIME_IN_MS) {
    throw wrongValue(shown, "at most two days ahead, since the hub keeps no message for longer");
  }
  return Math.trunc(expiry);
}

function toEpochMilliseconds(value: unknown): number {
  if (typeof value === "number") return value;
  if (value instanceof Date) return value.getTime();
  if (typeof value !== "string") {
    throw wrongType("expiryTimeUtc", "a Date, an ISO 8601 text or milliseconds since 1970", value);
  }
  const parts = ISO_8601_REGEXP.exec(value);
  if (parts === null) return NaN;
  // Without a time zone, JavaScript would read the time as local, but the property's name says UTC.
  return Date.parse(parts[1] === undefined && value.includes("T") ? `${value}Z` : value);
}

function describeTime(epochMilliseconds: number): string {
  const date = new Date(epochMilliseconds);
  return Number.isNaN(date.getTime()) ? "beyond the range of dates" : date.toISOString();
}

function gatherApplicationProperties(
  properties: C2dMessageProperties,
  ack: unknown,
): [string, string | number | boolean][] {
  const gathered: [string, string | number | boolean][] = [];
  for (const [name, value] of Object.entries(properties)) {
    if (value !== undefined && !SYSTEM_PROPERTIES.has(name)) gathered.push([readName(name), readValue(name, value)]);
  }
  if (ack === undefined) return gathered;
  const checked = readAcknowledgement("ack", ack);
  const twin = gathered.find(([name]) => name === ACK_PROPERTY);
  if (twin === undefined) {
    gathered.push([ACK_PROPERTY, checked]);
  } else if (twin[1] !== checked) {
    throw wrongValue(
      `ack ${quote(checked)}`,
      `the same as ${ACK_PROPERTY} ${quote(String(twin[1]))}; give only one of the two`,
    );
  }
  return gathered;
}

function readAcknowledgement(name: string, value: unknown): string {
  checkType(name, value, "string");
  checkChoice(name, value, ACKNOWLEDGEMENTS);
  return value;
}

function readName(name: string): string {
  if (name === "" || !PRINTABLE_ASCII_REGEXP.test(name)) {
    throw wrongValue(`the property name ${quote(name)}`, "one or more printable ASCII characters");
  }
  return name;
}

function readValue(name: string, value: unknown): string | number | boolean {
  if (name === ACK_PROPERTY) return readAcknowledgement(name, value);
  const property = `the property ${quote(name)}`;
  if (typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw wrongValue(`${property} with the value ${value}`, "a finite number");
    return value;
  }
  if (typeof value !== "string") throw wrongType(property, "a string, a number or a boolean", value);
  if (!PRINTABLE_ASCII_REGEXP.test(value)) {
    throw wrongValue(`${property} with the value ${quote(value)}`, PRINTABLE_ASCII);
  }
  return value;
}

/**
 * Counts the bytes of a message as the hub does: the body, the values of system properties, and the names and values of
 * application properties. All texts are ASCII.
 */
function sizeOf(message: C2dMessage): number {
  const { messageId, correlationId, userId, contentType, contentEncoding, absoluteExpiryTime } = message;
  let size = message.body.byteLength + (absoluteExpiryTime === undefined ? 0 : 8);
  for (const text of [messageId, correlationId, userId, contentType, contentEncoding]) size += text?.length ?? 0;
  for (const [name, value] of message.applicationProperties) size += name.length + String(value).length;
  return size;
}
