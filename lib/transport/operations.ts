// deno-fmt-ignore-file -- a table is read by its columns
import { checkConfigurationId, checkDigitalTwinId, checkJobId } from "../values/ids.ts";

/** A right that a shared access policy can have. */
export type HubRight = "RegistryRead" | "RegistryWrite" | "ServiceConnect";

/** The facts about a method that do not depend on its arguments. */
export interface OperationFacts {
  /** The method's name, as errors show it. */
  readonly name: string;
  /** The class of the method, from which the managers take it over. */
  readonly noun: string;
  /** The right that the caller's policy needs. */
  readonly right: HubRight;
  /**
   * Whether the hub may get the request twice without harm. A method that creates something would fail the second time
   * because of the first, and a direct method would run twice on the device.
   */
  readonly mayRunTwice: boolean;
  /** Whether a success has a JSON array as its body, and not an object. */
  readonly returnsArray?: boolean;
  /** Throws unless an id is legal, if it is not called that of a device or module. */
  readonly checkId?: (name: string, id: unknown) => void;
  /** The members that the method's options have in addition to those of every call, in groups. */
  readonly options?: readonly (readonly string[])[];
}

const DEVICE      = ["status", "statusReason", "iotEdge", "deviceScope", "parentScopes"];
const MODULE      = ["managedBy"];
const KEYS        = ["primaryKey", "secondaryKey"];
const THUMBPRINTS = ["primaryThumbprint", "secondaryThumbprint"];
const ETAG        = ["etag"];
const COUNT       = ["maxNumberOfDevices"];
const PAGE        = ["continuationToken", "maxItemCount"];
const WAIT        = ["maxWaitTimeInMs"];
const JOB_FILTER  = ["jobType", "jobStatus"];
const METHOD      = ["responseTimeoutInSeconds", "connectTimeoutInSeconds"];

// There is one row for each method that makes a request itself. Methods that only call others, such as `modifyTwin`, have
// none. Each row is an export, so that a bundle contains only the rows of its methods.

export const getServiceStatistics: OperationFacts                 = { name: "getServiceStatistics",                 noun: "Statistics",       right: "RegistryRead",   mayRunTwice: true };
export const getDeviceRegistryStatistics: OperationFacts          = { name: "getDeviceRegistryStatistics",          noun: "Statistics",       right: "RegistryRead",   mayRunTwice: true };

export const createDeviceWithSas: OperationFacts                  = { name: "createDeviceWithSas",                  noun: "DeviceIdentities", right: "RegistryWrite",  mayRunTwice: false, options: [DEVICE, KEYS] };
export const createDeviceWithX509: OperationFacts                 = { name: "createDeviceWithX509",                 noun: "DeviceIdentities", right: "RegistryWrite",  mayRunTwice: false, options: [DEVICE, THUMBPRINTS] };
export const createDeviceWithCertificateAuthority: OperationFacts = { name: "createDeviceWithCertificateAuthority", noun: "DeviceIdentities", right: "RegistryWrite",  mayRunTwice: false, options: [DEVICE] };
export const updateDeviceWithSas: OperationFacts                  = { name: "updateDeviceWithSas",                  noun: "DeviceIdentities", right: "RegistryWrite",  mayRunTwice: true,  options: [DEVICE, KEYS, ETAG] };
export const updateDeviceWithX509: OperationFacts                 = { name: "updateDeviceWithX509",                 noun: "DeviceIdentities", right: "RegistryWrite",  mayRunTwice: true,  options: [DEVICE, THUMBPRINTS, ETAG] };
export const updateDeviceWithCertificateAuthority: OperationFacts = { name: "updateDeviceWithCertificateAuthority", noun: "DeviceIdentities", right: "RegistryWrite",  mayRunTwice: true,  options: [DEVICE, ETAG] };
export const getDevice: OperationFacts                            = { name: "getDevice",                            noun: "DeviceIdentities", right: "RegistryRead",   mayRunTwice: true };
export const getDevices: OperationFacts                           = { name: "getDevices",                           noun: "DeviceIdentities", right: "RegistryRead",   mayRunTwice: true,  returnsArray: true, options: [COUNT] };
export const deleteDevice: OperationFacts                         = { name: "deleteDevice",                         noun: "DeviceIdentities", right: "RegistryWrite",  mayRunTwice: true,  options: [ETAG] };
export const bulkCreateOrUpdateDevices: OperationFacts            = { name: "bulkCreateOrUpdateDevices",            noun: "DeviceIdentities", right: "RegistryWrite",  mayRunTwice: false };

