import { checkType, describeType, quote, wrongType } from "../values/checks.ts";
import { checkId } from "../values/ids.ts";
import { isObject } from "../values/json.ts";

/** Whether the hub reports what became of a message: delivered (`positive`), not delivered (`negative`), or both. */
export type C2dAcknowledgement = "none" | "positive" | "negative" | "full";

/**
 * What travels with a cloud-to-device message beside its body, in one flat object: the named members are system
 * properties, every other member becomes an application property. Members that are `undefined` are left out.
 */
export interface C2dMessageProperties {
  /** Identifies the message, in feedback too: 1 to 128 of the characters a device id may have. Made up when left out. */
  messageId?: string;
  /** Ties the message to another one, such as the request it answers. */
  correlationId?: string;
  /** The media type of the body, such as `application/json`. */
  contentType?: string;
  /** The encoding of the body, such as `utf-8`. */
  contentEncoding?: string;
  /** Who sends the message. */
  userId?: string;
  /**
   * When the hub drops the message if no device fetched it: a `Date`, an ISO 8601 text (taken as UTC where it names no
   * zone) or milliseconds since 1970. At most two days ahead; the hub's own default is one hour.
   */
  expiryTimeUtc?: Date | string | number;
  /** Which feedback to ask for; none when left out. */
  ack?: C2dAcknowledgement;
  /** Application properties: printable ASCII names, with printable ASCII texts, finite numbers or booleans as values. */
  [name: string]: string | number | boolean | Date | undefined;
}

/** A cloud-to-device message that passed every check, in the terms of AMQP but free of any AMQP library. */
export interface C2dMessage {
  /** The address, with the device id percent-encoded. */
  readonly to: string;
  readonly messageId: string;
  readonly correlationId?: string;
  readonly userId?: string;
  readonly contentType?: string;
  readonly contentEncoding?: string;
  /** In milliseconds since 1970. */
  readonly absoluteExpiryTime?: number;
  /** Pairs and not an object, so that no name (such as `__proto__`) has a side effect. */
  readonly applicationProperties: readonly (readonly [name: string, value: string | number | boolean])[];
  readonly body: Uint8Array;
}

