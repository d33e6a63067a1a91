import { cannotUse, quote } from "../../values/checks.ts";
import { HubFault } from "../hub_fault.ts";
import type { ByteRange } from "./blob_content.ts";

const RANGE = /^bytes=(\d{1,15})-(\d{1,15})?$/;

/**
 * Reads which part of a blob a request asks for.
 *
 * @param headers The headers of the request. `x-ms-range` counts before `Range`.
 * @param size The size of the blob.
 * @returns The part, which ends where the blob does at the latest; `undefined` for the whole blob.
 * @throws {HubFault} `InvalidHeaderValue` (400), or `InvalidRange` (416) when the part begins behind the blob's end.
 */
export function readRange(headers: Headers, size: number): ByteRange | undefined {
  const text = headers.get("x-ms-range") ?? headers.get("range");
  if (text === null) return undefined;
  const [, first, last] = RANGE.exec(text) ?? [];
  const start = Number(first);
  const end = last === undefined ? size : Math.min(Number(last) + 1, size);
  if (first === undefined || (last !== undefined && Number(last) < start)) {
    throw new HubFault("InvalidHeaderValue", 400, cannotUse(`the range ${quote(text)}`, "bytes=0-99 or bytes=100-"));
  }
  if (start >= size) throw new HubFault("InvalidRange", 416, `The blob has ${size} bytes, and none at ${start}`);
  return { start, end };
}
