import { cannotUse } from "../../values/checks.ts";
import { decodeOnce } from "../auth/resource_path.ts";
import { invalidArgument } from "../hub_fault.ts";

/**
 * Reads the properties at the end of a topic: `name=value` pairs with `&` between them, percent-encoded.
 *
 * @returns The names with their values; the last of a name counts.
 * @throws {HubFault} `ArgumentInvalid` (400) when a part is not percent-encoded UTF-8.
 */
export function readPropertyBag(bag: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const pair of bag.split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const [name, value] = at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
    properties.set(decoded(name), decoded(value));
  }
  return properties;
}

/** Writes properties, in their order. One that is `null` has a name alone. */
export function writePropertyBag(properties: Iterable<readonly [name: string, value: unknown]>): string {
  return Array.from(properties, ([name, value]) => {
    return value === null
      ? encodeURIComponent(name)
      : `${encodeURIComponent(name)}=${encodeURIComponent(textOf(value))}`;
  }).join("&");
}

function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  // By way of bytes, which makes half a character one that can be escaped.
  return new TextDecoder().decode(value instanceof Uint8Array ? value : new TextEncoder().encode(String(value)));
}

function decoded(text: string): string {
  const plain = decodeOnce(text);
  if (plain === undefined) throw invalidArgument(cannotUse("a property in the topic", "percent-encoded UTF-8"));
  return plain;
}
