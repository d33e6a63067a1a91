import type { Principal, Right, TokenVerifier } from "./authorization.ts";
import type { HubHosts } from "./hub_hosts.ts";
import { findIdentity } from "../records/find_identity.ts";
import { type AnyRecord, isEnabled } from "../records/identity_records.ts";
import type { IdentityStore } from "../records/identity_store.ts";
import { badToken, expiryOfSas, importVerifyingKey, isSignedBy, parseSas, possiblePathsOfSas } from "./sas_fields.ts";

/** What devices may do: what they do themselves, at their own paths. */
export const DEVICE_RIGHTS: ReadonlySet<Right> = new Set(["DeviceConnect"]);

/** Verifies shared access signatures that devices and modules have signed with their own keys. */
export class DeviceSasVerifier implements TokenVerifier {
  readonly #hosts: HubHosts;
  readonly #store: IdentityStore;
  readonly #now: () => number;
  readonly #clockSkew: number;

  constructor(options: { hosts: HubHosts; store: IdentityStore; now: () => number; clockSkew: number }) {
    this.#hosts = options.hosts;
    this.#store = options.store;
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
    const paths = possiblePathsOfSas(sas, this.#hosts);
    for (const pathPrefix of paths) {
      const record = this.#recordAt(pathPrefix);
      if (record === undefined || !isEnabled(record)) continue;
      for (const key of keysOf(record)) {
        if (!await isSignedBy(sas, [await importVerifyingKey(key)])) continue;
        const expiresOn = expiryOfSas(sas, this.#now(), this.#clockSkew);
        const isCurrent = (): boolean => keysOf(this.#recordAt(pathPrefix)).includes(key);
        return { kind: "sas", rights: DEVICE_RIGHTS, pathPrefix, expiresOn, isCurrent };
      }
    }
    // The error does not tell whether the identity is unknown, disabled or without keys, or whether its key differs.
    throw badToken(`the signature does not fit the keys of the identity at /${paths[0]!.join("/")}`);
  }

  #recordAt(path: readonly string[]): AnyRecord | undefined {
    const [devices, deviceId, modules, moduleId] = path;
    const isDevice = path.length === 2 && devices === "devices";
    const isModule = path.length === 4 && devices === "devices" && modules === "modules";
    return isDevice || isModule ? findIdentity(this.#store, { deviceId: deviceId!, moduleId }) : undefined;
  }
}

function keysOf(record: AnyRecord | undefined): string[] {
  const { primaryKey = null, secondaryKey = null } = record?.authentication.symmetricKey ?? {};
  return [primaryKey, secondaryKey].filter((key) => key !== null);
}

/** Whether a token is a shared access signature that names no policy, as those of devices do. */
export function isDeviceSas(token: string): boolean {
  return /^SharedAccessSignature /i.test(token) && !/[ &]skn=[^&]/.test(token);
}
