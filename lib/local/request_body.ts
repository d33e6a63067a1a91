import { cannotUse } from "../values/checks.ts";
import { HubFault } from "./hub_fault.ts";
import type { HubRequest } from "./hub_request.ts";

/**
 * Reads the body of a request, and hands on each piece as it comes.
 *
 * @throws {HubFault} `MessageTooLarge` (413) as soon as it is known to be over the limit, or `GenericBadRequest` (400)
 * when it breaks off.
 */
export async function readPieces(
  request: HubRequest,
  limit: number,
  take: (piece: Uint8Array<ArrayBuffer>) => void,
): Promise<void> {
  if (Number(request.headers.get("content-length")) > limit) throw tooLarge(limit);
  if (request.body === null) return;
  let size = 0;
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new HubFault("GenericBadRequest", 400, "The body has broken off: send the request again");
    });
    if (done) return;
    size += value.byteLength;
    if (size > limit) {
      reader.cancel().catch(() => {});
      throw tooLarge(limit);
    }
    take(value);
  }
}

function tooLarge(limit: number): HubFault {
  return new HubFault("MessageTooLarge", 413, cannotUse("the body", `at most ${limit} bytes`));
}
