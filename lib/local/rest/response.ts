import { byteLength } from "../byte_length.ts";
import type { RestAnswer } from "./call.ts";

/** How the front end of a real hub names itself. */
export const SERVER = "Microsoft-HTTPAPI/2.0";

const JSON_TYPE = "application/json; charset=utf-8";
const BYTES_TYPE = "application/octet-stream";

/** What a response was made of. */
export interface ResponseParts {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer> | null;
}

/** The parts of responses that were made here. To read them from a response takes a good part of what an answer costs. */
const made = new WeakMap<Response, ResponseParts>();

/** Returns what a response was made of, or reads it. */
export async function partsOf(response: Response): Promise<ResponseParts> {
  return made.get(response) ??
    { headers: Object.fromEntries(response.headers), body: new Uint8Array(await response.arrayBuffer()) };
}

/**
 * Makes an answer a response, with the headers that every answer of the hub has. Its length is always told, so that it
 * is never sent in chunks.
 *
 * @param trackingId Names the request; an error body names it, too.
 */
export function toResponse(answer: RestAnswer, now: number, trackingId: string): Response {
  const { status, bytes, headers } = answer;
  const body = bytes ?? (answer.body === undefined ? null : JSON.stringify(answer.body));
  const allHeaders = {
    "content-length": String(typeof body === "string" ? byteLength(body) : body?.length ?? 0),
    ...(body !== null && { "content-type": bytes === undefined ? JSON_TYPE : BYTES_TYPE }),
    "date": new Date(now).toUTCString(),
    "server": SERVER,
    "vary": "Origin",
    "x-ms-request-id": trackingId.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
    ...headers,
  };
  const response = new Response(body, { status, headers: allHeaders });
  made.set(response, { headers: allHeaders, body });
  return response;
}
