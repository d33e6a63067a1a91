import type { AuthenticationRequest, BulkRegistryOperationResult, Device, DeviceRequest } from "../../gen/types.gen.ts";
import * as operations from "../../gen/sdk.gen.ts";
import {
  certificateAuthority,
  sasAuthentication,
  sasAuthenticationOfUpdate,
  type SymmetricKeys,
  x509Authentication,
  type X509Thumbprints,
} from "./authentication.ts";
import { bulkBody, type BulkDevice, isBulkResult } from "./bulk_devices.ts";
import { changedDevice, type DeviceChange } from "./device_change.ts";
import { checkUpdate, deviceBody, type DeviceFields, type DeviceUpdate, isOwnIdentity } from "./device_fields.ts";
import { renewKeys, type RenewKeysOptions } from "./renew_keys.ts";
import type { FailedCall } from "../errors/failures.ts";
import { ifMatch } from "../transport/if_match.ts";
import { callHub } from "../transport/call_hub.ts";
import { HubClient } from "../transport/hub_client.ts";
import { modify, type ModifyOptions } from "../transport/modify.ts";
import * as facts from "../transport/operations.ts";
import { API_VERSION } from "../transport/hub_transport.ts";
import { checkWhole } from "../values/checks.ts";
import type { OperationOptions } from "../timing/operation_options.ts";
import { findDeleted, findWritten } from "../transport/repeated_write.ts";

/** Device identities, which tell the hub which devices may connect and how each of them signs in. */
export class DeviceIdentities extends HubClient {
  /**
   * Creates a device that signs in with a symmetric key. The hub generates a key that is left out.
   *
   * @param deviceId The device's id.
   * @param options The keys (primary and secondary), the identity's other fields, and options for this call.
   * @returns The new identity, with its keys.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceAlreadyExists` (409) when the hub already has a device with this id.
   *
   * @example Let the hub generate the keys
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const device = await registry.createDeviceWithSas("thermostat-1", { statusReason: "Installed in hall 3" });
   * console.assert(device.authentication.symmetricKey.primaryKey?.length === 44);
   * ```
   *
   * REST operation: `PUT /devices/{id}`.
   */
  createDeviceWithSas(
    deviceId: string,
    options: DeviceFields & { primaryKey?: string | undefined; secondaryKey?: string | undefined } = {},
  ): Promise<Device> {
    return putDevice(this, facts.createDeviceWithSas, deviceId, options, sasAuthentication);
  }

  /**
   * Creates a device that signs in with a self-signed certificate, which the hub identifies by its thumbprint.
   *
   * @param deviceId The device's id.
   * @param options The thumbprints, the identity's other fields, and options for this call.
   * @returns The new identity.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceAlreadyExists` (409) when the hub already has a device with this id.
   *
   * @example Register a certificate
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const device = await registry.createDeviceWithX509("camera-7", {
   *   primaryThumbprint: "0123456789ABCDEF0123456789ABCDEF01234567",
   * });
   * console.assert(device.authentication.type === "selfSigned");
   * ```
   *
   * REST operation: `PUT /devices/{id}`.
   */
  createDeviceWithX509(deviceId: string, options: DeviceFields & X509Thumbprints): Promise<Device> {
    return putDevice(this, facts.createDeviceWithX509, deviceId, options, x509Authentication);
  }

  /**
   * Creates a device that signs in with a certificate of an authority that the hub trusts.
   *
   * @param deviceId The device's id.
   * @param options The identity's other fields, and options for this call.
   * @returns The new identity.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceAlreadyExists` (409) when the hub already has a device with this id.
   *
   * @example Register a gateway
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const gateway = await registry.createDeviceWithCertificateAuthority("gateway-1", { iotEdge: true });
   * console.assert(gateway.capabilities.iotEdge === true);
   * ```
   *
   * REST operation: `PUT /devices/{id}`.
   */
  createDeviceWithCertificateAuthority(deviceId: string, options: DeviceFields = {}): Promise<Device> {
    return putDevice(this, facts.createDeviceWithCertificateAuthority, deviceId, options, certificateAuthority);
  }