export const createModuleWithSas: OperationFacts                  = { name: "createModuleWithSas",                  noun: "ModuleIdentities", right: "RegistryWrite",  mayRunTwice: false, options: [MODULE, KEYS] };
export const createModuleWithX509: OperationFacts                 = { name: "createModuleWithX509",                 noun: "ModuleIdentities", right: "RegistryWrite",  mayRunTwice: false, options: [MODULE, THUMBPRINTS] };
export const createModuleWithCertificateAuthority: OperationFacts = { name: "createModuleWithCertificateAuthority", noun: "ModuleIdentities", right: "RegistryWrite",  mayRunTwice: false, options: [MODULE] };
export const updateModuleWithSas: OperationFacts                  = { name: "updateModuleWithSas",                  noun: "ModuleIdentities", right: "RegistryWrite",  mayRunTwice: true,  options: [MODULE, KEYS, ETAG] };
export const updateModuleWithX509: OperationFacts                 = { name: "updateModuleWithX509",                 noun: "ModuleIdentities", right: "RegistryWrite",  mayRunTwice: true,  options: [MODULE, THUMBPRINTS, ETAG] };
export const updateModuleWithCertificateAuthority: OperationFacts = { name: "updateModuleWithCertificateAuthority", noun: "ModuleIdentities", right: "RegistryWrite",  mayRunTwice: true,  options: [MODULE, ETAG] };
export const getModule: OperationFacts                            = { name: "getModule",                            noun: "ModuleIdentities", right: "RegistryRead",   mayRunTwice: true };
export const getModules: OperationFacts                           = { name: "getModules",                           noun: "ModuleIdentities", right: "RegistryRead",   mayRunTwice: true,  returnsArray: true };
export const deleteModule: OperationFacts                         = { name: "deleteModule",                         noun: "ModuleIdentities", right: "RegistryWrite",  mayRunTwice: true,  options: [ETAG] };

export const getTwin: OperationFacts                              = { name: "getTwin",                              noun: "Twins",            right: "ServiceConnect", mayRunTwice: true };
export const replaceTwin: OperationFacts                          = { name: "replaceTwin",                          noun: "Twins",            right: "ServiceConnect", mayRunTwice: true,  options: [ETAG] };
export const updateTwin: OperationFacts                           = { name: "updateTwin",                           noun: "Twins",            right: "ServiceConnect", mayRunTwice: true,  options: [ETAG] };

export const getModuleTwin: OperationFacts                        = { name: "getModuleTwin",                        noun: "ModuleTwins",      right: "ServiceConnect", mayRunTwice: true };
export const replaceModuleTwin: OperationFacts                    = { name: "replaceModuleTwin",                    noun: "ModuleTwins",      right: "ServiceConnect", mayRunTwice: true,  options: [ETAG] };
export const updateModuleTwin: OperationFacts                     = { name: "updateModuleTwin",                     noun: "ModuleTwins",      right: "ServiceConnect", mayRunTwice: true,  options: [ETAG] };

export const queryIotHub: OperationFacts                          = { name: "queryIotHub",                          noun: "Queries",          right: "ServiceConnect", mayRunTwice: true,  returnsArray: true, options: [PAGE] };

export const invokeDeviceMethod: OperationFacts                   = { name: "invokeDeviceMethod",                   noun: "DirectMethods",    right: "ServiceConnect", mayRunTwice: false };
export const invokeDeviceModuleMethod: OperationFacts             = { name: "invokeDeviceModuleMethod",             noun: "DirectMethods",    right: "ServiceConnect", mayRunTwice: false };

export const purgeC2dMessages: OperationFacts                     = { name: "purgeC2dMessages",                     noun: "C2dQueues",        right: "ServiceConnect", mayRunTwice: true };

export const getConfiguration: OperationFacts                     = { name: "getConfiguration",                     noun: "Configurations",   right: "RegistryRead",   mayRunTwice: true,  checkId: checkConfigurationId };
export const getConfigurations: OperationFacts                    = { name: "getConfigurations",                    noun: "Configurations",   right: "RegistryRead",   mayRunTwice: true,  returnsArray: true, options: [["maxCount"]] };
export const createConfiguration: OperationFacts                  = { name: "createConfiguration",                  noun: "Configurations",   right: "RegistryWrite",  mayRunTwice: false, checkId: checkConfigurationId };
export const updateConfiguration: OperationFacts                  = { name: "updateConfiguration",                  noun: "Configurations",   right: "RegistryWrite",  mayRunTwice: true,  checkId: checkConfigurationId, options: [ETAG] };
export const deleteConfiguration: OperationFacts                  = { name: "deleteConfiguration",                  noun: "Configurations",   right: "RegistryWrite",  mayRunTwice: true,  checkId: checkConfigurationId, options: [ETAG] };
export const testConfigurationQueries: OperationFacts             = { name: "testConfigurationQueries",             noun: "Configurations",   right: "RegistryWrite",  mayRunTwice: true };
export const applyConfigurationOnEdgeDevice: OperationFacts       = { name: "applyConfigurationOnEdgeDevice",       noun: "Configurations",   right: "RegistryWrite",  mayRunTwice: true };

