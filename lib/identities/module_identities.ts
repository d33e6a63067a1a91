import type { AuthenticationMechanism, Module } from "../../gen/types.gen.ts";
import * as operations from "../../gen/sdk.gen.ts";
import {
  certificateAuthority,
  sasAuthentication,
  sasAuthenticationOfUpdate,
  type SymmetricKeys,
  x509Authentication,
  type X509Thumbprints,
} from "./authentication.ts";
import { ifMatch } from "../transport/if_match.ts";
import { callHub } from "../transport/call_hub.ts";
import { HubClient } from "../transport/hub_client.ts";
import * as facts from "../transport/operations.ts";
import { checkType } from "../values/checks.ts";
import type { OperationOptions } from "../timing/operation_options.ts";
import { findDeleted, findWritten } from "../transport/repeated_write.ts";
import { isOwnIdentity } from "./device_fields.ts";

/** The fields of a module identity, apart from how it signs in. An update resets a field that is left out. */
export interface ModuleFields extends OperationOptions {
  /** Who manages the module. It is `"iotEdge"` for modules of a deployment. */
  managedBy?: string;
}

/** Module identities. A module is a part of a device that signs in by itself. */
export class ModuleIdentities extends HubClient {
  /**
   * Creates a module that signs in with a symmetric key. The hub generates a key that is left out.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param options The keys, who manages it, and options for this call.
   * @returns The new identity, with its keys.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ModuleAlreadyExistsOnDevice` (409) when the device already has a module with this id.
   * @throws {IoTHubError} `DeviceNotFound` (404) or, with the key of a policy, `IotHubUnauthorizedAccess` (401) when there is
   * no such device.
   *
   * @example Let the hub generate the keys
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1");
   * const module = await registry.createModuleWithSas("gateway-1", "camera", { managedBy: "operations" });
   * console.assert(module.authentication?.type === "sas");
   * ```
   *
   * REST operation: `PUT /devices/{id}/modules/{mid}`.
   */
  createModuleWithSas(
    deviceId: string,
    moduleId: string,
    options: ModuleFields & Partial<SymmetricKeys> = {},
  ): Promise<Module> {
    return putModule(this, facts.createModuleWithSas, deviceId, moduleId, options, sasAuthentication);
  }

  /**
   * Creates a module that signs in with a self-signed certificate, which the hub identifies by its thumbprint.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param options The thumbprints, who manages it, and options for this call.
   * @returns The new identity.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ModuleAlreadyExistsOnDevice` (409) when the device already has a module with this id.
   * @throws {IoTHubError} `DeviceNotFound` (404) or, with the key of a policy, `IotHubUnauthorizedAccess` (401) when there is
   * no such device.
   *
   * @example Register a certificate
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1");
   * const module = await registry.createModuleWithX509("gateway-1", "camera", { primaryThumbprint: "A".repeat(40) });
   * console.assert(module.authentication?.type === "selfSigned");
   * ```
   *
   * REST operation: `PUT /devices/{id}/modules/{mid}`.
   */
  createModuleWithX509(
    deviceId: string,
    moduleId: string,
    options: ModuleFields & X509Thumbprints,
  ): Promise<Module> {
    return putModule(this, facts.createModuleWithX509, deviceId, moduleId, options, x509Authentication);
  }

  /**
   * Creates a module that signs in with a certificate of an authority that the hub trusts.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param options Who manages it, and options for this call.
   * @returns The new identity.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ModuleAlreadyExistsOnDevice` (409) when the device already has a module with this id.
   * @throws {IoTHubError} `DeviceNotFound` (404) or, with the key of a policy, `IotHubUnauthorizedAccess` (401) when there is
   * no such device.
   *
   * @example Register a module
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1");
   * const module = await registry.createModuleWithCertificateAuthority("gateway-1", "camera");
   * console.assert(module.authentication?.type === "certificateAuthority");
   * ```
   *
   * REST operation: `PUT /devices/{id}/modules/{mid}`.
   */
  createModuleWithCertificateAuthority(
    deviceId: string,
    moduleId: string,
    options: ModuleFields = {},
  ): Promise<Module> {
    return putModule(
      this,
      facts.createModuleWithCertificateAuthority,
      deviceId,
      moduleId,
      options,
      certificateAuthority,
    );
  }

