import { HubFault, notInThisVersion } from "../hub_fault.ts";
import { readPieces } from "../request_body.ts";
import { checkConditions } from "./blob_conditions.ts";
import type { BlobContainer } from "./blob_container.ts";
import { type BlobContent, ContentBuilder, streamOf } from "./blob_content.ts";
import { readAttributes, readHeaders, writtenHeaders } from "./blob_headers.ts";
import { listBlobs } from "./blob_list.ts";
import type { BlobRight } from "./blob_sas.ts";
import { checkBlockId, readBlockList } from "./block_list.ts";
import { readRange } from "./byte_range.ts";
import type { HubRequest } from "../hub_request.ts";

const MEBIBYTE = 1024 * 1024;

/** The largest body of a request that writes a blob or a block. What is larger has to be written in blocks. */
export const MAX_WRITTEN_BYTES: number = 256 * MEBIBYTE;
/** The largest list of blocks: 50,000 of the longest ids. */
const MAX_LIST_BYTES = 8 * MEBIBYTE;

/** A request as an operation sees it: its sender is known, and may do this. */
export interface BlobCall {
  readonly container: BlobContainer;
  /** The name of the blob; `""` for an operation on the container. */
  readonly blob: string;
  readonly query: URLSearchParams;
  readonly request: HubRequest;
  /** Whether the sender may create blobs only, and overwrite none. */
  readonly mayCreateOnly: boolean;
}

/** The response of an operation. */
export interface BlobAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** One operation, and the right that it needs. With `w` a blob can be created and overwritten, with `c` created. */
export interface BlobOperation {
  readonly right: BlobRight;
  readonly run: (call: BlobCall) => BlobAnswer | Promise<BlobAnswer>;
}

/** Every operation there is, by its method, what it is on, and `comp` of the query. */
export const OPERATIONS: ReadonlyMap<string, BlobOperation> = new Map<string, BlobOperation>([
  ["GET container list", { right: "l", run: list }],
  ["GET blob", { right: "r", run: read }],
  ["HEAD blob", { right: "r", run: read }],
  ["PUT blob", { right: "w", run: write }],
  ["PUT blob block", { right: "w", run: writeBlock }],
  ["PUT blob blocklist", { right: "w", run: commitBlocks }],
  ["DELETE blob", { right: "d", run: remove }],
]);

/** List Blobs. */
function list({ container, query }: BlobCall): BlobAnswer {
  return { status: 200, headers: { "content-type": "application/xml" }, body: listBlobs(container, query) };
}

/** Get Blob, and Get Blob Properties. */
function read({ container, blob: name, query, request }: BlobCall): BlobAnswer {
  const blob = container.require(name);
  checkConditions(request.headers, blob, true);
  const { size } = blob.content;
  const isHead = request.method === "HEAD";
  const part = isHead ? undefined : readRange(request.headers, size);
  const range = part ?? { start: 0, end: size };
  const headers = { ...readHeaders(blob, query), "content-length": String(range.end - range.start) };
  if (isHead) return { status: 200, headers };
  const body = streamOf(blob.content, range);
  if (part === undefined) return { status: 200, headers, body };
  return { status: 206, headers: { ...headers, "content-range": `bytes ${part.start}-${part.end - 1}/${size}` }, body };
}

/** Put Blob. */
async function write(call: BlobCall): Promise<BlobAnswer> {
  const { container, blob: name, request } = call;
  const type = request.headers.get("x-ms-blob-type");
  if (type === null) throw new HubFault("MissingRequiredHeader", 400, "The header x-ms-blob-type is missing");
  if (type !== "BlockBlob") throw notInThisVersion("Another type of blobs than BlockBlob");
  const content = await readContent(request);
  checkWrite(call);
  const blob = container.write(name, content, readAttributes(request.headers, true));
  return { status: 201, headers: writtenHeaders(blob) };
}

/** Put Block. */
async function writeBlock(call: BlobCall): Promise<BlobAnswer> {
  const { container, blob: name, query, request } = call;
  const id = query.get("blockid");
  if (id === null) throw new HubFault("MissingRequiredQueryParameter", 400, "The query parameter blockid is missing");
  checkBlockId(id);
  const content = await readContent(request);
  if (content.size === 0) throw new HubFault("InvalidHeaderValue", 400, "A block cannot be empty");
  checkMayWrite(call);
  container.writeBlock(name, id, content);
  return { status: 201, headers: { "x-ms-request-server-encrypted": "true" } };
}

/** Put Block List. */
async function commitBlocks(call: BlobCall): Promise<BlobAnswer> {
  const { container, blob: name, request } = call;
  const decoder = new TextDecoder();
  let xml = "";
  await readBody(request, MAX_LIST_BYTES, (piece) => xml += decoder.decode(piece, { stream: true }));
  const references = readBlockList(xml + decoder.decode());
  checkWrite(call);
  const blob = container.commit(name, references, readAttributes(request.headers, false));
  return { status: 201, headers: writtenHeaders(blob) };
}

/** Delete Blob. */
function remove({ container, blob: name, request }: BlobCall): BlobAnswer {
  const blob = container.require(name);
  checkConditions(request.headers, blob, false);
  container.delete(blob);
  return { status: 202, headers: { "x-ms-delete-type-permanent": "true" } };
}

/** Checks, when the body has come, whether what is there now may be overwritten. */
function checkWrite(call: BlobCall): void {
  checkMayWrite(call);
  checkConditions(call.request.headers, call.container.find(call.blob), false);
}

function checkMayWrite({ container, blob, mayCreateOnly }: BlobCall): void {
  if (mayCreateOnly && container.find(blob) !== undefined) throw lacksRight("w");
}

async function readContent(request: HubRequest): Promise<BlobContent> {
  for (
    const [name, what] of [
      ["x-ms-copy-source", "The copy of a blob"],
      ["x-ms-structured-body", "A structured body"],
    ] as const
  ) {
    if (request.headers.has(name)) throw notInThisVersion(what);
  }
  const builder = new ContentBuilder();
  await readBody(request, MAX_WRITTEN_BYTES, (piece) => builder.add(piece));
  return builder.build();
}

/** Reads a body, and words what is wrong with it as Azure Storage does. */
async function readBody(
  request: HubRequest,
  limit: number,
  take: (piece: Uint8Array<ArrayBuffer>) => void,
): Promise<void> {
  await readPieces(request, limit, take).catch((error) => {
    if (!(error instanceof HubFault)) throw error;
    throw new HubFault(error.status === 413 ? "RequestBodyTooLarge" : "InvalidInput", error.status, error.message);
  });
}

/** 403: the signature is good, and grants too little. */
export function lacksRight(right: BlobRight): HubFault {
  return new HubFault("AuthorizationPermissionMismatch", 403, `The signature lacks the right ${right} in sp`);
}