export const createScheduledJob: OperationFacts                   = { name: "createScheduledJob",                   noun: "ScheduledJobs",    right: "ServiceConnect", mayRunTwice: false, checkId: checkJobId };
export const scheduleTwinUpdate: OperationFacts                   = { name: "scheduleTwinUpdate",                   noun: "ScheduledJobs",    right: "ServiceConnect", mayRunTwice: false, checkId: checkJobId };
export const scheduleDeviceMethod: OperationFacts                 = { name: "scheduleDeviceMethod",                 noun: "ScheduledJobs",    right: "ServiceConnect", mayRunTwice: false, checkId: checkJobId };
export const getScheduledJob: OperationFacts                      = { name: "getScheduledJob",                      noun: "ScheduledJobs",    right: "ServiceConnect", mayRunTwice: true,  checkId: checkJobId };
export const cancelScheduledJob: OperationFacts                   = { name: "cancelScheduledJob",                   noun: "ScheduledJobs",    right: "ServiceConnect", mayRunTwice: true,  checkId: checkJobId };
export const queryScheduledJobs: OperationFacts                   = { name: "queryScheduledJobs",                   noun: "ScheduledJobs",    right: "ServiceConnect", mayRunTwice: true,  returnsArray: true, options: [JOB_FILTER, PAGE] };
export const jobDevices: OperationFacts                           = { name: "jobDevices",                           noun: "ScheduledJobs",    right: "ServiceConnect", mayRunTwice: true,  checkId: checkJobId, returnsArray: true, options: [["maxItemCount"]] };

export const createImportExportJob: OperationFacts                = { name: "createImportExportJob",                noun: "ImportExportJobs", right: "RegistryWrite",  mayRunTwice: false };
export const getImportExportJobs: OperationFacts                  = { name: "getImportExportJobs",                  noun: "ImportExportJobs", right: "RegistryWrite",  mayRunTwice: true,  returnsArray: true };
export const getImportExportJob: OperationFacts                   = { name: "getImportExportJob",                   noun: "ImportExportJobs", right: "RegistryWrite",  mayRunTwice: true,  checkId: checkJobId };
export const cancelImportExportJob: OperationFacts                = { name: "cancelImportExportJob",                noun: "ImportExportJobs", right: "RegistryWrite",  mayRunTwice: true,  checkId: checkJobId };

export const getDigitalTwin: OperationFacts                       = { name: "getDigitalTwin",                       noun: "DigitalTwins",     right: "ServiceConnect", mayRunTwice: true,  checkId: checkDigitalTwinId };
export const updateDigitalTwin: OperationFacts                    = { name: "updateDigitalTwin",                    noun: "DigitalTwins",     right: "ServiceConnect", mayRunTwice: false, checkId: checkDigitalTwinId, options: [ETAG] };
export const invokeCommand: OperationFacts                        = { name: "invokeCommand",                        noun: "DigitalTwins",     right: "ServiceConnect", mayRunTwice: false, checkId: checkDigitalTwinId, options: [METHOD] };
export const invokeComponentCommand: OperationFacts               = { name: "invokeComponentCommand",               noun: "DigitalTwins",     right: "ServiceConnect", mayRunTwice: false, checkId: checkDigitalTwinId, options: [METHOD] };

// These use AMQP. A message keeps its id when it is sent again, so the device can recognize a duplicate.
export const sendC2dMessage: OperationFacts                       = { name: "sendC2dMessage",                       noun: "C2dMessages",      right: "ServiceConnect", mayRunTwice: true };
export const sendC2dMessageToModule: OperationFacts               = { name: "sendC2dMessageToModule",               noun: "C2dMessages",      right: "ServiceConnect", mayRunTwice: true };
export const receiveFeedback: OperationFacts                      = { name: "receiveFeedback",                      noun: "C2dMessages",      right: "ServiceConnect", mayRunTwice: true,  options: [WAIT] };
export const receiveFileNotifications: OperationFacts             = { name: "receiveFileNotifications",             noun: "C2dMessages",      right: "ServiceConnect", mayRunTwice: true,  options: [WAIT] };
export const receiveEvents: OperationFacts                        = { name: "receiveEvents",                        noun: "DeviceEvents",     right: "ServiceConnect", mayRunTwice: true,  options: [WAIT, ["consumerGroup", "partitionIds", "from"]] };
export const getEventHubEndpoint: OperationFacts                  = { name: "getEventHubEndpoint",                  noun: "DeviceEvents",     right: "ServiceConnect", mayRunTwice: true };
