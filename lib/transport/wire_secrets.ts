import { isSearchable, secretsOfToken } from "../errors/redaction.ts";
import type { WireRequest } from "./http_wire.ts";

/** Returns the secrets in a request: its token, and the keys in its body. */
export function secretsOf({ headers, body = "" }: WireRequest): string[] {
  const keys = Array.from(body.matchAll(/"(?:primaryKey|secondaryKey)":"([^"]+)"/g), ([, key]) => key!);
  return [...secretsOfToken(headers["Authorization"] ?? ""), ...keys.filter(isSearchable)];
}
