import { trace } from "@opentelemetry/api";
import { HubFault, LocalHub } from "../../lib/local/mod.ts";
import {
  type AuthenticationMechanism,
  type CallLimits,
  type ClientOptions,
  type CloudToDeviceMethod,
  type CommandOptions,
  type Configuration,
  type ConfigurationContent,
  type ConfigurationMetrics,
  type ConfigurationQueriesTestInput,
  createSasToken,
  type DeviceCapabilities,
  type DeviceFields,
  DeviceIdentities,
  type DeviceMethodSchedule,
  DigitalTwinClient,
  type ExportImportDevice,
  IoTHubConfigurationManager,
  IoTHubJobManager,
  type IoTHubRegistryManager,
  type JobFilter,
  type JobProperties,
  type JobSchedule,
  type JsonPatchOperation,
  type ManagedIdentity,
  type ModuleFields,
  type OperationOptions,
  type PageSettings,
  type QuerySpecification,
  type RetryOptions,
  type SasTokenInput,
  type ScheduledJobRequest,
  type SymmetricKey,
  Twins,
  type TwinUpdateSchedule,
  type X509Thumbprint,
} from "../../mod.ts";
import type {
  HubFaultOptions,
  ListenOptions,
  LocalAmqpError,
  LocalDeviceOptions,
  LocalEventOptions,
  LocalEventRetention,
  LocalEventsOptions,
  LocalFileUpload,
  LocalHubOptions,
  LocalHubThrottling,
  LocalTokenCredentialOptions,
  ServerCertificate,
} from "../../lib/local/mod.ts";
import { COMPOSED_METHODS, HTTP_METHODS, type HttpMethod, invoke } from "./http_methods.ts";
import { CONNECTION_STRING, Recorder } from "./recorder.ts";

/** An object of options, or of another kind that is not free-form. */
export interface OptionObject {
  /** Whose argument it is. */
  what: string;
  /** What an error calls it. */
  name: string;
  /** Every member that it can have, each with a legal value. */
  members: object;
  /** Members that it takes beside those of its type. */
  others?: readonly string[];
  /** Passes an object of this kind. It throws or rejects if that is refused. */
  use: (value: object) => unknown;
}

/** Makes the compiler ask for every member of a type. */
type Whole<T> = { [Name in keyof T]-?: NonNullable<T[Name]> };

type OptionsOf<Method extends (...args: never[]) => unknown> = Required<Parameters<Method>> extends
  [...unknown[], infer Last] ? Last : never;

type Managers = IoTHubRegistryManager & IoTHubConfigurationManager & IoTHubJobManager & DigitalTwinClient;

type MethodName = Exclude<keyof Managers, "close" | typeof Symbol.asyncDispose>;

const EVERY_CALL: Whole<OperationOptions> = { abortSignal: new AbortController().signal, timeoutInMs: 5_000 };
const CONDITIONAL = { ...EVERY_CALL, etag: "AAAA=" };
const MODIFY = { ...EVERY_CALL, maxAttempts: 3 };
const RECEIVE = { ...EVERY_CALL, maxWaitTimeInMs: 1 };
const KEYS = { primaryKey: "cHJpbWFyeSBwcmltYXJ5IHByaW1hcnk=", secondaryKey: "c2Vjb25kYXJ5IHNlY29uZGFyeSBzZWM=" };
const THUMBPRINTS = { primaryThumbprint: "A".repeat(40), secondaryThumbprint: "B".repeat(40) };
const DEVICE: Whole<DeviceFields> = {
  ...EVERY_CALL,
  status: "enabled",
  statusReason: "new",
  iotEdge: true,
  deviceScope: "",
  parentScopes: [""],
};
const FILTER: Whole<JobFilter> = { jobType: "scheduleUpdateTwin", jobStatus: "running" };
const COMMAND: Whole<CommandOptions> = { ...EVERY_CALL, connectTimeoutInSeconds: 0, responseTimeoutInSeconds: 5 };
const MODULE: Whole<ModuleFields> = { ...EVERY_CALL, managedBy: "me" };

