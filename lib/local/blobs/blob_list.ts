import { cannotUse } from "../../values/checks.ts";
import { HubFault, notInThisVersion } from "../hub_fault.ts";
import type { BlobContainer } from "./blob_container.ts";
import type { StoredBlob } from "./stored_blob.ts";
import { element, isXmlText, xmlDocument } from "./xml.ts";

const MAX_RESULTS = 5000;

/** One line of a list: a blob, or what several names begin with up to a delimiter. */
interface Line {
  readonly key: string;
  /** `undefined` for the beginning of several names. */
  readonly blob: StoredBlob | undefined;
}

/**
 * Writes one page of the list of a container's blobs as XML.
 *
 * @param query The query of the request: `prefix`, `delimiter`, `marker`, `maxresults` and `include`.
 * @throws {HubFault} 400 `InvalidQueryParameterValue` or `OutOfRangeQueryParameterValue`.
 */
export function listBlobs(container: BlobContainer, query: URLSearchParams): string {
  const include = (query.get("include") ?? "").split(",");
  if (include.includes("uncommittedblobs")) throw notInThisVersion("A list of uncommitted blobs");
  const maxResults = readMaxResults(query.get("maxresults"));
  const lines = linesOf(container, query);
  const page = lines.slice(0, maxResults ?? MAX_RESULTS);
  const next = page.length < lines.length ? writeMarker(page.at(-1)!.key) : "";
  return xmlDocument(element("EnumerationResults", [
    ...["prefix", "marker", "maxresults", "delimiter"].map((name) => {
      const value = query.get(name) ?? "";
      return value === "" ? "" : textElement(ELEMENTS[name]!, value);
    }),
    element("Blobs", page.map((line) => lineElement(line, include.includes("metadata")))),
    element("NextMarker", next),
  ], ` ContainerName="${container.name}"`));
}

const ELEMENTS: Readonly<Record<string, string>> = {
  prefix: "Prefix",
  marker: "Marker",
  maxresults: "MaxResults",
  delimiter: "Delimiter",
};

function linesOf(container: BlobContainer, query: URLSearchParams): Line[] {
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const after = readMarker(query.get("marker"));
  const lines: Line[] = [];
  for (const blob of container.blobs) {
    if (!blob.name.startsWith(prefix)) continue;
    const end = delimiter === "" ? -1 : blob.name.indexOf(delimiter, prefix.length);
    const key = end < 0 ? blob.name : blob.name.slice(0, end + delimiter.length);
    if (key <= after || key === lines.at(-1)?.key) continue;
    lines.push({ key, blob: end < 0 ? blob : undefined });
  }
  return lines;
}

function lineElement({ key, blob }: Line, withMetadata: boolean): string {
  if (blob === undefined) return element("BlobPrefix", [textElement("Name", key)]);
  const { headers } = blob;
  return element("Blob", [
    textElement("Name", key),
    element("Properties", [
      element("Creation-Time", new Date(blob.createdOn).toUTCString()),
      element("Last-Modified", new Date(blob.lastModified).toUTCString()),
      element("Etag", blob.etag),
      element("Content-Length", String(blob.content.size)),
      element("Content-Type", headers["content-type"]),
      element("Content-Encoding", headers["content-encoding"]),
      element("Content-Language", headers["content-language"]),
      element("Content-MD5", headers["content-md5"]),
      element("Cache-Control", headers["cache-control"]),
      element("Content-Disposition", headers["content-disposition"]),
      element("BlobType", "BlockBlob"),
      element("LeaseStatus", "unlocked"),
      element("LeaseState", "available"),
      element("ServerEncrypted", "true"),
    ]),
    withMetadata ? element("Metadata", Object.entries(blob.metadata).map(([name, value]) => element(name, value))) : "",
  ]);
}

/** Names can have characters that XML cannot: such a name is encoded, and says so. */
function textElement(name: string, text: string): string {
  return isXmlText(text) ? element(name, text) : element(name, encodeURIComponent(text), ' Encoded="true"');
}

function readMaxResults(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (!/^\d{1,9}$/.test(text)) {
    throw new HubFault("InvalidQueryParameterValue", 400, cannotUse("maxresults", "a whole number"));
  }
  if (Number(text) === 0) {
    throw new HubFault("OutOfRangeQueryParameterValue", 400, cannotUse("maxresults", "1 or more"));
  }
  return Math.min(Number(text), MAX_RESULTS);
}

/** A marker says where a page ends. */
function writeMarker(key: string): string {
  return encodeURIComponent(key);
}

function readMarker(marker: string | null): string {
  try {
    return decodeURIComponent(marker ?? "");
  } catch {
    throw new HubFault("InvalidQueryParameterValue", 400, cannotUse("marker", "one that a list has returned"));
  }
}