  /**
   * Updates a device, which then signs in with the given keys. Both keys must be given, since the hub would replace a missing
   * key with a new one. Without an etag the update is unconditional.
   *
   * The whole identity is replaced: a field that is left out is reset, so that an IoT Edge device becomes an ordinary one
   * without `iotEdge: true`. To change one field, or to renew keys, {@linkcode DeviceIdentities.modifyDevice} and
   * {@linkcode DeviceIdentities.renewDeviceKeys} are safer.
   *
   * @param deviceId The device's id.
   * @param options The new values, of which the status is required, the etag that the identity must still have, and options
   * for this call.
   * @returns The identity with its new etag.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   * @throws {IoTHubError} `PreconditionFailed` (412) when the etag is no longer current.
   *
   * @example Disable a device, unless it has changed in the meantime
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const keys = { primaryKey: btoa("a key of the device"), secondaryKey: btoa("another of its keys") };
   * const { etag } = await registry.createDeviceWithSas("thermostat-1", keys);
   * const updated = await registry.updateDeviceWithSas("thermostat-1", { ...keys, etag, status: "disabled" });
   * console.assert(updated.status === "disabled" && updated.etag !== etag);
   * ```
   *
   * REST operation: `PUT /devices/{id} with If-Match`.
   */
  updateDeviceWithSas(
    deviceId: string,
    options: DeviceUpdate & SymmetricKeys,
  ): Promise<Device> {
    return putDevice(this, facts.updateDeviceWithSas, deviceId, options, sasAuthenticationOfUpdate, ifMatch);
  }

  /**
   * Updates a device, which then signs in with the certificates that have the given thumbprints. Without an
   * etag the update is unconditional.
   *
   * The whole identity is replaced: a field that is left out is reset, so that an IoT Edge device becomes an ordinary one
   * without `iotEdge: true`. To change one field, {@linkcode DeviceIdentities.modifyDevice} is safer.
   *
   * @param deviceId The device's id.
   * @param options The new values, of which the status is required, the etag that the identity must still have, and options
   * for this call.
   * @returns The identity with its new etag.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
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
   * await registry.createDeviceWithX509("camera-7", { primaryThumbprint: "A".repeat(40) });
   * const camera = await registry.updateDeviceWithX509("camera-7", {
   *   primaryThumbprint: "B".repeat(40),
   *   status: "enabled",
   * });
   * console.assert(camera.authentication.x509Thumbprint.primaryThumbprint === "B".repeat(40));
   * ```
   *
   * REST operation: `PUT /devices/{id} with If-Match`.
   */
  updateDeviceWithX509(
    deviceId: string,
    options: DeviceUpdate & X509Thumbprints,
  ): Promise<Device> {
    return putDevice(this, facts.updateDeviceWithX509, deviceId, options, x509Authentication, ifMatch);
  }

  /**
   * Updates a device, which then signs in with a certificate of an authority that the hub trusts. Without an
   * etag the update is unconditional.
   *
   * The whole identity is replaced: a field that is left out is reset, so that an IoT Edge device becomes an ordinary one
   * without `iotEdge: true`. To change one field, {@linkcode DeviceIdentities.modifyDevice} is safer.
   *
   * @param deviceId The device's id.
   * @param options The new values, of which the status is required, the etag that the identity must still have, and options
   * for this call.
   * @returns The identity with its new etag.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   * @throws {IoTHubError} `PreconditionFailed` (412) when the etag is no longer current.
   *
   * @example Disable a device and give the reason
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithCertificateAuthority("pump-2");
   * const pump = await registry.updateDeviceWithCertificateAuthority("pump-2", {
   *   status: "disabled",
   *   statusReason: "In repair",
   * });
   * console.assert(pump.statusReason === "In repair");
   * ```
   *
   * REST operation: `PUT /devices/{id} with If-Match`.
   */
  updateDeviceWithCertificateAuthority(
    deviceId: string,
    options: DeviceUpdate,
  ): Promise<Device> {
    return putDevice(
      this,
      facts.updateDeviceWithCertificateAuthority,
      deviceId,
      options,
      certificateAuthority,
      ifMatch,
    );
  }

  /**
   * Changes part of a device identity, and leaves the rest as it is. It reads the identity, calls `change` to find out what
   * to change, and writes that only if the identity has not changed since. If it has, everything starts again with the new
   * identity.
   *
   * @param deviceId The device's id.
   * @param change Receives the identity, and returns the members to change, or `undefined` to leave the identity unchanged.
   * With keys or thumbprints the device signs in with those. It may be called several times.
   * @param options How often to try at most (`maxAttempts`, 10 by default), and options for this call; `timeoutInMs`
   * applies to all attempts together.
   * @returns The identity after the write, or the one that was read if there was nothing to change.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {TypeError} When `change` returns something of the wrong type, or a member that no device has; nothing is written.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {RangeError} When `change` returns a value that is not legal; nothing is written.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   * @throws {IoTHubError} `PreconditionFailed` (412) when others changed the identity each time.
   * @throws {IoTHubError} `InvalidResponse` when the identity came without an etag; nothing is written.
   *
   * @example Disable an IoT Edge device, which stays one
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1", { iotEdge: true });
   * const gateway = await registry.modifyDevice("gateway-1", () => ({ status: "disabled", statusReason: "Stolen" }));
   * console.assert(gateway.status === "disabled" && gateway.capabilities?.iotEdge === true);
   * ```
   *
   * REST operations: `GET /devices/{id}`, `PUT /devices/{id}` with If-Match.
   */
  modifyDevice(
    deviceId: string,
    change: (device: Device) => DeviceChange | undefined | Promise<DeviceChange | undefined>,
    options: ModifyOptions = {},
  ): Promise<Device> {
    return modifyDevice(this, { operation: "modifyDevice", deviceId }, change, options);
  }