/** All options of each method. The compiler misses what is added to a method's type and not here. */
const METHOD_OPTIONS: { [Name in MethodName]: Whole<OptionsOf<Managers[Name]>> } = {
  getServiceStatistics: EVERY_CALL,
  getDeviceRegistryStatistics: EVERY_CALL,
  createDeviceWithSas: { ...DEVICE, ...KEYS },
  createDeviceWithX509: { ...DEVICE, ...THUMBPRINTS },
  createDeviceWithCertificateAuthority: DEVICE,
  updateDeviceWithSas: { ...DEVICE, ...KEYS, ...CONDITIONAL },
  updateDeviceWithX509: { ...DEVICE, ...THUMBPRINTS, ...CONDITIONAL },
  updateDeviceWithCertificateAuthority: { ...DEVICE, ...CONDITIONAL },
  getDevice: EVERY_CALL,
  getDevices: { ...EVERY_CALL, maxNumberOfDevices: 3 },
  deleteDevice: CONDITIONAL,
  bulkCreateOrUpdateDevices: EVERY_CALL,
  createModuleWithSas: { ...MODULE, ...KEYS },
  createModuleWithX509: { ...MODULE, ...THUMBPRINTS },
  createModuleWithCertificateAuthority: MODULE,
  updateModuleWithSas: { ...MODULE, ...KEYS, ...CONDITIONAL },
  updateModuleWithX509: { ...MODULE, ...THUMBPRINTS, ...CONDITIONAL },
  updateModuleWithCertificateAuthority: { ...MODULE, ...CONDITIONAL },
  getModule: EVERY_CALL,
  getModules: EVERY_CALL,
  deleteModule: CONDITIONAL,
  getTwin: EVERY_CALL,
  replaceTwin: CONDITIONAL,
  updateTwin: CONDITIONAL,
  modifyDevice: MODIFY,
  renewDeviceKeys: { ...MODIFY, keys: "both" },
  modifyModule: MODIFY,
  renewModuleKeys: { ...MODIFY, keys: "both" },
  modifyTwin: MODIFY,
  getModuleTwin: EVERY_CALL,
  replaceModuleTwin: CONDITIONAL,
  updateModuleTwin: CONDITIONAL,
  modifyModuleTwin: MODIFY,
  queryIotHub: { ...EVERY_CALL, continuationToken: "next", maxItemCount: 5 },
  query: { ...EVERY_CALL, maxItemCount: 5 },
  invokeDeviceMethod: EVERY_CALL,
  invokeDeviceModuleMethod: EVERY_CALL,
  purgeC2dMessages: EVERY_CALL,
  sendC2dMessage: EVERY_CALL,
  sendC2dMessageToModule: EVERY_CALL,
  receiveFeedback: RECEIVE,
  receiveFileNotifications: RECEIVE,
  receiveEvents: { ...RECEIVE, consumerGroup: "$Default", partitionIds: ["0"], from: "earliest" },
  getEventHubEndpoint: EVERY_CALL,
  getConfiguration: EVERY_CALL,
  getConfigurations: { ...EVERY_CALL, maxCount: 3 },
  createConfiguration: EVERY_CALL,
  updateConfiguration: CONDITIONAL,
  deleteConfiguration: CONDITIONAL,
  testConfigurationQueries: EVERY_CALL,
  applyConfigurationOnEdgeDevice: EVERY_CALL,
  createScheduledJob: EVERY_CALL,
  scheduleTwinUpdate: EVERY_CALL,
  scheduleDeviceMethod: EVERY_CALL,
  getScheduledJob: EVERY_CALL,
  cancelScheduledJob: EVERY_CALL,
  queryScheduledJobs: { ...EVERY_CALL, ...FILTER, continuationToken: "next", maxItemCount: 5 },
  scheduledJobs: { ...EVERY_CALL, ...FILTER, maxItemCount: 5 },
  jobDevices: { ...EVERY_CALL, maxItemCount: 5 },
  waitForJob: { ...EVERY_CALL, pollIntervalInMs: 5, onProgress: () => {} },
  createImportExportJob: EVERY_CALL,
  getImportExportJobs: EVERY_CALL,
  getImportExportJob: EVERY_CALL,
  cancelImportExportJob: EVERY_CALL,
  getDigitalTwin: EVERY_CALL,
  updateDigitalTwin: CONDITIONAL,
  invokeCommand: COMMAND,
  invokeComponentCommand: COMMAND,
};

