import type { RestAnswer } from "./call.ts";

/** How the front end of a real hub names itself. */
export const SERVER = "Microsoft-HTTPAPI/2.0";

const JSON_TYPE = "application/json; charset=utf-8";
const BYTES_TYPE = "application/octet-stream";
const encoder = new TextEncoder();

/** The bytes of the bodies that were made here. To read them from a response takes a good part of what an answer costs. */
const bodies = new WeakMap<Response, Uint8Array<ArrayBuffer>>();

/** Returns the bytes of a response's body, unless it was made elsewhere or has none. */
export function bytesOf(response: Response): Uint8Array<ArrayBuffer> | undefined {
  return bodies.get(response);
}

/**
 * Makes an answer a response, with the headers that every answer of the hub has. Its length is always told, so that it
 * is never sent in chunks.
 *
 * @param trackingId Names the request; an error body names it, too.
 */
export function toResponse(answer: RestAnswer, now: number, trackingId: string): Response {
  const { status, body, headers } = answer;
  const bytes = answer.bytes ?? (body === undefined ? null : encoder.encode(JSON.stringify(body)));
  const response = new Response(bytes, {
    status,
    headers: {
      "content-length": String(bytes?.length ?? 0),
      ...(bytes !== null && { "content-type": answer.bytes === undefined ? JSON_TYPE : BYTES_TYPE }),
      "date": new Date(now).toUTCString(),
      "server": SERVER,
      "vary": "Origin",
      "x-ms-request-id": trackingId.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
      ...headers,
    },
  });
  if (bytes !== null) bodies.set(response, bytes);
  return response;
}
