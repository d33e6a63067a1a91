import { cannotUse } from "../../values/checks.ts";
import { HubFault } from "../hub_fault.ts";
import type { BlobAttributes, StoredBlob } from "./stored_blob.ts";

/** What is kept of a blob's headers, and read with it. */
const KEPT = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-md5",
  "content-type",
];
const DEFAULT_TYPE = "application/octet-stream";
const METADATA = "x-ms-meta-";
const METADATA_NAME = /^[a-z_][a-z0-9_]*$/;

/**
 * Reads what a request says of the blob that it writes.
 *
 * @param headers The headers of the request.
 * @param isContent Whether the body is the blob's content, so that headers of the body are those of the blob, too.
 * @throws {HubFault} `InvalidMetadata` (400).
 */
export function readAttributes(headers: Headers, isContent: boolean): BlobAttributes {
  const kept: Record<string, string> = {};
  for (const name of KEPT) {
    const value = headers.get(`x-ms-blob-${name}`) ?? (isContent ? headers.get(name) : null);
    if (value !== null && value !== "") kept[name] = value;
  }
  kept["content-type"] ??= DEFAULT_TYPE;
  const metadata: Record<string, string> = {};
  for (const [name, value] of headers) {
    if (!name.startsWith(METADATA)) continue;
    const own = name.slice(METADATA.length);
    if (!METADATA_NAME.test(own)) {
      throw new HubFault("InvalidMetadata", 400, cannotUse(`the header ${name}`, "named with letters, digits and _"));
    }
    metadata[own] = value;
  }
  return { headers: kept, metadata };
}

/** Returns the attributes of a blob of which nothing is said but its type. */
export function attributesOf(contentType: string): BlobAttributes {
  return { headers: { "content-type": contentType }, metadata: {} };
}

/** Returns the headers that a write is answered with. */
export function writtenHeaders({ etag, lastModified }: StoredBlob): Record<string, string> {
  return {
    "etag": `"${etag}"`,
    "last-modified": new Date(lastModified).toUTCString(),
    "x-ms-request-server-encrypted": "true",
  };
}

/**
 * Returns the headers that a read is answered with, its length and range apart.
 *
 * @param query The query of the request, whose signature can ask for other headers than those of the blob.
 */
export function readHeaders(blob: StoredBlob, query: URLSearchParams): Record<string, string> {
  return {
    ...blob.headers,
    ...Object.fromEntries(Object.entries(blob.metadata).map(([name, value]) => [METADATA + name, value])),
    ...overrides(query),
    "accept-ranges": "bytes",
    "etag": `"${blob.etag}"`,
    "last-modified": new Date(blob.lastModified).toUTCString(),
    "x-ms-blob-type": "BlockBlob",
    "x-ms-creation-time": new Date(blob.createdOn).toUTCString(),
    "x-ms-lease-state": "available",
    "x-ms-lease-status": "unlocked",
    "x-ms-server-encrypted": "true",
  };
}

function overrides(query: URLSearchParams): Record<string, string> {
  const headers: Record<string, string> = {};
  for (
    const [field, name] of [
      ["rscc", "cache-control"],
      ["rscd", "content-disposition"],
      ["rsce", "content-encoding"],
      ["rscl", "content-language"],
      ["rsct", "content-type"],
    ] as const
  ) {
    const value = query.get(field);
    if (value) headers[name] = value;
  }
  return headers;
}