  /**
   * Gives a device new keys, made of 32 random bytes each, and leaves everything else of its identity as it is. If the
   * identity is changed by others meanwhile, it is read again, and their changes are kept.
   *
   * To change keys without an interruption, renew the key that the device does not use, let the device use that one, and
   * then renew the other.
   *
   * @param deviceId The device's id.
   * @param options Which keys to renew (`keys`): `"primary"`, `"secondary"`, `"both"` (the default), or `"swap"`, which
   * exchanges the two and makes none; how often to try at most (`maxAttempts`, 10 by default); and options for this call.
   * @returns The identity with its keys and its new etag.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   * @throws {IoTHubError} `OperationNotAllowedInCurrentState` when the device signs in with a certificate.
   * @throws {IoTHubError} `PreconditionFailed` (412) when others changed the identity each time.
   *
   * @example Renew the key that the device does not use
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const before = await registry.createDeviceWithSas("thermostat-1", { status: "disabled" });
   * const after = await registry.renewDeviceKeys("thermostat-1", { keys: "secondary" });
   * const [old, renewed] = [before.authentication?.symmetricKey, after.authentication?.symmetricKey];
   * console.assert(renewed?.primaryKey === old?.primaryKey && renewed?.secondaryKey !== old?.secondaryKey);
   * console.assert(after.status === "disabled");
   * ```
   *
   * REST operations: `GET /devices/{id}`, `PUT /devices/{id}` with If-Match.
   */
  renewDeviceKeys(deviceId: string, options: RenewKeysOptions = {}): Promise<Device> {
    const call = { operation: "renewDeviceKeys", deviceId };
    return renewKeys<Device>(call, options, (change, others) => modifyDevice(this, call, change, others));
  }

  /**
   * Reads a device identity, including its keys.
   *
   * @param deviceId The device's id.
   * @param options Options for this call.
   * @returns The identity.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   *
   * @example Check whether a device is enabled
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * const device = await registry.getDevice("thermostat-1");
   * console.assert(device.status === "enabled");
   * ```
   *
   * REST operation: `GET /devices/{id}`.
   */
  getDevice(deviceId: string, options: OperationOptions = {}): Promise<Device> {
    return callHub(
      this,
      facts.getDevice,
      { deviceId },
      options,
      (call) => operations.getDevice({ ...call(), path: { id: deviceId } }),
    );
  }

  /**
   * Reads up to 1000 device identities, in no particular order. There is no way to read the others of a larger hub: the hub
   * has no further pages, and does not say that there are more. To see all devices, or to select some, query their twins.
   *
   * @param options The largest number of devices to read, `maxNumberOfDevices` (1 to 1000, 1000 by default), and options for
   * this call.
   * @returns The identities. If there are as many as were asked for, the hub may have more.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   *
   * @example Read some of the devices
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * const devices = await registry.getDevices({ maxNumberOfDevices: 10 });
   * console.assert(devices.length === 1);
   * ```
   *
   * REST operation: `GET /devices`.
   */
  getDevices(options: OperationOptions & { maxNumberOfDevices?: number | undefined } = {}): Promise<Device[]> {
    return callHub(this, facts.getDevices, {}, options, (call) => {
      const { maxNumberOfDevices: top } = options;
      checkWhole("maxNumberOfDevices", top, 1, 1000);
      return operations.getDevices({ ...call(), query: { top, ...API_VERSION } });
    });
  }

