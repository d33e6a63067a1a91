import {
  DigitalTwinClient,
  IoTHubConfigurationManager,
  IoTHubJobManager,
  type IoTHubRegistryManager,
  type JsonPatchOperation,
} from "../../mod.ts";
import type { Methods } from "../support/official_sdk.ts";
import {
  BARE_ETAG,
  CAPITAL_IDENTITY,
  type Comparison,
  JOB_TIME_OUT,
  NO_START,
  OPTIONAL_ETAG,
  SCHEMA_VERSION,
  testComparisons,
} from "../support/sdk_comparison.ts";
import { DEVICE, PATCH } from "../support/sdk_values.ts";

const ID = "a9-+%_*!'";
const CONFIGURATION = {
  id: ID,
  content: { deviceContent: { "properties.desired.interval": 5 } },
  targetCondition: "tags.site = 'Zürich'",
  priority: 5,
  labels: { site: "Zürich" },
};
const CONTENT = { modulesContent: { $edgeAgent: { "properties.desired": {} } } };
const START = new Date("2030-01-31T12:00:00Z");
const CONDITION = "tags.site = 'Zürich'";
const SCHEDULE = { queryCondition: CONDITION, startTime: START, maxExecutionTimeInSeconds: 60 };
const IN = "https://store.example/in?sv=2024-11-04&sig=c2VjcmV0IHNlY3JldA%3D%3D";
const OUT = "https://store.example/out?sv=2024-11-04&sig=c2VjcmV0IHNlY3JldA%3D%3D";
const IDENTITY = "/subscriptions/s";
const JSON_PATCH: JsonPatchOperation[] = [{ op: "add", path: "/interval", value: null }];

const configurations = (registry: IoTHubRegistryManager): IoTHubConfigurationManager =>
  IoTHubConfigurationManager.fromManager(registry);
const jobs = (registry: IoTHubRegistryManager): IoTHubJobManager => IoTHubJobManager.fromManager(registry);
const twins = (registry: IoTHubRegistryManager): DigitalTwinClient => DigitalTwinClient.fromManager(registry);

const CONFIGURATIONS: Comparison[] = [
  {
    name: "Registry.addConfiguration",
    theirs: ({ registry }) => registry.addConfiguration({ ...CONFIGURATION }),
    ours: (registry) => configurations(registry).createConfiguration(CONFIGURATION),
    differences: [SCHEMA_VERSION],
  },
  {
    name: "Registry.updateConfiguration of any version",
    theirs: ({ registry }) => registry.updateConfiguration({ ...CONFIGURATION, schemaVersion: "1.0" }, true),
    ours: (registry) => configurations(registry).updateConfiguration({ ...CONFIGURATION, schemaVersion: "1.0" }),
  },
  {
    name: "Registry.getConfiguration",
    theirs: ({ registry }) => registry.getConfiguration(ID),
    ours: (registry) => configurations(registry).getConfiguration(ID),
  },
  {
    name: "Registry.getConfigurations",
    theirs: ({ registry }) => registry.getConfigurations(),
    ours: (registry) => configurations(registry).getConfigurations(),
  },
  {
    name: "Registry.removeConfiguration",
    theirs: ({ registry }) => registry.removeConfiguration(ID),
    ours: (registry) => configurations(registry).deleteConfiguration(ID),
    differences: [OPTIONAL_ETAG],
  },
  {
    name: "Registry.applyConfigurationContentOnDevice",
    theirs: ({ registry }) => registry.applyConfigurationContentOnDevice(DEVICE, CONTENT),
    ours: (registry) => configurations(registry).applyConfigurationOnEdgeDevice(DEVICE, CONTENT),
  },
];

const SCHEDULED_JOBS: Comparison[] = [
  {
    name: "JobClient.scheduleTwinUpdate",
    theirs: ({ jobs }) => jobs.scheduleTwinUpdate("j'1", CONDITION, { ...PATCH, etag: "*" }, START, 60),
    ours: (registry) => jobs(registry).scheduleTwinUpdate("j'1", { ...SCHEDULE, twin: PATCH }),
  },
  {
    name: "JobClient.scheduleTwinUpdate at once",
    theirs: ({ jobs }) => jobs.scheduleTwinUpdate("j1", CONDITION, { ...PATCH, etag: "*" }, null, 60),
    ours: (registry) => jobs(registry).scheduleTwinUpdate("j1", { ...SCHEDULE, startTime: undefined, twin: PATCH }),
    differences: [NO_START],
  },
  {
    name: "JobClient.scheduleDeviceMethod",
    theirs: ({ jobs }) => jobs.scheduleDeviceMethod("j1", CONDITION, { methodName: "m", payload: { a: 1 } }, START, 60),
    ours: (registry) =>
      jobs(registry).scheduleDeviceMethod("j1", { ...SCHEDULE, method: { methodName: "m", payload: { a: 1 } } }),
    differences: [JOB_TIME_OUT],
  },
  {
    name: "JobClient.getJob",
    theirs: ({ jobs }) => jobs.getJob("j1"),
    ours: (registry) => jobs(registry).getScheduledJob("j1"),
  },
  {
    name: "JobClient.cancelJob",
    theirs: ({ jobs }) => jobs.cancelJob("j1"),
    ours: (registry) => jobs(registry).cancelScheduledJob("j1"),
  },
  {
    name: "JobClient.createQuery",
    theirs: ({ jobs }) =>
      (jobs.createQuery("scheduleUpdateTwin", "running", 7) as Methods<"next">).next("+RID:~a/b=#1"),
    ours: (registry) =>
      jobs(registry).queryScheduledJobs({
        jobType: "scheduleUpdateTwin",
        jobStatus: "running",
        maxItemCount: 7,
        continuationToken: "+RID:~a/b=#1",
      }),
  },
];

