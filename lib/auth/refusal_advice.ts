import type { HubCredential } from "./credential.ts";

/**
 * Says what to check when a hub has refused a token. It answers the same whether a right is missing, the key or the audience
 * is wrong, the token has expired by the hub's clock, or its IP filter keeps this machine out.
 *
 * @param credential The source of the token.
 * @param right The right that was needed.
 * @param clock What is known of this machine's clock.
 */
export function refusalAdvice(
  { signedInAs, audience }: Pick<HubCredential, "signedInAs" | "audience">,
  right: string,
  clock: string = "",
): string {
  // A token of Entra is for a scope, which is a URL; one that is signed with a key is for a host name.
  const rest = audience.startsWith("https:")
    ? ` by a role such as "IoT Hub Data Contributor", tokenScope (now ${audience})`
    : ", its key";
  return `check that ${signedInAs} has the right ${right}${rest}, the hub's IP filter, and this machine's clock${clock}`;
}
