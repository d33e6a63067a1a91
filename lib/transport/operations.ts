/** A right that a shared access policy can have. */
export type HubRight = "RegistryRead" | "RegistryWrite" | "ServiceConnect";

/** What is known of a method, whatever it is called with. */
export interface OperationFacts {
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

// One row for each method that makes a request of its own. Methods made of others, such as `modifyTwin`, need none.
const TABLE = {
  getServiceStatistics: { noun: "Statistics", right: "RegistryRead", mayRunTwice: true },
  getDeviceRegistryStatistics: { noun: "Statistics", right: "RegistryRead", mayRunTwice: true },

  createDeviceWithSas: { noun: "DeviceIdentities", right: "RegistryWrite", mayRunTwice: false },
  createDeviceWithX509: { noun: "DeviceIdentities", right: "RegistryWrite", mayRunTwice: false },
  createDeviceWithCertificateAuthority: { noun: "DeviceIdentities", right: "RegistryWrite", mayRunTwice: false },
  updateDeviceWithSas: { noun: "DeviceIdentities", right: "RegistryWrite", mayRunTwice: true },
  updateDeviceWithX509: { noun: "DeviceIdentities", right: "RegistryWrite", mayRunTwice: true },
  updateDeviceWithCertificateAuthority: { noun: "DeviceIdentities", right: "RegistryWrite", mayRunTwice: true },
  getDevice: { noun: "DeviceIdentities", right: "RegistryRead", mayRunTwice: true },
  getDevices: { noun: "DeviceIdentities", right: "RegistryRead", mayRunTwice: true },
  deleteDevice: { noun: "DeviceIdentities", right: "RegistryWrite", mayRunTwice: true },
  bulkCreateOrUpdateDevices: { noun: "DeviceIdentities", right: "RegistryWrite", mayRunTwice: false },

  createModuleWithSas: { noun: "ModuleIdentities", right: "RegistryWrite", mayRunTwice: false },
  createModuleWithX509: { noun: "ModuleIdentities", right: "RegistryWrite", mayRunTwice: false },
  createModuleWithCertificateAuthority: { noun: "ModuleIdentities", right: "RegistryWrite", mayRunTwice: false },
  updateModuleWithSas: { noun: "ModuleIdentities", right: "RegistryWrite", mayRunTwice: true },
  updateModuleWithX509: { noun: "ModuleIdentities", right: "RegistryWrite", mayRunTwice: true },
  updateModuleWithCertificateAuthority: { noun: "ModuleIdentities", right: "RegistryWrite", mayRunTwice: true },
  getModule: { noun: "ModuleIdentities", right: "RegistryRead", mayRunTwice: true },
  getModules: { noun: "ModuleIdentities", right: "RegistryRead", mayRunTwice: true },
  deleteModule: { noun: "ModuleIdentities", right: "RegistryWrite", mayRunTwice: true },

  getTwin: { noun: "Twins", right: "ServiceConnect", mayRunTwice: true },
  replaceTwin: { noun: "Twins", right: "ServiceConnect", mayRunTwice: true },
  updateTwin: { noun: "Twins", right: "ServiceConnect", mayRunTwice: true },

  getModuleTwin: { noun: "ModuleTwins", right: "ServiceConnect", mayRunTwice: true },
  replaceModuleTwin: { noun: "ModuleTwins", right: "ServiceConnect", mayRunTwice: true },
  updateModuleTwin: { noun: "ModuleTwins", right: "ServiceConnect", mayRunTwice: true },

  queryIotHub: { noun: "Queries", right: "ServiceConnect", mayRunTwice: true },

  invokeDeviceMethod: { noun: "DirectMethods", right: "ServiceConnect", mayRunTwice: false },
  invokeDeviceModuleMethod: { noun: "DirectMethods", right: "ServiceConnect", mayRunTwice: false },

  purgeC2dMessages: { noun: "C2dQueues", right: "ServiceConnect", mayRunTwice: true },

  // Over AMQP. A message keeps its id however often it is sent, so that its device can tell.
  sendC2dMessage: { noun: "C2dMessages", right: "ServiceConnect", mayRunTwice: true },
  sendC2dMessageToModule: { noun: "C2dMessages", right: "ServiceConnect", mayRunTwice: true },
  receiveFeedback: { noun: "C2dMessages", right: "ServiceConnect", mayRunTwice: true },
  receiveFileNotifications: { noun: "C2dMessages", right: "ServiceConnect", mayRunTwice: true },
} as const;

/** The name of a method that makes a request of its own. */
export type OperationName = keyof typeof TABLE;

/** What is known of each method: whoever has to know looks it up here, and nowhere is it guessed from a name. */
export const OPERATIONS: Readonly<Record<OperationName, OperationFacts>> = TABLE;
