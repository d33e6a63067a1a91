/**
 * The registry manager without messages: everything that goes over HTTP. It needs `fetch` and Web Crypto and nothing else,
 * so that any bundler builds it for browsers and Workers as it is.
 *
 * @example The first call
 * ```ts
 * import { IoTHubRegistryManager } from "@iothub/registry-manager/http";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * const device = await registry.createDeviceWithSas("thermostat-1");
 * console.assert(device.status === "enabled");
 * ```
 *
 * @module
 */
export { IoTHubRegistryManager } from "./http_registry_manager.ts";
export { certificateThumbprint } from "./certificate_thumbprint.ts";
export { parseConnectionString } from "./connection_string.ts";
export { deviceConnectionString } from "./device_connection_string.ts";
export { IoTHubError } from "./errors.ts";
export { createSasToken } from "./sas_token.ts";

export type { SymmetricKeys, X509Thumbprints } from "./authentication.ts";
export type { C2dQueues } from "./c2d_queues.ts";
export type { CallLimits } from "./call_limiter.ts";
export type { ClientOptions } from "./client_options.ts";
export type { ConnectionString } from "./connection_string.ts";
export type { DeviceFields } from "./device_fields.ts";
export type { DeviceIdentities } from "./device_identities.ts";
export type { DirectMethods } from "./direct_methods.ts";
export type { HubErrorCode } from "./error_codes.ts";
export type { ClientErrorCode, IoTHubErrorCode, IoTHubErrorFacts } from "./errors.ts";
export type { HubMethods } from "./hub_methods.ts";
export type { ModuleFields, ModuleIdentities } from "./module_identities.ts";
export type { ModuleTwins } from "./module_twins.ts";
export type { OperationOptions } from "./operation_options.ts";
export type { PagedAsyncIterableIterator, PageSettings } from "./paged_iterator.ts";
export type { Queries } from "./queries.ts";
export type { QueryItemType, QueryResult } from "./query_page.ts";
export type { RetryOptions } from "./retry_options.ts";
export type { SasTokenInput } from "./sas_token.ts";
export type { Statistics } from "./statistics.ts";
export type { AccessToken, GetTokenOptions, TokenCredential } from "./token_credential.ts";
export type { ModifyTwinOptions, TwinChange } from "./twin_modification.ts";
export type { TwinPatch } from "./twin_patch.ts";
export type { Twins } from "./twins.ts";
export type {
  AuthenticationMechanism,
  BulkRegistryOperationResult,
  CloudToDeviceMethod,
  CloudToDeviceMethodResult,
  Device,
  DeviceCapabilities,
  DeviceRegistryOperationError,
  DeviceRegistryOperationWarning,
  ExportImportDevice,
  Module,
  PropertyContainer,
  PurgeMessageQueueResult,
  QuerySpecification,
  RegistryStatistics,
  ServiceStatistics,
  SymmetricKey,
  Twin,
  TwinProperties,
  X509Thumbprint,
} from "../gen/types.gen.ts";
