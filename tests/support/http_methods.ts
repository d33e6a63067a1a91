import {
  DigitalTwinClient,
  type HubClient,
  IoTHubConfigurationManager,
  IoTHubJobManager,
  type IoTHubRegistryManager,
} from "../../mod.ts";

/** What a method of a manager takes, so that one test can call any of them, also wrongly. */
export interface HttpMethod {
  name: string;
  /** The class that has it, if it is not the registry manager. */
  manager?: { fromManager(other: HubClient): HubClient };
  /** How many ids come first: none, the device's, or the device's and the module's. */
  ids: 0 | 1 | 2;
  /** What the ids are called, if they are not those of a device and a module. */
  idNames?: readonly string[];
  /** What comes after the ids. */
  argument?: unknown;
  /** What comes between that and the options. */
  more?: readonly unknown[];
  /** The options that must be there. */
  required?: Record<string, unknown>;
  /** Whether it writes on a condition. */
  takesEtag?: true;
  /** What a hub answers, where that is no object. */
  answer?: unknown;
  /** The headers of a good answer that the result depends on. */
  answerHeaders?: Record<string, string>;
  /** Whether a good answer has no body. */
  answersNothing?: true;
  /** Whether a good answer may have any JSON as its body. */
  answersAnything?: true;
  /** What the method makes of a good answer, if that is not its body. */
  resultOf?: (answer: unknown) => unknown;
  /** Makes a promise of what the method returns, if it is none. */
  first?: (returned: unknown) => unknown;
}

const KEYS = { primaryKey: "cHJpbWFyeSBwcmltYXJ5IHByaW1hcnk=", secondaryKey: "c2Vjb25kYXJ5IHNlY29uZGFyeSBzZWM=" };
const THUMBPRINT = { primaryThumbprint: "0123456789ABCDEF0123456789ABCDEF01234567" };
const STATUS = { status: "enabled" };
const IDENTITY = { etag: "AAAA=", authentication: { type: "sas", symmetricKey: KEYS } };
const PATCH = { tags: { site: "berlin" } };
const REQUEST = { methodName: "reboot" };
const CONFIGURATION = { id: "c1", content: { deviceContent: { "properties.desired": { interval: 5 } } } };
const TWIN_JOB = { type: "scheduleUpdateTwin", updateTwin: PATCH };
const EXPORT = { type: "export", outputBlobContainerUri: "https://store.example/c?sig=c2VjcmV0IHNlY3JldA%3D%3D" };
const JSON_PATCH = [{ op: "add", path: "/interval", value: 5 }];
const OF_CONFIGURATION = { ids: 1, idNames: ["configurationId"], manager: IoTHubConfigurationManager } as const;
const OF_JOB = { ids: 1, idNames: ["jobId"], manager: IoTHubJobManager } as const;
const OF_DIGITAL_TWIN = { ids: 1, idNames: ["digitalTwinId"], manager: DigitalTwinClient } as const;
const COMMAND = {
  ...OF_DIGITAL_TWIN,
  answerHeaders: { "x-ms-command-statuscode": "202" },
  answersAnything: true,
  resultOf: (payload: unknown) => ({ status: 202, payload, requestId: undefined }),
} as const;

/** The methods that are made of others. */
export const COMPOSED_METHODS: readonly HttpMethod[] = [
  { name: "modifyDevice", ids: 1, argument: () => undefined },
  { name: "renewDeviceKeys", ids: 1, answer: IDENTITY },
  { name: "modifyModule", ids: 2, argument: () => undefined },
  { name: "renewModuleKeys", ids: 2, answer: IDENTITY },
  { name: "modifyTwin", ids: 1, argument: () => undefined },
  { name: "modifyModuleTwin", ids: 2, argument: () => undefined },
  { name: "waitForJob", ...OF_JOB, answer: { status: "completed" } },
];