const MAX_SIZE_IN_BYTES = 65_536;
const MAX_LIFETIME_IN_MS = 2 * 24 * 3_600_000;
const MESSAGE_ID_REGEXP = /^[A-Za-z0-9\-:.+%_#*?!(),=@;$']{1,128}$/;
const PRINTABLE_ASCII_REGEXP = /^[\x20-\x7e]*$/;
const ISO_8601_REGEXP = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?(Z|[+-]\d{2}:\d{2})?$/i;
const ACKNOWLEDGEMENTS: readonly string[] = ["none", "positive", "negative", "full"] satisfies C2dAcknowledgement[];

/** The application property by which the hub is asked for feedback. */
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
 * Checks everything that can be known before the hub is asked, and gathers the message.
 *
 * @throws {TypeError} for a value of the wrong type.
 * @throws {RangeError} for a value out of range, and for a message over 64 KB.
 */
export function buildC2dMessage(
  deviceId: string,
  body: string | Uint8Array,
  properties?: C2dMessageProperties,
  moduleId?: string,
): C2dMessage {
  if (properties !== undefined && !isObject(properties)) {
    throw new TypeError(`Cannot use properties: they must be an object, got ${describeType(properties)}`);
  }
  const given = properties ?? {};
  const expiry = own(given, "expiryTimeUtc");
  const message: C2dMessage = {
    to: addressOf(deviceId, moduleId),
    messageId: checkMessageId(own(given, "messageId")),
    correlationId: checkText("correlationId", own(given, "correlationId")),
    userId: checkText("userId", own(given, "userId")),
    contentType: checkText("contentType", own(given, "contentType")),
    contentEncoding: checkText("contentEncoding", own(given, "contentEncoding")),
    absoluteExpiryTime: expiry === undefined ? undefined : checkExpiry(expiry),
    applicationProperties: gatherApplicationProperties(given),
    body: toBytes(body),
  };
  const size = sizeOf(message);
  if (size > MAX_SIZE_IN_BYTES) {
    throw new RangeError(
      `Cannot send a message of ${size} bytes: body and properties may have ${MAX_SIZE_IN_BYTES} bytes (64 KB) together`,
    );
  }
  return message;
}

function addressOf(deviceId: string, moduleId: string | undefined): string {
  checkId("deviceId", deviceId);
  const device = `/devices/${encodeURIComponent(deviceId)}`;
  if (moduleId === undefined) return `${device}/messages/devicebound`;
  return `${device}/modules/${encodeURIComponent(moduleId)}/messages/devicebound`;
}

function own(properties: C2dMessageProperties, name: string): unknown {
  return Object.hasOwn(properties, name) ? properties[name] : undefined;
}

/** A copy of the body: the caller may go on writing to its array while the message waits for its turn. */
function toBytes(body: string | Uint8Array): Uint8Array {
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return new Uint8Array(body);
  throw wrongType("message", "a string or a Uint8Array", body);
}

function checkMessageId(value: unknown): string {
  if (value === undefined) return crypto.randomUUID();
  checkType("messageId", value, "string");
  if (!MESSAGE_ID_REGEXP.test(value)) {
    throw new RangeError(
      `Cannot use messageId ${
        quote(value)
      }: it is 1 to 128 characters of A-Z a-z 0-9 and - : . + % _ # * ? ! ( ) , = @ ; $ '` +
        (value.length > 128 ? `, and this one has ${value.length}` : ""),
    );
  }
  return value;
}

function checkText(name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  checkType(name, value, "string");
  if (!PRINTABLE_ASCII_REGEXP.test(value)) {
    throw new RangeError(`Cannot use ${name} ${quote(value)}: only printable ASCII characters can travel in it`);
  }
  return value;
}

function checkExpiry(value: unknown): number {
  const expiry = toEpochMilliseconds(value);
  if (!Number.isFinite(expiry)) {
    throw new RangeError(`Cannot use expiryTimeUtc ${quote(String(value))}: it is not a date`);
  }
  const ahead = expiry - Date.now();
  if (ahead <= 0) {
    throw new RangeError(
      `Cannot use expiryTimeUtc ${expiry} (${
        describeTime(expiry)
      }): it is in the past, so that no device would ever get ` +
        `the message; numbers are milliseconds since 1970, not seconds`,
    );
  }
  if (ahead > MAX_LIFETIME_IN_MS) {
    throw new RangeError(
      `Cannot use expiryTimeUtc ${expiry} (${describeTime(expiry)}): the hub keeps a message for two days at most`,
    );
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
  // Without a zone JavaScript would take a time as local; the property's name says otherwise.
  return Date.parse(parts[1] === undefined && value.includes("T") ? `${value}Z` : value);
}

function describeTime(epochMilliseconds: number): string {
  const date = new Date(epochMilliseconds);
  return Number.isNaN(date.getTime()) ? "beyond every calendar" : date.toISOString();
}

function checkAcknowledgement(name: string, value: unknown): string {
  checkType(name, value, "string");
  if (!ACKNOWLEDGEMENTS.includes(value)) {
    throw new RangeError(`Cannot use ${name} ${quote(value)}: it is one of ${ACKNOWLEDGEMENTS.join(", ")}`);
  }
  return value;
}

function gatherApplicationProperties(properties: C2dMessageProperties): [string, string | number | boolean][] {
  const gathered: [string, string | number | boolean][] = [];
  for (const [name, value] of Object.entries(properties)) {
    if (value !== undefined && !SYSTEM_PROPERTIES.has(name)) gathered.push([checkName(name), checkValue(name, value)]);
  }
  const ack = own(properties, "ack");
  if (ack === undefined) return gathered;
  const checked = checkAcknowledgement("ack", ack);
  const twin = gathered.find(([name]) => name === ACK_PROPERTY);
  if (twin === undefined) {
    gathered.push([ACK_PROPERTY, checked]);
  } else if (twin[1] !== checked) {
    throw new RangeError(
      `Cannot use ack ${quote(checked)} and ${ACK_PROPERTY} ${quote(String(twin[1]))} together: give one`,
    );
  }
  return gathered;
}

function checkName(name: string): string {
  if (name === "" || !PRINTABLE_ASCII_REGEXP.test(name)) {
    throw new RangeError(
      `Cannot use the property name ${quote(name)}: a name is one or more printable ASCII characters`,
    );
  }
  return name;
}

function checkValue(name: string, value: unknown): string | number | boolean {
  if (name === ACK_PROPERTY) return checkAcknowledgement(name, value);
  if (typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) {
      throw new RangeError(`Cannot use the property ${quote(name)}: ${value} is not a finite number`);
    }
    return value;
  }
  if (typeof value !== "string") {
    throw new TypeError(
      `Cannot use the property ${quote(name)}: it must be a string, a number or a boolean, got ${describeType(value)}`,
    );
  }
  if (!PRINTABLE_ASCII_REGEXP.test(value)) {
    throw new RangeError(
      `Cannot use the property ${quote(name)} with the value ${
        quote(value)
      }: only printable ASCII characters can travel in it`,
    );
  }
  return value;
}

/** The hub's count: body, values of system properties, names and values of application properties; all texts are ASCII. */
function sizeOf(message: C2dMessage): number {
  const { messageId, correlationId, userId, contentType, contentEncoding, absoluteExpiryTime } = message;
  let size = message.body.byteLength + (absoluteExpiryTime === undefined ? 0 : 8);
  for (const text of [messageId, correlationId, userId, contentType, contentEncoding]) size += text?.length ?? 0;
  for (const [name, value] of message.applicationProperties) size += name.length + String(value).length;
  return size;
}