  /**
   * Deletes a device with its modules, twins and waiting messages. Without an etag the deletion is unconditional.
   *
   * @param deviceId The device's id.
   * @param options The etag that the identity must still have, and options for this call.
   * @returns A promise that resolves when the device is deleted.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   * @throws {IoTHubError} `PreconditionFailed` (412) when the etag is no longer current.
   *
   * @example Delete a device
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * await registry.deleteDevice("thermostat-1");
   * console.assert((await registry.getDevices()).length === 0);
   * ```
   *
   * REST operation: `DELETE /devices/{id}`.
   */
  async deleteDevice(deviceId: string, options: OperationOptions & { etag?: string | undefined } = {}): Promise<void> {
    await callHub(this, facts.deleteDevice, { deviceId }, options, (call) => {
      const headers = ifMatch(options);
      const deletion = call({ mayBeEmpty: true, findEarlierWrite: findDeleted });
      return operations.deleteDevice({ ...deletion, path: { id: deviceId }, headers });
    });
  }

  /**
   * Creates, updates or deletes up to 100 devices and modules in one request. The `importMode` of each entry says what to do
   * with it, and each succeeds or fails independently. Failures of entries do not make the call reject, so check
   * `isSuccessful`. An update replaces the whole identity, and gives one that comes without `authentication` new keys.
   *
   * An identity that was read can be an entry, with an `importMode`: `deviceId` is taken for `id` and `etag` for `eTag`, and
   * members that only the hub writes, such as `connectionState`, are left out.
   *
   * @param devices One entry for each device or module.
   * @param options Options for this call.
   * @returns Whether all entries succeeded, with the errors and warnings of those that did not.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `TooManyDevices` (413) and others when the hub refuses the request as a whole.
   *
   * @example Register two devices
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const result = await registry.bulkCreateOrUpdateDevices([
   *   { id: "thermostat-1", importMode: "create" },
   *   { id: "thermostat-2", importMode: "create", tags: { site: "berlin" } },
   * ]);
   * console.assert(result.isSuccessful, result.errors[0]?.errorStatus);
   * ```
   *
   * REST operation: `POST /devices`.
   */
  bulkCreateOrUpdateDevices(
    devices: BulkDevice[],
    options: OperationOptions = {},
  ): Promise<BulkRegistryOperationResult> {
    return callHub(this, facts.bulkCreateOrUpdateDevices, {}, options, (call) => {
      const body = bulkBody(devices);
      return operations.bulkCreateOrUpdateDevices({ ...call({ accepts: isBulkResult }), body });
    });
  }
}

/** Creates a device or, with `headers`, updates one that exists. */
function putDevice<Fields extends DeviceFields>(
  devices: DeviceIdentities,
  operation: facts.OperationFacts,
  deviceId: string,
  fields: Fields,
  authentication: (fields: NoInfer<Fields>) => AuthenticationRequest,
  headers?: typeof ifMatch,
): Promise<Device> {
  const makeBody = (): DeviceRequest => {
    if (headers !== undefined) checkUpdate(fields);
    return deviceBody(deviceId, authentication(fields), fields);
  };
  return writeDevice(devices, operation, deviceId, fields, makeBody, headers);
}

/** Reads a device, and writes what is to change of it. */
function modifyDevice(
  devices: DeviceIdentities,
  call: FailedCall & { deviceId: string },
  change: (device: Device) => DeviceChange | undefined | Promise<DeviceChange | undefined>,
  options: ModifyOptions,
): Promise<Device> {
  const { deviceId } = call;
  return modify(
    call,
    change,
    options,
    (readOptions) => devices.getDevice(deviceId, readOptions),
    (changes, writeOptions, device) => {
      const body = changedDevice(deviceId, device, changes);
      const operation = updateFor(body.authentication?.type);
      return writeDevice(devices, operation, deviceId, writeOptions, () => body, ifMatch);
    },
  );
}

/** Returns the method that does the same as a write with this way to sign in. */
function updateFor(type: AuthenticationRequest["type"]): facts.OperationFacts {
  if (type === "sas") return facts.updateDeviceWithSas;
  return type === "selfSigned" ? facts.updateDeviceWithX509 : facts.updateDeviceWithCertificateAuthority;
}

function writeDevice<Options extends OperationOptions>(
  devices: DeviceIdentities,
  operation: facts.OperationFacts,
  deviceId: string,
  options: Options,
  makeBody: () => DeviceRequest,
  headers?: (options: Options) => ReturnType<typeof ifMatch>,
): Promise<Device> {
  return callHub(devices, operation, { deviceId }, options, (call) => {
    const body = makeBody();
    const findEarlierWrite = findWritten(
      body,
      (readOptions) => devices.getDevice(deviceId, readOptions),
      isOwnIdentity,
    );
    return operations.createOrUpdateDevice({
      ...call({ findEarlierWrite }),
      path: { id: deviceId },
      body,
      headers: headers?.(options),
    });
  });
}
