import { randomKey } from "../keys.ts";
import { HubFault, unauthorized } from "../hub_fault.ts";

/** What a caller may do. */
export type Right = "RegistryRead" | "RegistryWrite" | "ServiceConnect" | "DeviceConnect";

/** The name of a shared access policy that every hub has. */
export type PolicyName = "iothubowner" | "service" | "device" | "registryRead" | "registryReadWrite";

/** Everything that there is to be allowed. */
export const ALL_RIGHTS: ReadonlySet<Right> = new Set([
  "RegistryRead",
  "RegistryWrite",
  "ServiceConnect",
  "DeviceConnect",
]);

const POLICY_RIGHTS: Readonly<Record<PolicyName, ReadonlySet<Right>>> = {
  iothubowner: ALL_RIGHTS,
  service: new Set(["ServiceConnect"]),
  device: new Set(["DeviceConnect"]),
  registryRead: new Set(["RegistryRead"]),
  registryReadWrite: new Set(["RegistryRead", "RegistryWrite"]),
};

/** A shared access policy: a name, rights, and two keys of which either is good. */
export interface Policy {
  readonly name: PolicyName;
  readonly rights: ReadonlySet<Right>;
  readonly primaryKey: string;
  readonly secondaryKey: string;
}

/** Who a token has proved to be. */
export interface Principal {
  readonly kind: "sas" | "bearer";
  readonly rights: ReadonlySet<Right>;
  /** The segments of the path to which a token is confined; none for one that is good for the whole hub. */
  readonly pathPrefix: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresOn: number;
}

/** The five policies of a new hub, with fresh keys. */
export function newPolicies(): ReadonlyMap<string, Policy> {
  const policies = new Map<string, Policy>();
  for (const [name, rights] of Object.entries(POLICY_RIGHTS)) {
    policies.set(name, { name: name as PolicyName, rights, primaryKey: randomKey(), secondaryKey: randomKey() });
  }
  return policies;
}

/** @throws 401 where the principal lacks the right, or its token does not reach the path */
export function requireRight(principal: Principal, right: Right | undefined, path: readonly string[]): void {
  if (!principal.pathPrefix.every((segment, i) => segment === path[i])) {
    throw unauthorized(
      "IotHubUnauthorizedAccess",
      `Unauthorized: the token is for /${principal.pathPrefix.join("/")} and what is below, not for /${path.join("/")}`,
    );
  }
  if (right !== undefined && !principal.rights.has(right)) {
    throw unauthorized("IotHubUnauthorizedAccess", `Unauthorized: the policy of the token lacks the right ${right}`);
  }
}

/** What turns the text of a token into a principal. */
export interface TokenVerifier {
  verify(token: string): Promise<Principal>;
}

/** Bounds the memory of a hub that sees a new token with every request. */
const MAX_REMEMBERED_TOKENS = 1000;

/** Verifies tokens of either kind; one that has been good is so, without another signature, until it expires. */
export class Authorizer {
  readonly #now: () => number;
  readonly #sas: TokenVerifier;
  readonly #bearer: TokenVerifier;
  readonly #remembered = new Map<string, Principal>();

  constructor(now: () => number, sas: TokenVerifier, bearer: TokenVerifier) {
    this.#now = now;
    this.#sas = sas;
    this.#bearer = bearer;
  }

  /**
   * @param token an `Authorization` header, or what a client puts on an AMQP connection
   * @throws 401 that says what is wrong with the token, or that there is none
   */
  authenticate(token: string | null): Principal | Promise<Principal> {
    if (token === null) {
      return Promise.reject(
        unauthorized("IotHubUnauthorizedAccess", "Unauthorized: the Authorization header is missing"),
      );
    }
    const known = this.#remembered.get(token);
    if (known !== undefined && known.expiresOn > this.#now()) return known;
    return this.#verify(token);
  }

  async #verify(token: string): Promise<Principal> {
    this.#remembered.delete(token);
    const principal = await this.#verifierOf(token).verify(token);
    if (this.#remembered.size >= MAX_REMEMBERED_TOKENS) this.#remembered.clear();
    this.#remembered.set(token, principal);
    return principal;
  }

  #verifierOf(token: string): TokenVerifier {
    if (/^SharedAccessSignature /i.test(token)) return this.#sas;
    if (/^Bearer /i.test(token)) return this.#bearer;
    throw new HubFault(
      "IotHubUnauthorized",
      401,
      'Unauthorized: the Authorization header must start with "SharedAccessSignature" or "Bearer"',
    );
  }
}
