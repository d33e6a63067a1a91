/**
 * Manages an Azure IoT hub from a back end: identities, twins, queries, direct methods, and cloud-to-device messages.
 *
 * The same module runs on Deno, Bun, Node, Cloudflare Workers and in browsers. Importing it opens no connection and reads
 * no file, and the code for messages is loaded with the first message.
 *
 * @example Register a device, tag it, and find it by its tag
 * ```ts
 * import { IoTHubRegistryManager } from "@iothub/registry-manager";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * await registry.createDeviceWithSas("thermostat-1");
 * await registry.updateTwin("thermostat-1", { tags: { site: "berlin" } });
 * for await (const twin of registry.query("SELECT * FROM devices WHERE tags.site = 'berlin'")) {
 *   console.assert(twin.deviceId === "thermostat-1");
 * }
 * ```
 *
 * @module
 */
export { IoTHubRegistryManager } from "./lib/registry_manager.ts";
export { IoTHubConfigurationManager } from "./lib/configuration_manager.ts";
export { IoTHubJobManager } from "./lib/job_manager.ts";
export { DigitalTwinClient } from "./lib/digital_twin_client.ts";
export { DeviceIdentities } from "./lib/identities/device_identities.ts";
export { ModuleIdentities } from "./lib/identities/module_identities.ts";
export { Statistics } from "./lib/identities/statistics.ts";
export { Twins } from "./lib/twins/twins.ts";
export { ModuleTwins } from "./lib/twins/module_twins.ts";
export { Queries } from "./lib/queries/queries.ts";
export { DirectMethods } from "./lib/methods/direct_methods.ts";
export { C2dQueues } from "./lib/messages/c2d_queues.ts";
export { Configurations } from "./lib/configurations/configurations.ts";
export { ScheduledJobs } from "./lib/jobs/scheduled_jobs.ts";
export { ImportExportJobs } from "./lib/jobs/import_export_jobs.ts";
export { DigitalTwins } from "./lib/digital_twins/digital_twins.ts";
export { C2dMessages } from "./lib/c2d_messages.ts";
export { DeviceEvents } from "./lib/device_events.ts";
export { HubClient } from "./lib/transport/hub_client.ts";
export { certificateThumbprint } from "./lib/auth/certificate_thumbprint.ts";
export { parseConnectionString } from "./lib/auth/connection_string.ts";
export { deviceConnectionString } from "./lib/auth/device_connection_string.ts";
export { IoTHubError } from "./lib/errors/errors.ts";
export { createSasToken } from "./lib/auth/sas_token.ts";

export type { EventHubEndpoint } from "./lib/messages/event_hub_endpoint.ts";
export type { EventPosition, EventStart } from "./lib/messages/event_position.ts";
export type { ReceiveEventsOptions } from "./lib/messages/receive_events_options.ts";
export type { ReceivedEvent } from "./lib/values/received_event.ts";
export type { SymmetricKeys, X509Thumbprints } from "./lib/identities/authentication.ts";
export type { BulkDevice } from "./lib/identities/bulk_devices.ts";
export type { CallLimits } from "./lib/timing/call_limiter.ts";
export type { ClientOptions } from "./lib/client/client_options.ts";
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
} from "./lib/sight/client_event.ts";
export type { ConnectionString } from "./lib/auth/connection_string.ts";
export type { AuthenticationChange } from "./lib/identities/authentication_change.ts";
export type {
  CommandOptions,
  CommandResult,
  ReadDigitalTwin,
  UpdatedDigitalTwin,
} from "./lib/digital_twins/digital_twins.ts";
export type { JobDevice } from "./lib/jobs/job_device.ts";
export type { JobFilter, JobStatus, ScheduledJobsPage } from "./lib/jobs/job_filter.ts";
export type {
  DeviceMethodSchedule,
  JobSchedule,
  ScheduledJobRequest,
  TwinUpdateSchedule,
} from "./lib/jobs/scheduled_job_body.ts";
export type { AnyJob, WaitForJobOptions } from "./lib/jobs/wait_for_job.ts";
export type { MethodTimeouts } from "./lib/requests/method_request.ts";
export type { DeviceChange } from "./lib/identities/device_change.ts";
export type { DeviceFields, DeviceUpdate } from "./lib/identities/device_fields.ts";
export type { HubErrorCode } from "./lib/errors/error_codes.ts";
export type { ClientErrorCode, IoTHubErrorCode, IoTHubErrorFacts } from "./lib/errors/errors.ts";
export type { ModifyOptions } from "./lib/transport/modify.ts";
export type { ModuleChange } from "./lib/identities/module_change.ts";
export type { ModuleFields } from "./lib/identities/module_fields.ts";
export type { OperationOptions } from "./lib/timing/operation_options.ts";
export type { PagedAsyncIterableIterator, PageSettings } from "./lib/requests/paged_iterator.ts";
export type { QueryItemType, QueryResult } from "./lib/requests/query_page.ts";
export type { RenewKeysOptions } from "./lib/identities/renew_keys.ts";
export type { ModuleTwinQuery, TwinQuery } from "./lib/queries/twin_query.ts";
export type { RetryOptions } from "./lib/timing/retry_options.ts";
export type { SasTokenInput } from "./lib/auth/sas_token.ts";
export type {
  AccessToken,
  GetTokenOptions,
  NamedKeyCredential,
  SASCredential,
  TokenCredential,
} from "./lib/auth/token_credential.ts";
export type { Tracer, TracerAttributes, TracerSpan, TracerSpanOptions } from "./lib/sight/tracer.ts";
export type { ModifyTwinOptions, TwinChange } from "./lib/twins/twin_change.ts";
export type { TwinPatch } from "./lib/requests/twin_patch.ts";
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
  FeedbackRecord,
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
} from "./gen/types.gen.ts";
export type { ReceivedFeedback } from "./lib/messages/feedback.ts";
export type { FileNotification, ReceivedFileNotification } from "./lib/messages/file_notifications.ts";
export type { ReceiveOptions } from "./lib/messages/receiving.ts";
export type { Settlement } from "./lib/messages/settlement.ts";
export type { C2dAcknowledgement, C2dMessageProperties } from "./lib/messages/c2d_message.ts";
export type { HttpNouns, IoTHubRegistryManager as HttpRegistryManager } from "./lib/http_registry_manager.ts";
export type { AllNouns } from "./lib/registry_manager.ts";
export type { IoTHubConfigurationManager as HttpConfigurationManager } from "./lib/configurations/configuration_manager.ts";
export type { OwnConfigurationManager } from "./lib/configuration_manager.ts";
export type { IoTHubJobManager as HttpJobManager, JobNouns } from "./lib/jobs/job_manager.ts";
export type { OwnJobManager } from "./lib/job_manager.ts";
export type { DigitalTwinClient as HttpDigitalTwinClient } from "./lib/digital_twins/digital_twin_client.ts";
export type { OwnDigitalTwinClient } from "./lib/digital_twin_client.ts";
