import { unauthorized } from "../hub_fault.ts";
import { findIdentity, type IdentityTarget } from "../records/find_identity.ts";
import { isEnabled } from "../records/identity_records.ts";
import type { IdentityStore } from "../records/identity_store.ts";
import type { Authorizer, Principal } from "./authorization.ts";
import { type ClientCertificate, hasCertificate } from "./client_certificate.ts";
import type { DeviceAuthorities } from "./device_authorities.ts";
import { DEVICE_RIGHTS, type DeviceSasVerifier, isDeviceSas } from "./device_sas_verifier.ts";

/** Lets devices in, over whatever protocol: by a token of their own or of a policy, or by a certificate. */
export class DeviceSignIn {
  readonly #authorizer: Authorizer;
  readonly #devices: DeviceSasVerifier;
  readonly #store: IdentityStore;
  readonly #authorities: DeviceAuthorities;

  constructor(parts: {
    authorizer: Authorizer;
    devices: DeviceSasVerifier;
    store: IdentityStore;
    authorities: DeviceAuthorities;
  }) {
    this.#authorizer = parts.authorizer;
    this.#devices = parts.devices;
    this.#store = parts.store;
    this.#authorities = parts.authorities;
  }

  /**
   * Verifies a token of anybody.
   *
   * @throws {HubFault} `IotHubUnauthorized` (401) that says what is wrong with it.
   */
  async verifyToken(token: string): Promise<Principal> {
    return isDeviceSas(token) ? await this.#devices.verify(token) : await this.#authorizer.authenticate(token);
  }

  /** Whether a device or module signs in with this certificate. */
  knowsCertificate(target: IdentityTarget, certificate: ClientCertificate): boolean {
    const record = findIdentity(this.#store, target);
    return record !== undefined && hasCertificate(record, certificate, this.#authorities);
  }

  /**
   * Finds out who makes a request at a path of a device, `/devices/{id}/…`.
   *
   * @param authorization The header of this name. Only without one does a certificate count.
   * @throws {HubFault} `IotHubUnauthorized` or `IotHubUnauthorizedAccess` (401) for whoever has shown nothing valid.
   */
  async authenticate(
    authorization: string | null,
    path: readonly string[],
    certificate: ClientCertificate | undefined,
  ): Promise<Principal> {
    if (authorization === null && certificate !== undefined) return this.#byCertificate(path[1] ?? "", certificate);
    const principal =
      await (authorization === null ? this.#authorizer.authenticate(null) : this.verifyToken(authorization));
    if (principal.kind !== "bearer") return principal;
    throw unauthorized("IotHubUnauthorized", "Unauthorized: a bearer token is for back ends, and for no device");
  }

  #byCertificate(deviceId: string, certificate: ClientCertificate): Principal {
    const record = findIdentity(this.#store, { deviceId });
    if (record === undefined || !isEnabled(record) || !this.knowsCertificate({ deviceId }, certificate)) {
      throw unauthorized(
        "IotHubUnauthorized",
        "Unauthorized: the certificate is not one of an enabled device of this id",
      );
    }
    return { kind: "certificate", rights: DEVICE_RIGHTS, pathPrefix: ["devices", deviceId], expiresOn: Infinity };
  }
}
