import type { Principal, TokenVerifier } from "./authorization.ts";
import type { Policies } from "./policies.ts";
import type { HubHosts } from "./hub_hosts.ts";
import { ImportedKeys } from "./imported_keys.ts";
import { badToken, expiryOfSas, importVerifyingKey, isSignedBy, parseSas, pathOfSas } from "./sas_fields.ts";

/** Verifies shared access signatures that were signed with the keys of the hub's policies. */
export class SasVerifier implements TokenVerifier {
  readonly #hosts: HubHosts;
  readonly #policies: Pick<Policies, "get">;
  readonly #now: () => number;
  readonly #clockSkew: number;
  readonly #keys: ImportedKeys = new ImportedKeys(importVerifyingKey);

  constructor(
    options: { hosts: HubHosts; policies: Pick<Policies, "get">; now: () => number; clockSkew: number },
  ) {
    this.#hosts = options.hosts;
    this.#policies = options.policies;
    this.#now = options.now;
    this.#clockSkew = options.clockSkew;
  }

  /**
   * Verifies a token.
   *
   * @throws {HubFault} `IotHubUnauthorized` (401) that says what is wrong with it.
   */
  async verify(token: string): Promise<Principal> {
    const sas = parseSas(token);
    if (sas.skn === undefined) throw badToken("the token has no skn");
    const pathPrefix = pathOfSas(sas, this.#hosts);
    const policy = this.#policies.get(sas.skn);
    if (policy === undefined) throw badToken(`the hub has no policy ${JSON.stringify(sas.skn)}`);
    if (!await isSignedBy(sas, await this.#keys.of(policy))) {
      throw badToken(`the signature does not fit the keys of policy ${policy.name}`);
    }
    return {
      kind: "sas",
      policyName: policy.name,
      rights: policy.rights,
      pathPrefix,
      expiresOn: expiryOfSas(sas, this.#now(), this.#clockSkew),
    };
  }
}