/** Makes a call of a manager that nothing may be sent by if it is refused. */
async function call(
  method: (registry: IoTHubRegistryManager) => unknown,
  answer: unknown = {},
  headers: Record<string, string> = {},
): Promise<void> {
  const recorder = new Recorder({ body: answer, headers });
  await using registry = recorder.connect();
  try {
    await method(registry);
  } catch (error) {
    if (recorder.requests.length > 0) throw new Error("something was sent all the same", { cause: error });
    throw error;
  }
}

/** An object of options of a method over AMQP. Where they are taken the call still ends at once, as it is aborted. */
function messageObject<Options extends OperationOptions>(
  what: string,
  members: Whole<Options>,
  method: (registry: IoTHubRegistryManager, options: Options) => unknown,
): OptionObject {
  return object<Options>(what, "options", members, async (options) => {
    const reason = new Error("aborted");
    try {
      await call((registry) => method(registry, { ...options, abortSignal: AbortSignal.abort(reason) }));
    } catch (error) {
      if (error !== reason) throw error;
    }
  });
}

function methodObject(method: HttpMethod): OptionObject {
  return {
    what: method.name,
    name: "options",
    members: METHOD_OPTIONS[method.name as MethodName],
    use: (options) => call((registry) => invoke(registry, method, { options }), method.answer, method.answerHeaders),
  };
}

/** An object whose every use is the given one. */
function object<T extends object>(
  what: string,
  name: string,
  members: Whole<T>,
  use: (value: T) => unknown,
): OptionObject {
  return { what, name, members, use: use as OptionObject["use"] };
}

function factory(options: ClientOptions): Promise<void> {
  return Twins.fromConnectionString(CONNECTION_STRING, options).close();
}

async function local(use: (hub: LocalHub) => unknown): Promise<void> {
  await using hub = new LocalHub();
  await use(hub);
}

/** An entry of a bulk request. */
const ENTRY: Whole<ExportImportDevice> = {
  id: "d",
  moduleId: "m",
  eTag: "AAAA=",
  importMode: "create",
  status: "enabled",
  statusReason: "new",
  authentication: { type: "sas", symmetricKey: KEYS, x509Thumbprint: {} },
  twinETag: "AAAA=",
  tags: {},
  properties: {},
  capabilities: { iotEdge: false },
  deviceScope: "",
  parentScopes: [],
};

function bulk(entry: ExportImportDevice): Promise<void> {
  return call((registry) => registry.bulkCreateOrUpdateDevices([entry]), { isSuccessful: true });
}

const METRICS: Whole<ConfigurationMetrics> = { queries: {}, results: {} };

/** A configuration with all its members. */
const CONFIGURATION: Whole<Configuration> = {
  id: "c1",
  schemaVersion: "1.0",
  labels: { site: "berlin" },
  content: { deviceContent: {} },
  targetCondition: "*",
  createdTimeUtc: "2026-11-21T10:00:00Z",
  lastUpdatedTimeUtc: "2026-11-21T10:00:00Z",
  priority: 5,
  systemMetrics: METRICS,
  metrics: METRICS,
  etag: "AAAA=",
};

function create(configuration: Configuration): Promise<void> {
  return call((registry) => IoTHubConfigurationManager.fromManager(registry).createConfiguration(configuration));
}

/** An export with all members that a job can have. */
const EXPORT: Whole<JobProperties> = {
  jobId: "j1",
  startTimeUtc: "2026-11-21T10:00:00Z",
  endTimeUtc: "2026-11-21T10:00:00Z",
  type: "export",
  status: "completed",
  progress: 100,
  inputBlobContainerUri: "https://store.example/in",
  inputBlobName: "in.txt",
  outputBlobContainerUri: "https://store.example/out",
  outputBlobName: "out.txt",
  excludeKeysInExport: true,
  storageAuthenticationType: "identityBased",
  identity: { userAssignedIdentity: "/subscriptions/s" },
  failureReason: "",
  includeConfigurations: true,
  configurationsBlobName: "configurations.txt",
};