  /**
   * Updates a module, which then signs in with the given keys. Both keys must be given, since the hub would replace a missing
   * key with a new one. The whole identity is replaced, so `managedBy` is reset if it is left out. Without an etag the update
   * is unconditional.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param options The etag that the identity must still have, the new values, and options for this call.
   * @returns The identity with its new etag.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ModuleNotFound` (404) when there is no such module.
   * @throws {IoTHubError} `PreconditionFailed` (412) when the etag is no longer current.
   *
   * @example Swap the keys
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1");
   * const { etag, authentication } = await registry.createModuleWithSas("gateway-1", "camera");
   * const { primaryKey, secondaryKey } = authentication!.symmetricKey!;
   * const module = await registry.updateModuleWithSas("gateway-1", "camera", {
   *   etag,
   *   primaryKey: secondaryKey!,
   *   secondaryKey: primaryKey!,
   * });
   * console.assert(module.authentication?.symmetricKey?.primaryKey === secondaryKey);
   * ```
   *
   * REST operation: `PUT /devices/{id}/modules/{mid} with If-Match`.
   */
  updateModuleWithSas(
    deviceId: string,
    moduleId: string,
    options: ModuleFields & SymmetricKeys & { etag?: string },
  ): Promise<Module> {
    return putModule(this, facts.updateModuleWithSas, deviceId, moduleId, options, sasAuthenticationOfUpdate, ifMatch);
  }

  /**
   * Updates a module, which then signs in with the certificates that have the given thumbprints. The whole identity is
   * replaced, so `managedBy` is reset if it is left out. Without an etag the update is unconditional.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param options The etag that the identity must still have, the new values, and options for this call.
   * @returns The identity with its new etag.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ModuleNotFound` (404) when there is no such module.
   * @throws {IoTHubError} `PreconditionFailed` (412) when the etag is no longer current.
   *
   * @example Change the certificate
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1");
   * await registry.createModuleWithX509("gateway-1", "camera", { primaryThumbprint: "A".repeat(40) });
   * const module = await registry.updateModuleWithX509("gateway-1", "camera", { primaryThumbprint: "B".repeat(40) });
   * console.assert(module.authentication?.x509Thumbprint?.primaryThumbprint === "B".repeat(40));
   * ```
   *
   * REST operation: `PUT /devices/{id}/modules/{mid} with If-Match`.
   */
  updateModuleWithX509(
    deviceId: string,
    moduleId: string,
    options: ModuleFields & X509Thumbprints & { etag?: string },
  ): Promise<Module> {
    return putModule(this, facts.updateModuleWithX509, deviceId, moduleId, options, x509Authentication, ifMatch);
  }

  /**
   * Updates a module, which then signs in with a certificate of an authority that the hub trusts. The whole identity is
   * replaced, so `managedBy` is reset if it is left out. Without an etag the update is unconditional.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param options The etag that the identity must still have, the new values, and options for this call.
   * @returns The identity with its new etag.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ModuleNotFound` (404) when there is no such module.
   * @throws {IoTHubError} `PreconditionFailed` (412) when the etag is no longer current.
   *
   * @example Change who manages a module
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1");
   * await registry.createModuleWithCertificateAuthority("gateway-1", "camera");
   * const module = await registry.updateModuleWithCertificateAuthority("gateway-1", "camera", { managedBy: "team-b" });
   * console.assert(module.managedBy === "team-b");
   * ```
   *
   * REST operation: `PUT /devices/{id}/modules/{mid} with If-Match`.
   */
  updateModuleWithCertificateAuthority(
    deviceId: string,
    moduleId: string,
    options: ModuleFields & { etag?: string } = {},
  ): Promise<Module> {
    return putModule(
      this,
      facts.updateModuleWithCertificateAuthority,
      deviceId,
      moduleId,
      options,
      certificateAuthority,
      ifMatch,
    );
  }

