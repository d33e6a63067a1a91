import { library } from "./library.ts";

/** Bytes as the library takes them: a `Buffer`, declared here so that nothing depends on Node's types. */
export interface AmqpBytes extends Uint8Array<ArrayBuffer> {
  writeUInt32BE(value: number): unknown;
  toString(encoding?: "utf8", start?: number, end?: number): string;
}

interface BufferConstructor {
  from(bytes: Uint8Array): AmqpBytes;
  concat(chunks: Uint8Array[]): AmqpBytes;
  allocUnsafe(size: number): AmqpBytes;
}

/**
 * The `Buffer` class that the AMQP library itself uses, which can be the runtime's or one that a bundler added. The
 * library can write no other.
 */
const BufferClass = library.string_to_uuid("00000000-0000-0000-0000-000000000000")
  .constructor as unknown as BufferConstructor;

/** Copies bytes into a `Buffer`. */
export function copyToBuffer(bytes: Uint8Array): AmqpBytes {
  return BufferClass.from(bytes);
}

/** Joins chunks into one `Buffer`. */
export function concatBuffers(chunks: Uint8Array[]): AmqpBytes {
  return BufferClass.concat(chunks);
}

/** Creates the four bytes that tell a delivery from the others of its link. */
export function deliveryTag(number: number): AmqpBytes {
  const tag = BufferClass.allocUnsafe(4);
  tag.writeUInt32BE(number >>> 0);
  return tag;
}
