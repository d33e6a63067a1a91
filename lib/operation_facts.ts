/** A right that a shared access policy can have. */
export type HubRight = "RegistryRead" | "RegistryWrite" | "ServiceConnect";

/** What is known of a method, whatever its arguments. */
export interface OperationFacts {
  /**
   * Whether its request may reach the hub twice without harm. What creates (or calls a device) may not: it would fail on what
   * it did itself, or be done twice.
   */
  readonly mayRunTwice: boolean;
  /** The right that it needs. */
  readonly right: HubRight;
}

/** The name of a method that goes over HTTP. */
export type OperationName =
  | "createDeviceWithSas"
  | "createDeviceWithX509"
  | "createDeviceWithCertificateAuthority"
  | "updateDeviceWithSas"
  | "updateDeviceWithX509"
  | "updateDeviceWithCertificateAuthority"
  | "getDevice"
  | "getDevices"
  | "deleteDevice"
  | "bulkCreateOrUpdateDevices"
  | "createModuleWithSas"
  | "createModuleWithX509"
  | "createModuleWithCertificateAuthority"
  | "updateModuleWithSas"
  | "updateModuleWithX509"
  | "updateModuleWithCertificateAuthority"
  | "getModule"
  | "getModules"
  | "deleteModule"
  | "getTwin"
  | "replaceTwin"
  | "updateTwin"
  | "getModuleTwin"
  | "replaceModuleTwin"
  | "updateModuleTwin"
  | "queryIotHub"
  | "getServiceStatistics"
  | "getDeviceRegistryStatistics"
  | "invokeDeviceMethod"
  | "invokeDeviceModuleMethod"
  | "purgeC2dMessages";

const READ_IDENTITY: OperationFacts = { mayRunTwice: true, right: "RegistryRead" };
const WRITE_IDENTITY: OperationFacts = { mayRunTwice: true, right: "RegistryWrite" };
const CREATE_IDENTITY: OperationFacts = { mayRunTwice: false, right: "RegistryWrite" };
const USE_TWIN: OperationFacts = { mayRunTwice: true, right: "ServiceConnect" };
const EMPTY_QUEUE: OperationFacts = { mayRunTwice: true, right: "ServiceConnect" };
const CALL_DEVICE: OperationFacts = { mayRunTwice: false, right: "ServiceConnect" };

/** The facts of each method. */
export const OPERATIONS: Readonly<Record<OperationName, OperationFacts>> = {
  createDeviceWithSas: CREATE_IDENTITY,
  createDeviceWithX509: CREATE_IDENTITY,
  createDeviceWithCertificateAuthority: CREATE_IDENTITY,
  updateDeviceWithSas: WRITE_IDENTITY,
  updateDeviceWithX509: WRITE_IDENTITY,
  updateDeviceWithCertificateAuthority: WRITE_IDENTITY,
  getDevice: READ_IDENTITY,
  getDevices: READ_IDENTITY,
  deleteDevice: WRITE_IDENTITY,
  bulkCreateOrUpdateDevices: CREATE_IDENTITY,
  createModuleWithSas: CREATE_IDENTITY,
  createModuleWithX509: CREATE_IDENTITY,
  createModuleWithCertificateAuthority: CREATE_IDENTITY,
  updateModuleWithSas: WRITE_IDENTITY,
  updateModuleWithX509: WRITE_IDENTITY,
  updateModuleWithCertificateAuthority: WRITE_IDENTITY,
  getModule: READ_IDENTITY,
  getModules: READ_IDENTITY,
  deleteModule: WRITE_IDENTITY,
  getTwin: USE_TWIN,
  replaceTwin: USE_TWIN,
  updateTwin: USE_TWIN,
  getModuleTwin: USE_TWIN,
  replaceModuleTwin: USE_TWIN,
  updateModuleTwin: USE_TWIN,
  queryIotHub: USE_TWIN,
  getServiceStatistics: READ_IDENTITY,
  getDeviceRegistryStatistics: READ_IDENTITY,
  invokeDeviceMethod: CALL_DEVICE,
  invokeDeviceModuleMethod: CALL_DEVICE,
  purgeC2dMessages: EMPTY_QUEUE,
};
