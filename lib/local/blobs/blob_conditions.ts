import { cannotUse } from "../../values/checks.ts";
import { HubFault } from "../hub_fault.ts";
import type { StoredBlob } from "./stored_blob.ts";

/**
 * Checks the conditions in the headers of a request: `If-Match`, `If-None-Match`, `If-Modified-Since` and
 * `If-Unmodified-Since`.
 *
 * @param headers The headers of the request.
 * @param blob The blob as it is; `undefined` when it does not exist.
 * @param isRead Whether the request only reads.
 * @throws {HubFault} `ConditionNotMet` (412, or 304 for a read), `BlobAlreadyExists` (409), or `InvalidHeaderValue`
 * (400).
 */
export function checkConditions(headers: Headers, blob: StoredBlob | undefined, isRead: boolean): void {
  const ifMatch = etagIn(headers, "if-match");
  const ifNoneMatch = etagIn(headers, "if-none-match");
  const modifiedSince = timeIn(headers, "if-modified-since");
  const unmodifiedSince = timeIn(headers, "if-unmodified-since");
  if (blob === undefined) {
    if (ifMatch !== undefined) throw notMet(412);
    return;
  }
  if (ifMatch !== undefined && ifMatch !== "*" && ifMatch !== blob.etag) throw notMet(412);
  // Headers name whole seconds.
  const lastModified = Math.floor(blob.lastModified / 1000) * 1000;
  if (unmodifiedSince !== undefined && lastModified > unmodifiedSince) throw notMet(412);
  if (ifNoneMatch === "*" && !isRead) {
    throw new HubFault("BlobAlreadyExists", 409, `The blob ${JSON.stringify(blob.name)} exists already`);
  }
  if (ifNoneMatch === "*" || ifNoneMatch === blob.etag) throw notMet(isRead ? 304 : 412);
  if (modifiedSince !== undefined && lastModified <= modifiedSince) throw notMet(isRead ? 304 : 412);
}

function etagIn(headers: Headers, name: string): string | undefined {
  return headers.get(name)?.trim().replace(/^"(.*)"$/, "$1");
}

function timeIn(headers: Headers, name: string): number | undefined {
  const text = headers.get(name);
  if (text === null) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) {
    throw new HubFault("InvalidHeaderValue", 400, cannotUse(`the header ${name}`, "a date as in HTTP"));
  }
  return time;
}

function notMet(status: 304 | 412): HubFault {
  return new HubFault("ConditionNotMet", status, "The blob does not meet a condition in the headers of the request");
}
