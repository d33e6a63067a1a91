/**
 * The registry manager without messages, with everything that uses HTTP. It needs only `fetch` and Web Crypto, so that any
 * bundler can build it for browsers and Workers without special settings.
 *
 * @example Register a device
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
export { IoTHubConfigurationManager } from "./configurations/configuration_manager.ts";
export { IoTHubJobManager } from "./jobs/job_manager.ts";
export { DigitalTwinClient } from "./digital_twins/digital_twin_client.ts";
export { DeviceIdentities } from "./identities/device_identities.ts";
export { ModuleIdentities } from "./identities/module_identities.ts";
export { Statistics } from "./identities/statistics.ts";
export { Twins } from "./twins/twins.ts";
export { ModuleTwins } from "./twins/module_twins.ts";
export { Queries } from "./queries/queries.ts";
export { DirectMethods } from "./methods/direct_methods.ts";
export { C2dQueues } from "./messages/c2d_queues.ts";
export { Configurations } from "./configurations/configurations.ts";
export { ScheduledJobs } from "./jobs/scheduled_jobs.ts";
export { ImportExportJobs } from "./jobs/import_export_jobs.ts";
export { DigitalTwins } from "./digital_twins/digital_twins.ts";
export { HubClient } from "./transport/hub_client.ts";
export { certificateThumbprint } from "./auth/certificate_thumbprint.ts";
export { parseConnectionString } from "./auth/connection_string.ts";
export { deviceConnectionString } from "./auth/device_connection_string.ts";
export { IoTHubError } from "./errors/errors.ts";
export { createSasToken } from "./auth/sas_token.ts";

export type { SymmetricKeys, X509Thumbprints } from "./identities/authentication.ts";
export type { BulkDevice } from "./identities/bulk_devices.ts";
export type { CallLimits } from "./timing/call_limiter.ts";
export type { ClientOptions } from "./client/client_options.ts";
export type {
  ClientCallAnsweredEvent,
  ClientCallBegunEvent,
  ClientCallEndedEvent,
  ClientCallEventBase,
  ClientCallSentEvent,
  ClientCallWaitingEvent,
  ClientConnectionClosedEvent,
  ClientConnectionEvent,
  ClientConnectionEventBase,
  ClientConnectionLostEvent,
  ClientConnectionOpenedEvent,
  ClientConnectionOpeningEvent,
  ClientEvent,
  ClientEventBase,
  ClientEventFailure,
  ClientEventListener,
  ClientLinkAttachedEvent,
  ClientLinkLostEvent,
  ClientMessageEvent,
  ClientTokenEventBase,
  ClientTokenFailedEvent,
  ClientTokenMadeEvent,
  ClientTokenRefusedEvent,
} from "./sight/client_event.ts";
export type { ConnectionString } from "./auth/connection_string.ts";
export type { AuthenticationChange } from "./identities/authentication_change.ts";
export type {
  CommandOptions,
  CommandResult,
  ReadDigitalTwin,
  UpdatedDigitalTwin,
} from "./digital_twins/digital_twins.ts";
export type { JobDevice } from "./jobs/job_device.ts";
export type { JobFilter, JobStatus, ScheduledJobsPage } from "./jobs/job_filter.ts";
export type {
  DeviceMethodSchedule,
  JobSchedule,
  ScheduledJobRequest,
  TwinUpdateSchedule,
} from "./jobs/scheduled_job_body.ts";
export type { AnyJob, WaitForJobOptions } from "./jobs/wait_for_job.ts";
export type { MethodTimeouts } from "./requests/method_request.ts";
export type { DeviceChange } from "./identities/device_change.ts";
export type { DeviceFields, DeviceUpdate } from "./identities/device_fields.ts";
export type { HubErrorCode } from "./errors/error_codes.ts";
export type { ClientErrorCode, IoTHubErrorCode, IoTHubErrorFacts } from "./errors/errors.ts";
export type { ModifyOptions } from "./transport/modify.ts";
export type { ModuleChange } from "./identities/module_change.ts";
export type { ModuleFields } from "./identities/module_fields.ts";
export type { OperationOptions } from "./timing/operation_options.ts";
export type { PagedAsyncIterableIterator, PageSettings } from "./requests/paged_iterator.ts";
export type { QueryItemType, QueryResult } from "./requests/query_page.ts";
export type { RenewKeysOptions } from "./identities/renew_keys.ts";
export type { ModuleTwinQuery, TwinQuery } from "./queries/twin_query.ts";
export type { RetryOptions } from "./timing/retry_options.ts";
export type { SasTokenInput } from "./auth/sas_token.ts";
export type {
  AccessToken,
  GetTokenOptions,
  NamedKeyCredential,
  SASCredential,
  TokenCredential,
} from "./auth/token_credential.ts";
export type { Tracer, TracerAttributes, TracerSpan, TracerSpanOptions } from "./sight/tracer.ts";
export type { ModifyTwinOptions, TwinChange } from "./twins/twin_change.ts";
export type { TwinPatch } from "./requests/twin_patch.ts";
export type {
  AuthenticationMechanism,
  AuthenticationRequest,
  BulkRegistryOperationResult,
  CloudToDeviceMethod,
  CloudToDeviceMethodResult,
  Configuration,
  ConfigurationContent,
  ConfigurationMetrics,
  ConfigurationMetricsRequest,
  ConfigurationQueriesTestInput,
  ConfigurationQueriesTestResponse,
  ConfigurationRequest,
  Device,
  DeviceCapabilities,
  DeviceJobStatistics,
  DeviceRegistryOperationError,
  DeviceRegistryOperationWarning,
  DeviceRequest,
  DigitalTwin,
  ExportImportDevice,
  HubTime,
  ImportExportJobRequest,
  JobProperties,
  JobRequest,
  JobResponse,
  JsonPatchOperation,
  ManagedIdentity,
  Module,
  ModuleTwin,
  PropertyContainer,
  PurgeMessageQueueResult,
  QuerySpecification,
  RegistryStatistics,
  ScheduledTwinUpdate,
  ServiceStatistics,
  SymmetricKey,
  SymmetricKeyRequest,
  Twin,
  TwinMetadata,
  TwinProperties,
  TwinRequest,
  TwinSection,
  TwinX509Thumbprint,
  X509Thumbprint,
  X509ThumbprintRequest,
} from "../gen/types.gen.ts";

export type { HttpNouns } from "./http_registry_manager.ts";
export type { JobNouns } from "./jobs/job_manager.ts";
