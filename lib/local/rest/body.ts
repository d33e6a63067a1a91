import { joinBytes } from "../../values/join_bytes.ts";
import { readPieces } from "../request_body.ts";
import type { HubRequest } from "../hub_request.ts";

const KIBIBYTE = 1024;

/** The kinds of bodies that operations read. */
export type BodyKind =
  | "none"
  | "identity"
  | "twin"
  | "bulk"
  | "query"
  | "method"
  | "configuration"
  | "configurationContent"
  | "configurationQueries"
  | "job"
  | "keys"
  | "scheduledJob"
  | "jsonPatch"
  | "payload"
  | "telemetry"
  | "upload"
  | "uploadEnd";

/**
 * The largest body of each kind of operation, in bytes. What a body says is limited more closely: these leave room for
 * white space, for escapes, and for what the hub ignores in a document that was read and sent back.
 */
export const BODY_LIMITS: Readonly<Record<BodyKind, number>> = {
  none: 0,
  identity: 64 * KIBIBYTE,
  /** A twin of 72 KiB can have ten times as much metadata. */
  twin: 2048 * KIBIBYTE,
  bulk: 8192 * KIBIBYTE,
  /** A query of 8,192 characters, each of which may be an escape of six. */
  query: 64 * KIBIBYTE,
  /** A payload of 128 KiB, whose characters may be escapes. */
  method: 512 * KIBIBYTE,
  /** Desired properties of 32 KiB for each of fifty modules. */
  configuration: 4096 * KIBIBYTE,
  configurationContent: 4096 * KIBIBYTE,
  /** A condition and metrics, each a query. */
  configurationQueries: 512 * KIBIBYTE,
  job: 64 * KIBIBYTE,
  jsonPatch: 512 * KIBIBYTE,
  /** As in a direct method. */
  payload: 512 * KIBIBYTE,
  /** A twin or a direct method, and the condition of a query. */
  scheduledJob: (2048 + 64) * KIBIBYTE,
  /** 256 KiB in base64, and what there is of properties besides. */
  telemetry: 512 * KIBIBYTE,
  /** A name of 1,024 characters, each of which may be an escape of six, or two of these. */
  upload: 16 * KIBIBYTE,
  /** With what the storage has said, which devices hand on. */
  uploadEnd: 64 * KIBIBYTE,
  /** A hundred devices with their modules, in ids whose characters may be escapes. */
  keys: 256 * KIBIBYTE,
};

/**
 * Reads the body of a request as bytes.
 *
 * @throws {HubFault} `MessageTooLarge` (413) or `GenericBadRequest` (400), likewise.
 */
export async function readBytes(request: HubRequest, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  await readPieces(request, limit, (piece) => pieces.push(piece));
  return joinBytes(pieces);
}

/**
 * Reads the body of a request as text.
 *
 * @throws {HubFault} `MessageTooLarge` (413) as soon as it is known to be over the limit, or `GenericBadRequest` (400)
 * when it breaks off.
 */
export async function readText(request: HubRequest, limit: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  await readPieces(request, limit, (piece) => text += decoder.decode(piece, { stream: true }));
  return text + decoder.decode();
}
