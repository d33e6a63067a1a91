import { HubFault, unauthorized } from "../hub_fault.ts";
import { type PolicyKeyOption, type PolicyKeys, readPolicyKeys } from "./policy_keys.ts";

/** A right that a shared access policy can grant. */
export type Right = "RegistryRead" | "RegistryWrite" | "ServiceConnect" | "DeviceConnect";

/** The name of a shared access policy that every hub has. */
export type PolicyName = "iothubowner" | "service" | "device" | "registryRead" | "registryReadWrite";

/** Every right that exists. */
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

/** The names of the policies. */
export const POLICY_NAMES: readonly PolicyName[] = Object.keys(POLICY_RIGHTS) as PolicyName[];

/** A shared access policy: a name, its rights, and two keys, either of which signs a valid token. */
export interface Policy extends PolicyKeys {
  readonly name: PolicyName;
  readonly rights: ReadonlySet<Right>;
}

/** The holder of a valid token or of a device's certificate, and what that allows. */
export interface Principal {
  readonly kind: "sas" | "bearer" | "certificate";
  /** The policy whose key has signed the token; left out for a key of an identity, and for a bearer token. */
  readonly policyName?: PolicyName | undefined;
  readonly rights: ReadonlySet<Right>;
  /** The segments of the path that the token is limited to; empty when it is valid for the whole hub. */
  readonly pathPrefix: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresOn: number;
  /** Whether the key that has signed the token is still one of its identity; left out for policies, whose keys stay. */
  readonly isCurrent?: (() => boolean) | undefined;
}

/** Names a back end that was let in: by its policy, or as one with a bearer token. */
export function callerOf({ policyName = "bearer" }: { readonly policyName?: string | undefined }): string {
  return policyName;
}

/** What is said of the keys of the policies. */
export type PolicyKeyOptions = { readonly [name in PolicyName]?: PolicyKeyOption };

/** Creates a policy, with the keys that are given, and those that are kept, or new ones, for the rest. */
export function newPolicy(name: PolicyName, keys: PolicyKeyOptions, kept?: PolicyKeys): Policy {
  return { name, rights: POLICY_RIGHTS[name], ...readPolicyKeys(keys[name], kept) };
}

/**
 * Throws unless a caller may use a path.
 *
 * @param principal The caller.
 * @param right The right that the operation needs; `undefined` when any authenticated caller may use it.
 * @param path The segments of the path.
 * @throws {HubFault} `IotHubUnauthorizedAccess` (401) when the right is missing or the token is for another path.
 */
export function requireRight(principal: Principal, right: Right | undefined, path: readonly string[]): void {
  if (!principal.pathPrefix.every((segment, i) => segment === path[i])) {
    throw unauthorized(
      "IotHubUnauthorizedAccess",
      `Unauthorized: the token is valid for /${principal.pathPrefix.join("/")} and the paths below it, not for /${
        path.join("/")
      }`,
    );
  }
  if (right !== undefined && !principal.rights.has(right)) {
    throw unauthorized("IotHubUnauthorizedAccess", `Unauthorized: the policy of the token lacks the right ${right}`);
  }
}

/** Verifies tokens of one kind. */
export interface TokenVerifier {
  verify(token: string): Promise<Principal>;
}

/** Limits the memory of a hub that sees a new token with every request. */
const MAX_REMEMBERED_TOKENS = 1000;

/** Verifies tokens of either kind. It remembers each valid token until that expires, to save verifying it again. */
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
   * Finds out who is calling.
   *
   * @param token The `Authorization` header of a request, or the token that a client put on an AMQP connection.
   * @returns The caller, and what the token allows.
   * @throws {HubFault} `IotHubUnauthorizedAccess` or `IotHubUnauthorized` (401) when the token is missing or not valid.
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
