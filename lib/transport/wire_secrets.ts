import { secretsOfToken } from "../errors/redaction.ts";
import type { WireRequest } from "./http_wire.ts";

/** What is secret in a body: keys, and the signed part of a blob container's URL. */
const IN_BODY = /(?:"(?:primary|secondary)Key":"|BlobContainerUri":"[^"?]*\?)([^"]+)"/g;

/** Returns the secrets in a request: its token, and those in its body. */
export function secretsOf({ headers, body = "" }: WireRequest): string[] {
  const inBody = Array.from(body.matchAll(IN_BODY), ([, secret]) => secret!);
  return [headers["Authorization"] ?? "", ...inBody].flatMap(secretsOfToken);
}