const IMPORTS_AND_EXPORTS: Comparison[] = [
  {
    name: "Registry.importDevicesFromBlob",
    theirs: ({ registry }) => registry.importDevicesFromBlob(IN, OUT),
    ours: (registry) =>
      jobs(registry).createImportExportJob({
        type: "import",
        inputBlobContainerUri: IN,
        outputBlobContainerUri: OUT,
      }),
  },
  {
    name: "Registry.importDevicesFromBlobByIdentity",
    theirs: ({ registry }) => registry.importDevicesFromBlobByIdentity(IN, OUT, IDENTITY),
    ours: (registry) =>
      jobs(registry).createImportExportJob({
        type: "import",
        inputBlobContainerUri: IN,
        outputBlobContainerUri: OUT,
        storageAuthenticationType: "identityBased",
        identity: { userAssignedIdentity: IDENTITY },
      }),
    differences: [CAPITAL_IDENTITY],
  },
  {
    name: "Registry.exportDevicesToBlob",
    theirs: ({ registry }) => registry.exportDevicesToBlob(OUT, true),
    ours: (registry) =>
      jobs(registry).createImportExportJob({
        type: "export",
        outputBlobContainerUri: OUT,
        excludeKeysInExport: true,
      }),
  },
  {
    name: "Registry.exportDevicesToBlobByIdentity",
    theirs: ({ registry }) => registry.exportDevicesToBlobByIdentity(OUT, false, IDENTITY),
    ours: (registry) =>
      jobs(registry).createImportExportJob({
        type: "export",
        outputBlobContainerUri: OUT,
        excludeKeysInExport: false,
        storageAuthenticationType: "identityBased",
        identity: { userAssignedIdentity: IDENTITY },
      }),
    differences: [CAPITAL_IDENTITY],
  },
  {
    name: "Registry.listJobs",
    theirs: ({ registry }) => registry.listJobs(),
    ours: (registry) => jobs(registry).getImportExportJobs(),
  },
  {
    name: "Registry.getJob",
    theirs: ({ registry }) => registry.getJob("j1"),
    ours: (registry) => jobs(registry).getImportExportJob("j1"),
  },
  {
    name: "Registry.cancelJob",
    theirs: ({ registry }) => registry.cancelJob("j1"),
    ours: (registry) => jobs(registry).cancelImportExportJob("j1"),
  },
];

const DIGITAL_TWINS: Comparison[] = [
  {
    name: "DigitalTwinClient.getDigitalTwin",
    theirs: ({ digitalTwins }) => digitalTwins.getDigitalTwin(DEVICE),
    ours: (registry) => twins(registry).getDigitalTwin(DEVICE),
  },
  {
    name: "DigitalTwinClient.updateDigitalTwin of one version",
    theirs: ({ digitalTwins }) => digitalTwins.updateDigitalTwin(DEVICE, JSON_PATCH, "AAAA="),
    ours: (registry) => twins(registry).updateDigitalTwin(DEVICE, JSON_PATCH, { etag: "AAAA=" }),
    differences: [BARE_ETAG],
  },
  {
    name: "DigitalTwinClient.updateDigitalTwin of any version",
    theirs: ({ digitalTwins }) => digitalTwins.updateDigitalTwin(DEVICE, JSON_PATCH),
    ours: (registry) => twins(registry).updateDigitalTwin(DEVICE, JSON_PATCH),
    differences: [OPTIONAL_ETAG],
  },
  {
    name: "DigitalTwinClient.invokeCommand",
    theirs: ({ digitalTwins }) =>
      digitalTwins.invokeCommand(DEVICE, "re/boot", { a: 1 }, { responseTimeoutInSeconds: 10 }),
    ours: (registry) => twins(registry).invokeCommand(DEVICE, "re/boot", { a: 1 }, { responseTimeoutInSeconds: 10 }),
  },
  {
    name: "DigitalTwinClient.invokeComponentCommand",
    theirs: ({ digitalTwins }) =>
      digitalTwins.invokeComponentCommand(DEVICE, "engine", "start", 5, { connectTimeoutInSeconds: 5 }),
    ours: (registry) =>
      twins(registry).invokeComponentCommand(DEVICE, "engine", "start", 5, { connectTimeoutInSeconds: 5 }),
  },
];

testComparisons([...CONFIGURATIONS, ...SCHEDULED_JOBS, ...IMPORTS_AND_EXPORTS, ...DIGITAL_TWINS]);