const SCHEDULE: Whole<JobSchedule> = {
  queryCondition: "*",
  startTime: "2030-01-31T12:00:00Z",
  maxExecutionTimeInSeconds: 60,
};

const METHOD: Whole<CloudToDeviceMethod> = {
  methodName: "reboot",
  payload: {},
  responseTimeoutInSeconds: 5,
  connectTimeoutInSeconds: 0,
};

function jobs(use: (jobs: IoTHubJobManager) => unknown, answer?: unknown): Promise<void> {
  return call((registry) => use(IoTHubJobManager.fromManager(registry)), answer);
}

/** The text of a query. */
const TEXT = "SELECT * FROM devices";

/** Every object of the public surface whose members are known. Twins, message properties and payloads have any. */
export const OPTION_OBJECTS: readonly OptionObject[] = [
  ...[...HTTP_METHODS, ...COMPOSED_METHODS].map(methodObject),
  object(
    "query",
    "options",
    METHOD_OPTIONS.query,
    (options) => call((registry) => registry.query(TEXT, options).next(), []),
  ),
  object<PageSettings>(
    "byPage",
    "settings",
    { continuationToken: "next", maxPageSize: 5 },
    (settings) => call((registry) => registry.query(TEXT).byPage(settings).next(), []),
  ),
  messageObject(
    "sendC2dMessage",
    METHOD_OPTIONS.sendC2dMessage,
    (registry, options) => registry.sendC2dMessage("d", "x", {}, options),
  ),
  messageObject(
    "sendC2dMessageToModule",
    METHOD_OPTIONS.sendC2dMessageToModule,
    (registry, options) => registry.sendC2dMessageToModule("d", "m", "x", {}, options),
  ),
  messageObject(
    "receiveFeedback",
    METHOD_OPTIONS.receiveFeedback,
    (registry, options) => registry.receiveFeedback(options).next(),
  ),
  messageObject(
    "receiveFileNotifications",
    METHOD_OPTIONS.receiveFileNotifications,
    (registry, options) => registry.receiveFileNotifications(options).next(),
  ),
  messageObject(
    "receiveEvents",
    METHOD_OPTIONS.receiveEvents,
    (registry, options) => registry.receiveEvents(options).next(),
  ),
  messageObject(
    "getEventHubEndpoint",
    METHOD_OPTIONS.getEventHubEndpoint,
    (registry, options) => registry.getEventHubEndpoint(options),
  ),
  object<QuerySpecification>(
    "queryIotHub",
    "query",
    { query: TEXT },
    (query) => call((registry) => registry.queryIotHub(query), []),
  ),
  object<CloudToDeviceMethod>(
    "invokeDeviceMethod",
    "request",
    METHOD,
    (request) => call((registry) => registry.invokeDeviceMethod("d", request)),
  ),
  object(
    "scheduledJobs",
    "options",
    METHOD_OPTIONS.scheduledJobs,
    (options) => jobs((manager) => manager.scheduledJobs(options).next(), []),
  ),
  object<Configuration>("createConfiguration", "configuration", CONFIGURATION, create),
  object<ConfigurationContent>(
    "createConfiguration",
    "configuration.content",
    { deviceContent: {}, moduleContent: {}, modulesContent: {} },
    (content) => create({ ...CONFIGURATION, content }),
  ),
  object<ConfigurationMetrics>(
    "createConfiguration",
    "configuration.metrics",
    METRICS,
    (metrics) => create({ ...CONFIGURATION, metrics }),
  ),
  object<ConfigurationQueriesTestInput>(
    "testConfigurationQueries",
    "input",
    { targetCondition: "*", customMetricQueries: {} },
    (input) => call((registry) => IoTHubConfigurationManager.fromManager(registry).testConfigurationQueries(input)),
  ),
  object<ScheduledJobRequest>(
    "createScheduledJob",
    "jobRequest",
    {
      ...SCHEDULE,
      startTime: "2030-01-31T12:00:00Z",
      jobId: "j",
      type: "scheduleUpdateTwin",
      updateTwin: {},
      // As hubs give it back.
      cloudToDeviceMethod: null as unknown as CloudToDeviceMethod,
    },
    (request) => jobs((manager) => manager.createScheduledJob("j", request)),
  ),
  object<CloudToDeviceMethod>(
    "createScheduledJob",
    "jobRequest.cloudToDeviceMethod",
    METHOD,
    (cloudToDeviceMethod) =>
      jobs((manager) => manager.createScheduledJob("j", { type: "scheduleDeviceMethod", cloudToDeviceMethod })),
  ),
  object<TwinUpdateSchedule>(
    "scheduleTwinUpdate",
    "schedule",
    { ...SCHEDULE, twin: {} },
    (schedule) => jobs((manager) => manager.scheduleTwinUpdate("j", schedule)),
  ),
  object<DeviceMethodSchedule>(
    "scheduleDeviceMethod",
    "schedule",
    { ...SCHEDULE, method: METHOD },
    (schedule) => jobs((manager) => manager.scheduleDeviceMethod("j", schedule)),
  ),
  object<JobProperties>(
    "createImportExportJob",
    "jobProperties",
    EXPORT,
    (properties) => jobs((manager) => manager.createImportExportJob(properties)),
  ),
  object<ManagedIdentity>(
    "createImportExportJob",
    "jobProperties.identity",
    EXPORT.identity as Whole<ManagedIdentity>,
    (identity) => jobs((manager) => manager.createImportExportJob({ ...EXPORT, identity })),
  ),
  object<Pick<JsonPatchOperation, "op" | "path" | "from" | "value">>(
    "updateDigitalTwin",
    "patch[0]",
    { op: "add", path: "/a", from: "/b", value: 1 },
    (operation) =>
      call((registry) =>
        DigitalTwinClient.fromManager(registry).updateDigitalTwin("d", [operation as JsonPatchOperation])
      ),
  ),
  {
    ...object<ExportImportDevice>("bulkCreateOrUpdateDevices", "devices[0]", ENTRY, bulk),
    others: ["deviceId", "etag", "managedBy", "generationId", "connectionState", "lastActivityTime"],
  },
  object<AuthenticationMechanism>(
    "bulkCreateOrUpdateDevices",
    "devices[0].authentication",
    ENTRY.authentication as Whole<AuthenticationMechanism>,
    (authentication) => bulk({ ...ENTRY, authentication }),
  ),
  object<SymmetricKey>(
    "bulkCreateOrUpdateDevices",
    "devices[0].authentication.symmetricKey",
    KEYS,
    (symmetricKey) => bulk({ ...ENTRY, authentication: { symmetricKey } }),
  ),
  object<X509Thumbprint>(
    "bulkCreateOrUpdateDevices",
    "devices[0].authentication.x509Thumbprint",
    THUMBPRINTS,
    (x509Thumbprint) => bulk({ ...ENTRY, authentication: { x509Thumbprint } }),
  ),
  object<DeviceCapabilities>(
    "bulkCreateOrUpdateDevices",
    "devices[0].capabilities",
    { iotEdge: true },
    (capabilities) => bulk({ ...ENTRY, capabilities }),
  ),
  object<ClientOptions>(
    "the factories",
    "options",
    {
      fetch,
      endpoint: "https://localhost",
      amqpEndpoint: "amqp://localhost",
      transportType: "Amqp",
      tls: {},
      proxy: "http://proxy.example:8080",
      timeoutInMs: 1,
      attemptTimeoutInMs: 1,
      retryOptions: {},
      limits: {},
      maxResponseBytes: 1,
      sasTokenTtlInSeconds: 1,
      tokenScope: "scope",
      userAgentPrefix: "me",
      onEvent: () => {},
      tracer: trace.getTracer("tests"),
      propagateTrace: true,
    },
    factory,
  ),
  object<NonNullable<ClientOptions["tls"]>>(
    "the factories",
    "tls",
    { ca: "pem" },
    (tls) => factory({ fetch, tls }),
  ),
  object<RetryOptions>(
    "the factories",
    "retryOptions",
    { maxRetries: 1, retryDelayInMs: 1, maxRetryDelayInMs: 1 },
    (retryOptions) => factory({ retryOptions }),
  ),
  object<CallLimits>(
    "the factories",
    "limits",
    { maxConcurrentRequests: 1, maxRequestsPerSecond: 1, maxSockets: 1 },
    (limits) => factory({ limits }),
  ),
  object<SasTokenInput>(
    "createSasToken",
    "input",
    { resourceUri: "r", key: btoa("key"), keyName: "k", expiresOn: new Date(), ttlInSeconds: 1 },
    // Only one of the two that say when it expires can be given.
    ({ ttlInSeconds: _, ...input }) => createSasToken(input),
  ),
  object<LocalHubOptions>(
    "LocalHub",
    "options",
    {
      hostName: "hub.localhost",
      now: Date.now,
      clockSkewInSeconds: 1,
      feedbackIntervalInMs: 1,
      amqpIdleTimeoutInMs: 1,
      queryLagInMs: 1,
      throttling: { tier: "S1" },
      policyKeys: { service: KEYS.primaryKey },
      deviceAuthorities: [],
      storage: "hub.sqlite",
      events: { partitions: 2 },
    },
    // Where the storage is legal, a file would be made.
    ({ storage, ...options }) =>
      new LocalHub({ ...options, ...(typeof storage !== "string" && { storage: storage as never }) }).close(),
  ),
  object<LocalDeviceOptions>(
    "LocalHub.device",
    "options",
    { modelId: "dtmi:com:example:Thermostat;1" },
    (options) => local((hub) => Promise.resolve(hub.device("d", options))),
  ),
  object<LocalEventOptions>(
    "LocalHub",
    "events",
    {
      twinChanges: true,
      lifecycle: true,
      connectionState: true,
      partitions: 2,
      retention: { maxEvents: 5 },
    },
    (events) => new LocalHub({ events }).close(),
  ),
  object<LocalEventRetention>(
    "LocalHub",
    "events.retention",
    { maxEvents: 5, maxAgeInMs: 1_000 },
    (retention) => new LocalHub({ events: { retention } }).close(),
  ),
  object<LocalEventsOptions>(
    "LocalHub.events",
    "options",
    { from: "latest", maxWaitTimeInMs: 1, abortSignal: new AbortController().signal },
    (options) =>
      local(async (hub) => {
        const next = hub.events(options).next();
        // Not every wait has an end of its own.
        await hub.close();
        await next.catch(() => {});
      }),
  ),
  object<LocalHubThrottling>(
    "LocalHub",
    "throttling",
    { tier: "S1", units: 2, bulkCost: "request" },
    (throttling) => new LocalHub({ throttling }).close(),
  ),
  object<ListenOptions>(
    "listen",
    "options",
    {
      hostname: "127.0.0.1",
      http: 0,
      https: 0,
      amqp: 0,
      amqps: 0,
      mqtt: 0,
      mqtts: 0,
      tls: { cert: "no PEM", key: "no PEM" },
    },
    // The certificate is none.
    ({ https: _, amqps: __, mqtts: ___, ...options }) => local((hub) => hub.listen(options)),
  ),
  object<ServerCertificate>(
    "listen",
    "tls",
    { cert: "no PEM", key: "no PEM" },
    (tls) => local((hub) => hub.listen({ amqp: 0, tls })),
  ),
  object<LocalTokenCredentialOptions>(
    "tokenCredential",
    "options",
    { audience: "a", issuer: "i", expiresInSeconds: 1, signingKey: {} as CryptoKey },
    (options) => local((hub) => hub.tokenCredential(options)),
  ),
  object<LocalFileUpload>(
    "notifyFileUpload",
    "upload",
    { blobName: "b", blobSizeInBytes: 1, blobUri: "u", lastUpdatedTime: new Date() },
    (upload) =>
      local(async (hub) => {
        await using devices = DeviceIdentities.fromConnectionString(hub.connectionString, hub.clientOptions);
        await devices.createDeviceWithSas("d");
        hub.device("d").notifyFileUpload(upload);
      }),
  ),
  object<LocalAmqpError>(
    "faults.reject",
    "error",
    { condition: "amqp:internal-error", description: "d" },
    (error) => local((hub) => hub.faults.reject(error)),
  ),
  object<HubFaultOptions>(
    "HubFault",
    "options",
    { errorNumber: 400_001 },
    (options) => new HubFault("Code", 400, "message", options),
  ),
];
