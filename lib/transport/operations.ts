// deno-fmt-ignore-file -- a table is read by its columns

/** A right that a shared access policy can have. */
export type HubRight = "RegistryRead" | "RegistryWrite" | "ServiceConnect";

/** What is known of a method, whatever it is called with. */
export interface OperationFacts {
  /** The method's name, as errors show it. */
  readonly name: string;
  /** The class that has the method; the managers take it over from there. */
  readonly noun: string;
  /** The right that the hub asks of the caller's policy. */
  readonly right: HubRight;
  /**
   * Whether the hub may get its request twice without harm. What creates, or calls a device, may not be sent twice: it would
   * fail on what it did itself, or be done twice.
   */
  readonly mayRunTwice: boolean;
}

// One row for each method that makes a request of its own; methods made of others, such as `modifyTwin`, need none. Each row is
// an export, so that a bundle has the rows of its methods only.

export const getServiceStatistics: OperationFacts                 = { name: "getServiceStatistics",                 noun: "Statistics",       right: "RegistryRead",   mayRunTwice: true };
export const getDeviceRegistryStatistics: OperationFacts          = { name: "getDeviceRegistryStatistics",          noun: "Statistics",       right: "RegistryRead",   mayRunTwice: true };

export const createDeviceWithSas: OperationFacts                  = { name: "createDeviceWithSas",                  noun: "DeviceIdentities", right: "RegistryWrite",  mayRunTwice: false };
export const createDeviceWithX509: OperationFacts                 = { name: "createDeviceWithX509",                 noun: "DeviceIdentities", right: "RegistryWrite",  mayRunTwice: false };
export const createDeviceWithCertificateAuthority: OperationFacts = { name: "createDeviceWithCertificateAuthority", noun: "DeviceIdentities", right: "RegistryWrite",  mayRunTwice: false };
export const updateDeviceWithSas: OperationFacts                  = { name: "updateDeviceWithSas",                  noun: "DeviceIdentities", right: "RegistryWrite",  mayRunTwice: true };
export const updateDeviceWithX509: OperationFacts                 = { name: "updateDeviceWithX509",                 noun: "DeviceIdentities", right: "RegistryWrite",  mayRunTwice: true };
export const updateDeviceWithCertificateAuthority: OperationFacts = { name: "updateDeviceWithCertificateAuthority", noun: "DeviceIdentities", right: "RegistryWrite",  mayRunTwice: true };
export const getDevice: OperationFacts                            = { name: "getDevice",                            noun: "DeviceIdentities", right: "RegistryRead",   mayRunTwice: true };
export const getDevices: OperationFacts                           = { name: "getDevices",                           noun: "DeviceIdentities", right: "RegistryRead",   mayRunTwice: true };
export const deleteDevice: OperationFacts                         = { name: "deleteDevice",                         noun: "DeviceIdentities", right: "RegistryWrite",  mayRunTwice: true };
export const bulkCreateOrUpdateDevices: OperationFacts            = { name: "bulkCreateOrUpdateDevices",            noun: "DeviceIdentities", right: "RegistryWrite",  mayRunTwice: false };

export const createModuleWithSas: OperationFacts                  = { name: "createModuleWithSas",                  noun: "ModuleIdentities", right: "RegistryWrite",  mayRunTwice: false };
export const createModuleWithX509: OperationFacts                 = { name: "createModuleWithX509",                 noun: "ModuleIdentities", right: "RegistryWrite",  mayRunTwice: false };
export const createModuleWithCertificateAuthority: OperationFacts = { name: "createModuleWithCertificateAuthority", noun: "ModuleIdentities", right: "RegistryWrite",  mayRunTwice: false };
export const updateModuleWithSas: OperationFacts                  = { name: "updateModuleWithSas",                  noun: "ModuleIdentities", right: "RegistryWrite",  mayRunTwice: true };
export const updateModuleWithX509: OperationFacts                 = { name: "updateModuleWithX509",                 noun: "ModuleIdentities", right: "RegistryWrite",  mayRunTwice: true };
export const updateModuleWithCertificateAuthority: OperationFacts = { name: "updateModuleWithCertificateAuthority", noun: "ModuleIdentities", right: "RegistryWrite",  mayRunTwice: true };
export const getModule: OperationFacts                            = { name: "getModule",                            noun: "ModuleIdentities", right: "RegistryRead",   mayRunTwice: true };
export const getModules: OperationFacts                           = { name: "getModules",                           noun: "ModuleIdentities", right: "RegistryRead",   mayRunTwice: true };
export const deleteModule: OperationFacts                         = { name: "deleteModule",                         noun: "ModuleIdentities", right: "RegistryWrite",  mayRunTwice: true };

export const getTwin: OperationFacts                              = { name: "getTwin",                              noun: "Twins",            right: "ServiceConnect", mayRunTwice: true };
export const replaceTwin: OperationFacts                          = { name: "replaceTwin",                          noun: "Twins",            right: "ServiceConnect", mayRunTwice: true };
export const updateTwin: OperationFacts                           = { name: "updateTwin",                           noun: "Twins",            right: "ServiceConnect", mayRunTwice: true };

export const getModuleTwin: OperationFacts                        = { name: "getModuleTwin",                        noun: "ModuleTwins",      right: "ServiceConnect", mayRunTwice: true };
export const replaceModuleTwin: OperationFacts                    = { name: "replaceModuleTwin",                    noun: "ModuleTwins",      right: "ServiceConnect", mayRunTwice: true };
export const updateModuleTwin: OperationFacts                     = { name: "updateModuleTwin",                     noun: "ModuleTwins",      right: "ServiceConnect", mayRunTwice: true };

export const queryIotHub: OperationFacts                          = { name: "queryIotHub",                          noun: "Queries",          right: "ServiceConnect", mayRunTwice: true };

export const invokeDeviceMethod: OperationFacts                   = { name: "invokeDeviceMethod",                   noun: "DirectMethods",    right: "ServiceConnect", mayRunTwice: false };
export const invokeDeviceModuleMethod: OperationFacts             = { name: "invokeDeviceModuleMethod",             noun: "DirectMethods",    right: "ServiceConnect", mayRunTwice: false };

export const purgeC2dMessages: OperationFacts                     = { name: "purgeC2dMessages",                     noun: "C2dQueues",        right: "ServiceConnect", mayRunTwice: true };

// Over AMQP. A message keeps its id however often it is sent, so that its device can tell.
export const sendC2dMessage: OperationFacts                       = { name: "sendC2dMessage",                       noun: "C2dMessages",      right: "ServiceConnect", mayRunTwice: true };
export const sendC2dMessageToModule: OperationFacts               = { name: "sendC2dMessageToModule",               noun: "C2dMessages",      right: "ServiceConnect", mayRunTwice: true };
export const receiveFeedback: OperationFacts                      = { name: "receiveFeedback",                      noun: "C2dMessages",      right: "ServiceConnect", mayRunTwice: true };
export const receiveFileNotifications: OperationFacts             = { name: "receiveFileNotifications",             noun: "C2dMessages",      right: "ServiceConnect", mayRunTwice: true };
