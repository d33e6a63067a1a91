import type { AuthenticationRequest, Module, ModuleRequest } from "../../gen/types.gen.ts";
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
import { modify, type ModifyOptions } from "../transport/modify.ts";
import * as facts from "../transport/operations.ts";
import type { OperationOptions } from "../timing/operation_options.ts";
import { findDeleted, findWritten } from "../transport/repeated_write.ts";
import { isOwnIdentity } from "./device_fields.ts";
import { changedModule, type ModuleChange } from "./module_change.ts";
import { moduleBody, type ModuleFields } from "./module_fields.ts";
import { renewKeys, type RenewKeysOptions } from "./renew_keys.ts";
import type { FailedCall } from "../errors/failures.ts";

/** The ids of a module. */
interface ModuleIds {
  readonly deviceId: string;
  readonly moduleId: string;
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
   * console.assert(module.authentication.type === "sas");
   * ```
   *
   * REST operation: `PUT /devices/{id}/modules/{mid}`.
   */
  createModuleWithSas(
    deviceId: string,
    moduleId: string,
    options: ModuleFields & { primaryKey?: string | undefined; secondaryKey?: string | undefined } = {},
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
   * console.assert(module.authentication.type === "selfSigned");
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
   * console.assert(module.authentication.type === "certificateAuthority");
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
   * is unconditional. To change one field, or to renew keys, {@linkcode ModuleIdentities.modifyModule} and
   * {@linkcode ModuleIdentities.renewModuleKeys} are safer.
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
   * const [one, other] = [btoa("a key of the module"), btoa("another of its keys")];
   * const keys = { primaryKey: one, secondaryKey: other };
   * const { etag } = await registry.createModuleWithSas("gateway-1", "camera", keys);
   * const module = await registry.updateModuleWithSas("gateway-1", "camera", {
   *   etag,
   *   primaryKey: other,
   *   secondaryKey: one,
   * });
   * console.assert(module.authentication.symmetricKey.primaryKey === other);
   * ```
   *
   * REST operation: `PUT /devices/{id}/modules/{mid} with If-Match`.
   */
  updateModuleWithSas(
    deviceId: string,
    moduleId: string,
    options: ModuleFields & SymmetricKeys & { etag?: string | undefined },
  ): Promise<Module> {
    return putModule(this, facts.updateModuleWithSas, deviceId, moduleId, options, sasAuthenticationOfUpdate, ifMatch);
  }

  /**
   * Updates a module, which then signs in with the certificates that have the given thumbprints. The whole identity is
   * replaced, so `managedBy` is reset if it is left out. Without an etag the update is unconditional. To change one
   * field, {@linkcode ModuleIdentities.modifyModule} is safer.
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
   * console.assert(module.authentication.x509Thumbprint.primaryThumbprint === "B".repeat(40));
   * ```
   *
   * REST operation: `PUT /devices/{id}/modules/{mid} with If-Match`.
   */
  updateModuleWithX509(
    deviceId: string,
    moduleId: string,
    options: ModuleFields & X509Thumbprints & { etag?: string | undefined },
  ): Promise<Module> {
    return putModule(this, facts.updateModuleWithX509, deviceId, moduleId, options, x509Authentication, ifMatch);
  }

  /**
   * Updates a module, which then signs in with a certificate of an authority that the hub trusts. The whole identity is
   * replaced, so `managedBy` is reset if it is left out. Without an etag the update is unconditional. To change one
   * field, {@linkcode ModuleIdentities.modifyModule} is safer.
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
    options: ModuleFields & { etag?: string | undefined } = {},
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
   * Changes part of a module identity, and leaves the rest as it is. It reads the identity, calls `change` to find out what
   * to change, and writes that only if the identity has not changed since. If it has, everything starts again with the new
   * identity.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param change Receives the identity, and returns the members to change, or `undefined` to leave the identity unchanged.
   * With keys or thumbprints the module signs in with those. It may be called several times.
   * @param options How often to try at most (`maxAttempts`, 10 by default), and options for this call; `timeoutInMs`
   * applies to all attempts together.
   * @returns The identity after the write, or the one that was read if there was nothing to change.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {TypeError} When `change` returns something of the wrong type, or a member that no module has; nothing is written.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ModuleNotFound` (404) when there is no such module.
   * @throws {IoTHubError} `PreconditionFailed` (412) when others changed the identity each time.
   * @throws {IoTHubError} `InvalidResponse` when the identity came without an etag; nothing is written.
   *
   * @example Hand a module over to another team
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1");
   * const before = await registry.createModuleWithSas("gateway-1", "camera", { managedBy: "team-a" });
   * const after = await registry.modifyModule("gateway-1", "camera", ({ managedBy }) =>
   *   managedBy === "team-a" ? { managedBy: "team-b" } : undefined
   * );
   * const [old, kept] = [before.authentication?.symmetricKey, after.authentication?.symmetricKey];
   * console.assert(after.managedBy === "team-b" && kept?.primaryKey === old?.primaryKey);
   * ```
   *
   * REST operations: `GET /devices/{id}/modules/{mid}`, `PUT /devices/{id}/modules/{mid}` with If-Match.
   */
  modifyModule(
    deviceId: string,
    moduleId: string,
    change: (module: Module) => ModuleChange | undefined | Promise<ModuleChange | undefined>,
    options: ModifyOptions = {},
  ): Promise<Module> {
    return modifyModule(this, { operation: "modifyModule", deviceId, moduleId }, change, options);
  }

