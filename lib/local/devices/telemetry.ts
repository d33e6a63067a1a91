import { checkType, quote, wrongType, wrongValue } from "../../values/checks.ts";
import { checkJson, isObject } from "../../values/json.ts";
import type { TelemetryMessage } from "../messages/telemetry_message.ts";

/**
 * The properties of a message to the hub, in one flat object. The members listed here are system properties, and every
 * other member becomes an application property. Members that are `undefined` are left out.
 */
export interface LocalTelemetryProperties {
  /** Identifies the message, in at most 128 characters. */
  messageId?: string | undefined;
  /** Connects the message to another one. */
  correlationId?: string | undefined;
  /** The user who sends the message. */
  userId?: string | undefined;
  /** The media type of the body: `application/json` for a JSON value, and none for others, unless it is given. */
  contentType?: string | undefined;
  /** The encoding of the body: `utf-8` for a JSON value or a text, and none for bytes, unless it is given. */
  contentEncoding?: string | undefined;
  /** The component of the device that sends the message. The hub passes it on as `dt-subject`. */
  componentName?: string | undefined;
  /** Marks a message of a security agent, with `urn:azureiot:Security:SecurityAgent:1`. */
  interfaceId?: string | undefined;
  /** When the message was made. */
  creationTimeUtc?: Date | undefined;
  /** When the message ceases to be of use. */
  expiryTimeUtc?: Date | undefined;
  /** An application property: a text, a finite number or a boolean. It reaches back ends as text. */
  [name: string]: string | number | boolean | Date | undefined;
}

/** The system properties, by their names in the hub's own form. */
const TEXTS = {
  messageId: "messageId",
  correlationId: "correlationId",
  userId: "userId",
  contentType: "contentType",
  contentEncoding: "contentEncoding",
  subject: "componentName",
  interfaceId: "interfaceId",
} as const;
const TIMES = { creationTime: "creationTimeUtc", expiryTime: "expiryTimeUtc" } as const;
const SYSTEM_PROPERTIES: ReadonlySet<string> = new Set([...Object.values(TEXTS), ...Object.values(TIMES)]);

/**
 * Makes a message of what a device in process sends.
 *
 * @throws {TypeError} When the body or a property has the wrong type.
 * @throws {RangeError} When a value is not legal.
 */
export function toTelemetryMessage(to: string, body: unknown, properties: LocalTelemetryProperties): TelemetryMessage {
  if (!isObject(properties)) throw wrongType("properties", "an object", properties);
  const message: TelemetryMessage = { to, ...contentOf(body), properties: readApplicationProperties(properties) };
  for (const [own, name] of entriesOf(TEXTS)) {
    const value = memberOf(properties, name);
    if (value === undefined) continue;
    checkType(name, value, "string");
    message[own] = value;
  }
  for (const [own, name] of entriesOf(TIMES)) {
    const value = memberOf(properties, name);
    if (value !== undefined) message[own] = readTime(name, value);
  }
  return message;
}

/** The body as bytes, and what there is to say of them unless the sender says something else. */
function contentOf(body: unknown): Pick<TelemetryMessage, "data" | "contentType" | "contentEncoding"> {
  if (body instanceof Uint8Array) return { data: new Uint8Array(body) };
  if (typeof body === "string") return { data: new TextEncoder().encode(body), contentEncoding: "utf-8" };
  const isBytes = ArrayBuffer.isView(body) || body instanceof ArrayBuffer;
  if (body === undefined || isBytes) throw wrongType("body", "a JSON value, a string or a Uint8Array", body);
  checkJson("body", body);
  const data = new TextEncoder().encode(JSON.stringify(body));
  return { data, contentType: "application/json", contentEncoding: "utf-8" };
}

function readApplicationProperties(properties: LocalTelemetryProperties): Record<string, string> {
  const read: [name: string, value: string][] = [];
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || SYSTEM_PROPERTIES.has(name)) continue;
    if (name === "") throw wrongValue("the name of a property", "one or more characters long");
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw wrongValue(`the property ${quote(name)} with the value ${value}`, "a finite number");
    }
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
      throw wrongType(`the property ${quote(name)}`, "a string, a number or a boolean", value);
    }
    read.push([name, String(value)]);
  }
  // Any name may come, `__proto__` too.
  return Object.fromEntries(read);
}

function readTime(name: string, value: unknown): number {
  if (!(value instanceof Date)) throw wrongType(name, "a Date", value);
  if (Number.isNaN(value.getTime())) throw wrongValue(name, "a valid date");
  return value.getTime();
}

function memberOf(properties: LocalTelemetryProperties, name: string): unknown {
  return Object.hasOwn(properties, name) ? properties[name] : undefined;
}

function entriesOf<T extends object>(object: T): [keyof T, T[keyof T]][] {
  return Object.entries(object) as [keyof T, T[keyof T]][];
}
