import { unauthorized } from "../hub_fault.ts";
import type { Policy } from "./authorization.ts";
import type { ClientGrant } from "./grants.ts";
import type { HubHosts } from "./hub_hosts.ts";
import { ImportedKeys } from "./imported_keys.ts";
import type { Policies } from "./policies.ts";
import { decodeOnce } from "./resource_path.ts";
import { badToken, expiryOfSas, importVerifyingText, isSignedBy, parseSas } from "./sas_fields.ts";

/** The right to read events, which a policy with the right `ServiceConnect` has. */
export const LISTEN_RIGHT = "Listen";
/** The first segment of all paths of the event hub, so that none of them is one of the hub's own. */
const ROOT = "sb:";
const RESOURCE = /^(?:sb|amqps?):\/\/([^/]+)(.*)$/i;

/** Returns the segments of a path of the event hub, in which no letter's case counts. */
export function eventHubPath(...segments: readonly string[]): string[] {
  return [ROOT, ...segments.map((segment) => segment.toLowerCase())];
}

/** Whether a token is for the event hub: its resource is an address. */
export function isEventHubSas(token: string): boolean {
  return /^SharedAccessSignature /i.test(token) && /[ &]sr=(?:sb|amqps?)(?::|%3a)/i.test(token);
}

/**
 * Verifies what clients of Event Hubs sign in with, which is not quite the same as at the hub: there the text of a key signs,
 * and here the bytes do that it stands for.
 */
export class EventHubVerifier {
  readonly #parts: {
    readonly hosts: HubHosts;
    readonly policies: Pick<Policies, "get">;
    readonly now: () => number;
    readonly clockSkew: number;
  };
  readonly #keys: ImportedKeys = new ImportedKeys(importVerifyingText);

  constructor(parts: {
    hosts: HubHosts;
    policies: Pick<Policies, "get">;
    now: () => number;
    clockSkew: number;
  }) {
    this.#parts = parts;
  }

  /**
   * Verifies a token.
   *
   * @throws {HubFault} `IotHubUnauthorized` (401) that says what is wrong with it.
   */
  async verify(token: string): Promise<ClientGrant> {
    const { hosts, policies, now, clockSkew } = this.#parts;
    const sas = parseSas(token);
    const [, host = "", path = ""] = RESOURCE.exec(decodeOnce(sas.sr) ?? "") ?? [];
    if (!hosts.has(host)) throw badToken(`the token is for another host than ${hosts.hostName}`);
    const policy = policies.get(sas.skn ?? "");
    if (policy === undefined) throw badToken(`the hub has no policy ${JSON.stringify(sas.skn ?? "")}`);
    if (!await isSignedBy(sas, await this.#keys.of(policy))) {
      throw badToken(`the signature does not fit the keys of policy ${policy.name}, whose texts sign at the event hub`);
    }
    const expiresOn = expiryOfSas(sas, now(), clockSkew);
    return grantOf(policy, expiresOn, path.split("/").filter((segment) => segment !== ""));
  }

  /** Verifies the name of a policy with one of its keys in place of a password; `undefined` when they do not fit. */
  verifyKey(policyName: string, key: string): ClientGrant | undefined {
    const policy = this.#parts.policies.get(policyName);
    if (policy === undefined || (key !== policy.primaryKey && key !== policy.secondaryKey)) return undefined;
    return grantOf(policy, Infinity, []);
  }
}

function grantOf(policy: Policy, expiresOn: number, path: readonly string[]): ClientGrant {
  if (!policy.rights.has("ServiceConnect")) {
    throw unauthorized(
      "IotHubUnauthorizedAccess",
      "Unauthorized: the policy of the token lacks the right ServiceConnect",
    );
  }
  return { policyName: policy.name, rights: new Set([LISTEN_RIGHT]), pathPrefix: eventHubPath(...path), expiresOn };
}