  /**
   * Gives a module new keys, made of 32 random bytes each, and leaves everything else of its identity as it is. If the
   * identity is changed by others meanwhile, it is read again, and their changes are kept.
   *
   * @param deviceId The device's id.
   * @param moduleId The module's id.
   * @param options Which keys to renew (`keys`): `"primary"`, `"secondary"`, `"both"` (the default), or `"swap"`, which
   * exchanges the two and makes none; how often to try at most (`maxAttempts`, 10 by default); and options for this call.
   * @returns The identity with its keys and its new etag.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ModuleNotFound` (404) when there is no such module.
   * @throws {IoTHubError} `OperationNotAllowedInCurrentState` when the module signs in with a certificate, or is a part of
   * the IoT Edge runtime.
   * @throws {IoTHubError} `PreconditionFailed` (412) when others changed the identity each time.
   *
   * @example Let the keys change places
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1");
   * const before = await registry.createModuleWithSas("gateway-1", "camera");
   * const after = await registry.renewModuleKeys("gateway-1", "camera", { keys: "swap" });
   * const [old, swapped] = [before.authentication?.symmetricKey, after.authentication?.symmetricKey];
   * console.assert(swapped?.primaryKey === old?.secondaryKey && swapped?.secondaryKey === old?.primaryKey);
   * ```
   *
   * REST operations: `GET /devices/{id}/modules/{mid}`, `PUT /devices/{id}/modules/{mid}` with If-Match.
   */
  renewModuleKeys(deviceId: string, moduleId: string, options: RenewKeysOptions = {}): Promise<Module> {
    const call = { operation: "renewModuleKeys", deviceId, moduleId };
    return renewKeys<Module>(call, options, (change, others) => modifyModule(this, call, change, others));
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
    options: OperationOptions & { etag?: string | undefined } = {},
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
  authentication: (fields: NoInfer<Fields>) => AuthenticationRequest,
  headers?: typeof ifMatch,
): Promise<Module> {
  const makeBody = (): ModuleRequest => moduleBody(deviceId, moduleId, authentication(fields), fields);
  return writeModule(modules, operation, { deviceId, moduleId }, fields, makeBody, headers);
}

/** Reads a module, and writes what is to change of it. */
function modifyModule(
  modules: ModuleIdentities,
  call: FailedCall & ModuleIds,
  change: (module: Module) => ModuleChange | undefined | Promise<ModuleChange | undefined>,
  options: ModifyOptions,
): Promise<Module> {
  const { deviceId, moduleId } = call;
  return modify(
    call,
    change,
    options,
    (readOptions) => modules.getModule(deviceId, moduleId, readOptions),
    (changes, writeOptions, module) => {
      const body = changedModule(deviceId, moduleId, module, changes);
      const operation = updateFor(body.authentication?.type);
      return writeModule(modules, operation, { deviceId, moduleId }, writeOptions, () => body, ifMatch);
    },
  );
}

/** Returns the method that does the same as a write with this way to sign in. */
function updateFor(type: AuthenticationRequest["type"]): facts.OperationFacts {
  if (type === "sas") return facts.updateModuleWithSas;
  return type === "selfSigned" ? facts.updateModuleWithX509 : facts.updateModuleWithCertificateAuthority;
}

function writeModule<Options extends OperationOptions>(
  modules: ModuleIdentities,
  operation: facts.OperationFacts,
  { deviceId, moduleId }: ModuleIds,
  options: Options,
  makeBody: () => ModuleRequest,
  headers?: (options: Options) => ReturnType<typeof ifMatch>,
): Promise<Module> {
  return callHub(modules, operation, { deviceId, moduleId }, options, (call) => {
    const body = makeBody();
    const read = (readOptions: OperationOptions): Promise<Module> => modules.getModule(deviceId, moduleId, readOptions);
    return operations.createOrUpdateModule({
      ...call({ findEarlierWrite: findWritten(body, read, isOwnIdentity) }),
      path: { id: deviceId, mid: moduleId },
      body,
      headers: headers?.(options),
    });
  });
}