/** Every method of the managers that is one request, with the least that it takes. */
export const HTTP_METHODS: readonly HttpMethod[] = [
  { name: "createDeviceWithSas", ids: 1 },
  { name: "createDeviceWithX509", ids: 1, required: THUMBPRINT },
  { name: "createDeviceWithCertificateAuthority", ids: 1 },
  { name: "updateDeviceWithSas", ids: 1, required: { ...STATUS, ...KEYS }, takesEtag: true },
  { name: "updateDeviceWithX509", ids: 1, required: { ...STATUS, ...THUMBPRINT }, takesEtag: true },
  { name: "updateDeviceWithCertificateAuthority", ids: 1, required: STATUS, takesEtag: true },
  { name: "getDevice", ids: 1 },
  { name: "getDevices", ids: 0, answer: [] },
  { name: "deleteDevice", ids: 1, takesEtag: true, answersNothing: true },
  { name: "bulkCreateOrUpdateDevices", ids: 0, argument: [{ id: "d1" }] },
  { name: "createModuleWithSas", ids: 2 },
  { name: "createModuleWithX509", ids: 2, required: THUMBPRINT },
  { name: "createModuleWithCertificateAuthority", ids: 2 },
  { name: "updateModuleWithSas", ids: 2, required: KEYS, takesEtag: true },
  { name: "updateModuleWithX509", ids: 2, required: THUMBPRINT, takesEtag: true },
  { name: "updateModuleWithCertificateAuthority", ids: 2, takesEtag: true },
  { name: "getModule", ids: 2 },
  { name: "getModules", ids: 1, answer: [] },
  { name: "deleteModule", ids: 2, takesEtag: true, answersNothing: true },
  { name: "getTwin", ids: 1 },
  { name: "replaceTwin", ids: 1, argument: PATCH, takesEtag: true },
  { name: "updateTwin", ids: 1, argument: PATCH, takesEtag: true },
  { name: "getModuleTwin", ids: 2 },
  { name: "replaceModuleTwin", ids: 2, argument: PATCH, takesEtag: true },
  { name: "updateModuleTwin", ids: 2, argument: PATCH, takesEtag: true },
  {
    name: "queryIotHub",
    ids: 0,
    argument: "SELECT * FROM devices",
    answer: [],
    resultOf: (items) => ({ type: "unknown", items, continuationToken: undefined }),
  },
  { name: "getServiceStatistics", ids: 0 },
  { name: "getDeviceRegistryStatistics", ids: 0 },
  { name: "invokeDeviceMethod", ids: 1, argument: REQUEST },
  { name: "invokeDeviceModuleMethod", ids: 2, argument: REQUEST },
  { name: "purgeC2dMessages", ids: 1 },
  { name: "getConfiguration", ...OF_CONFIGURATION },
  { name: "getConfigurations", ids: 0, manager: IoTHubConfigurationManager, answer: [] },
  { name: "createConfiguration", ids: 0, manager: IoTHubConfigurationManager, argument: CONFIGURATION },
  {
    name: "updateConfiguration",
    ids: 0,
    manager: IoTHubConfigurationManager,
    argument: CONFIGURATION,
    takesEtag: true,
  },
  { name: "deleteConfiguration", ...OF_CONFIGURATION, takesEtag: true, answersNothing: true },
  { name: "testConfigurationQueries", ids: 0, manager: IoTHubConfigurationManager, argument: { targetCondition: "" } },
  {
    name: "applyConfigurationOnEdgeDevice",
    ids: 1,
    manager: IoTHubConfigurationManager,
    argument: { modulesContent: {} },
    answersNothing: true,
  },
  { name: "createScheduledJob", ...OF_JOB, argument: TWIN_JOB },
  { name: "scheduleTwinUpdate", ...OF_JOB, argument: { twin: PATCH } },
  { name: "scheduleDeviceMethod", ...OF_JOB, argument: { method: REQUEST } },
  { name: "getScheduledJob", ...OF_JOB },
  { name: "cancelScheduledJob", ...OF_JOB },
  {
    name: "queryScheduledJobs",
    ids: 0,
    manager: IoTHubJobManager,
    answer: [],
    resultOf: (items) => ({ items, continuationToken: undefined }),
  },
  {
    name: "jobDevices",
    ...OF_JOB,
    answer: [],
    first: (devices) => (devices as AsyncIterator<unknown>).next(),
    resultOf: () => ({ done: true, value: undefined }),
  },
  { name: "createImportExportJob", ids: 0, manager: IoTHubJobManager, argument: EXPORT },
  { name: "getImportExportJobs", ids: 0, manager: IoTHubJobManager, answer: [] },
  { name: "getImportExportJob", ...OF_JOB },
  { name: "cancelImportExportJob", ...OF_JOB, answersNothing: true },
  { name: "getDigitalTwin", ...OF_DIGITAL_TWIN, resultOf: (digitalTwin) => ({ digitalTwin, etag: "" }) },
  {
    name: "updateDigitalTwin",
    ...OF_DIGITAL_TWIN,
    argument: JSON_PATCH,
    takesEtag: true,
    answersNothing: true,
    resultOf: () => ({ etag: undefined, location: undefined }),
  },
  { name: "invokeCommand", ...COMMAND, argument: "reboot", more: [{ delay: 5 }] },
  { name: "invokeComponentCommand", ...COMMAND, argument: "engine", more: ["reboot", { delay: 5 }] },
];

/** The names of the ids that a method takes. */
export function idNamesOf({ ids, idNames }: HttpMethod): readonly string[] {
  return idNames ?? ["deviceId", "moduleId"].slice(0, ids);
}

/** Whether all ids of a method follow the rule for devices. */
export function hasDeviceIds(method: HttpMethod): boolean {
  return idNamesOf(method).every((name) => /^(device|module|digitalTwin)Id$/.test(name));
}

/** What one call differs in from the least one. */
export interface CallVariant {
  ids?: readonly unknown[];
  argument?: unknown;
  /** Added to the required options; anything but an object replaces them. */
  options?: unknown;
}

/** Calls `method` by its name. What it throws synchronously is thrown here. */
export function invoke(registry: IoTHubRegistryManager, method: HttpMethod, variant: CallVariant = {}): unknown {
  const ids = variant.ids ?? ["d1", "m1"].slice(0, method.ids);
  const argument = "argument" in variant ? variant.argument : method.argument;
  const { options } = variant;
  const isObject = typeof options === "object" && options !== null;
  const merged = isObject || !("options" in variant) ? { ...method.required, ...options as object } : options;
  const client = method.manager?.fromManager(registry) ?? registry;
  const target = client as unknown as Record<string, (...given: unknown[]) => unknown>;
  const returned = target[method.name]!(
    ...ids,
    ...("argument" in method ? [argument] : []),
    ...method.more ?? [],
    merged,
  );
  return method.first?.(returned) ?? returned;
}