  /**
   * Reads a module identity, including its keys.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param options Options for this call.
   * @returns The identity.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ModuleNotFound` (404) when there is no such module.
   *
   * @example Find out who manages a module
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1");
   * await registry.createModuleWithSas("gateway-1", "camera", { managedBy: "operations" });
   * const { managedBy } = await registry.getModule("gateway-1", "camera");
   * console.assert(managedBy === "operations");
   * ```
   *
   * REST operation: `GET /devices/{id}/modules/{mid}`.
   */
  getModule(deviceId: string, moduleId: string, options: OperationOptions = {}): Promise<Module> {
    return callHub(
      this,
      facts.getModule,
      { deviceId, moduleId },
      options,
      (call) => operations.getModule({ ...call(), path: { id: deviceId, mid: moduleId } }),
    );
  }

  /**
   * Reads all module identities of a device.
   *
   * @param deviceId The device's id.
   * @param options Options for this call.
   * @returns The identities. The array is empty if the device has no modules.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) or `IotHubUnauthorizedAccess` (401) when there is no such device.
   *
   * @example List the modules of an IoT Edge device
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1", { iotEdge: true });
   * const modules = await registry.getModules("gateway-1");
   * console.assert(modules.some((module) => module.moduleId === "$edgeAgent"));
   * ```
   *
   * REST operation: `GET /devices/{id}/modules`.
   */
  getModules(deviceId: string, options: OperationOptions = {}): Promise<Module[]> {
    return callHub(
      this,
      facts.getModules,
      { deviceId },
      options,
      (call) => operations.getModules({ ...call(), path: { id: deviceId } }),
    );
  }

  /**
   * Deletes a module with its twin. Without an etag the deletion is unconditional.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param options The etag that the identity must still have, and options for this call.
   * @returns A promise that resolves when the module is deleted.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ModuleNotFound` (404) when there is no such module.
   * @throws {IoTHubError} `PreconditionFailed` (412) when the etag is no longer current.
   *
   * @example Delete a module
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1");
   * await registry.createModuleWithSas("gateway-1", "camera");
   * await registry.deleteModule("gateway-1", "camera");
   * console.assert((await registry.getModules("gateway-1")).length === 0);
   * ```
   *
   * REST operation: `DELETE /devices/{id}/modules/{mid}`.
   */
  async deleteModule(
    deviceId: string,
    moduleId: string,
    options: OperationOptions & { etag?: string } = {},
  ): Promise<void> {
    await callHub(this, facts.deleteModule, { deviceId, moduleId }, options, (call) => {
      const headers = ifMatch(options);
      const deletion = call({ mayBeEmpty: true, findEarlierWrite: findDeleted });
      return operations.deleteModule({ ...deletion, path: { id: deviceId, mid: moduleId }, headers });
    });
  }
}

/** Creates a module or, with `headers`, updates one that exists. */
function putModule<Fields extends ModuleFields>(
  modules: ModuleIdentities,
  operation: facts.OperationFacts,
  deviceId: string,
  moduleId: string,
  fields: Fields,
  authentication: (fields: Fields) => AuthenticationMechanism,
  headers?: typeof ifMatch,
): Promise<Module> {
  return callHub(modules, operation, { deviceId, moduleId }, fields, (call) => {
    const { managedBy } = fields;
    if (managedBy !== undefined) checkType("managedBy", managedBy, "string");
    const body = { moduleId, managedBy, deviceId, authentication: authentication(fields) };
    const read = (options: OperationOptions): Promise<Module> => modules.getModule(deviceId, moduleId, options);
    return operations.createOrUpdateModule({
      ...call({ findEarlierWrite: findWritten(body, read, isOwnIdentity) }),
      path: { id: deviceId, mid: moduleId },
      body,
      headers: headers?.(fields),
    });
  });
}
