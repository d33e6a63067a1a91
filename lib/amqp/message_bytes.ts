import { concatBuffers } from "./buffer_class.ts";

/** Returns the bytes of one or more data sections, and no bytes for any other kind of body. */
export function bytesOf(body: unknown): Uint8Array {
  const { content } = (body ?? {}) as { content?: unknown };
  const chunks: unknown[] = Array.isArray(content) ? content : [content];
  return concatBuffers(chunks.filter((chunk) => chunk instanceof Uint8Array));
}
