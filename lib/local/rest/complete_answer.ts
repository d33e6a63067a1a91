import { byteLength } from "../byte_length.ts";
import type { HubAnswer } from "../hub_answer.ts";
import type { RestAnswer } from "./call.ts";

/** How the front end of a real hub names itself. */
export const SERVER = "Microsoft-HTTPAPI/2.0";

const JSON_TYPE = "application/json; charset=utf-8";
const BYTES_TYPE = "application/octet-stream";

/**
 * Completes what a handler answers with the headers that every answer of the hub has. Its length is always told, so that
 * it is never sent in chunks.
 *
 * @param trackingId Names the request; an error body names it, too.
 */
export function completeAnswer(answer: RestAnswer, now: number, trackingId: string): HubAnswer {
  const { status, bytes, headers } = answer;
  const body = bytes ?? (answer.body === undefined ? null : JSON.stringify(answer.body));
  return {
    status,
    body,
    headers: {
      "content-length": String(typeof body === "string" ? byteLength(body) : body?.length ?? 0),
      ...(body !== null && { "content-type": bytes === undefined ? JSON_TYPE : BYTES_TYPE }),
      "date": new Date(now).toUTCString(),
      "server": SERVER,
      "vary": "Origin",
      "x-ms-request-id": trackingId.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
      ...headers,
    },
  };
}
