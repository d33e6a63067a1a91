import rhea from "rhea";

/** The library's bytes, named after what it returns, so that nothing here depends on Node's own types. */
export type AmqpBytes = ReturnType<typeof rhea.string_to_uuid>;

interface BufferConstructor {
  from(bytes: Uint8Array): AmqpBytes;
  concat(chunks: Uint8Array[]): AmqpBytes;
  allocUnsafe(size: number): AmqpBytes;
}

/**
 * The `Buffer` class that the AMQP library itself uses, be it the runtime's or one that a bundler brought along: its
 * writers take nothing else.
 */
const BufferClass = rhea.string_to_uuid("00000000-0000-0000-0000-000000000000")
  .constructor as unknown as BufferConstructor;

/** A copy of the bytes, as a `Buffer`. */
export function copyToBuffer(bytes: Uint8Array): AmqpBytes {
  return BufferClass.from(bytes);
}

/** The chunks as one `Buffer`. */
export function concatBuffers(chunks: Uint8Array[]): AmqpBytes {
  return BufferClass.concat(chunks);
}

/** Four bytes that tell apart the deliveries of one link. */
export function deliveryTag(number: number): AmqpBytes {
  const tag = BufferClass.allocUnsafe(4);
  tag.writeUInt32BE(number >>> 0);
  return tag;
}
