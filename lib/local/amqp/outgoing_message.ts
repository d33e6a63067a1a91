import { Buffer } from "node:buffer";
import rhea from "rhea";
import type { Message } from "rhea";
import type { AmqpContent, AmqpEvent } from "./backend.ts";
import type { CloudMessage } from "../messages/cloud_message.ts";
import type { QueuedMessage } from "../messages/message_queue.ts";
import type { ServiceMessage } from "../messages/service_queue.ts";

const UUID_BYTES = 16;

/** Converts a lock token to the 16 bytes of its GUID, which the hub uses as the delivery tag. */
export function tagOf(lockToken: string): Buffer {
  return rhea.string_to_uuid(lockToken);
}

/**
 * Converts a message, all but an event, to the form in which the library sends it.
 *
 * @param tag The tag of the delivery, which names the lock of a message for a device.
 */
export function toAmqpMessage(content: Exclude<AmqpContent, AmqpEvent>, tag: Buffer, hostName: string): Message {
  switch (content.kind) {
    case "service":
      return toServiceMessage(content.message, hostName);
    case "device":
      return toDeviceMessage(content.message, tag);
    case "method":
      return toMethodCall(content);
    case "twin":
      return toTwinAnswer(content);
  }
}

/** Returns the id of a request in the form in which the library writes it. It writes all bytes as a UUID. */
export function toCorrelationId(id: unknown): unknown {
  return id instanceof Uint8Array && id.byteLength !== UUID_BYTES
    ? rhea.types.wrap_binary(id as Parameters<typeof rhea.types.wrap_binary>[0])
    : id;
}

/** The library writes every whole number as an integer, for which some are too large, and takes bytes as a Buffer. */
function writable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value);
  return typeof value === "number" && !Number.isSafeInteger(value) ? rhea.types.wrap_double(value) : value;
}

function toServiceMessage(message: ServiceMessage, hostName: string): Message {
  return {
    user_id: Buffer.from(hostName),
    content_type: message.contentType,
    message_annotations: { "iothub-enqueuedtime": rhea.types.wrap_timestamp(message.enqueuedTime) },
    body: rhea.message.data_section(Buffer.from(message.body)),
  } as unknown as Message;
}

function toMethodCall({ correlationId, methodName, payload }: Extract<AmqpContent, { kind: "method" }>): Message {
  return {
    correlation_id: tagOf(correlationId),
    application_properties: { "IoThub-methodname": methodName },
    body: rhea.message.data_section(Buffer.from(JSON.stringify(payload))),
  } as unknown as Message;
}

function toTwinAnswer({ correlationId, status, version, body }: Extract<AmqpContent, { kind: "twin" }>): Message {
  return {
    ...(correlationId !== undefined && { correlation_id: toCorrelationId(correlationId) }),
    ...(status !== undefined && {
      message_annotations: {
        status: rhea.types.wrap_int(status),
        ...(version !== undefined && { version: rhea.types.wrap_long(version) }),
      },
    }),
    body: rhea.message.data_section(Buffer.from(body === undefined ? "" : JSON.stringify(body))),
  } as unknown as Message;
}

function toDeviceMessage(queued: QueuedMessage, tag: Buffer): Message {
  const { message } = queued;
  const written: Record<string, unknown> = {
    to: message.to,
    absolute_expiry_time: queued.expiryTime,
    message_annotations: {
      "x-opt-sequence-number": rhea.types.wrap_ulong(queued.sequenceNumber),
      "x-opt-lock-token": rhea.types.wrap_uuid(tag),
      "iothub-enqueuedtime": rhea.types.wrap_timestamp(queued.enqueuedTime),
      "iothub-deliverycount": rhea.types.wrap_ubyte(queued.deliveryCount),
    },
    application_properties: {
      ...Object.fromEntries(Object.entries(message.properties).map(([name, value]) => [name, writable(value)])),
      ...(message.ack !== undefined && { "iothub-ack": message.ack }),
    },
    body: rhea.message.data_section(Buffer.from(message.data)),
  };
  writeProperties(written, message);
  return written as unknown as Message;
}

/** Writes the properties that all messages of devices and for devices have. */
function writeProperties(written: Record<string, unknown>, message: Omit<CloudMessage, "ack">): void {
  if (message.messageId !== undefined) written["message_id"] = message.messageId;
  if (message.correlationId !== undefined) written["correlation_id"] = message.correlationId;
  if (message.userId !== undefined) written["user_id"] = Buffer.from(message.userId);
  if (message.contentType !== undefined) written["content_type"] = message.contentType;
  if (message.contentEncoding !== undefined) written["content_encoding"] = message.contentEncoding;
}
