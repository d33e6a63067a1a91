/** A right that a shared access policy can have. */
export type HubRight = "RegistryRead" | "RegistryWrite" | "ServiceConnect";

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

/**
 * Whether a method's request may reach the hub twice without harm, as the first word of its name tells. What creates (or calls a
 * device) may not: it would fail on what it did itself, or be done twice.
 */
export function mayRunTwice(operation: OperationName): boolean {
  return /^(?:get|query|update|replace|delete|purge)/.test(operation);
}

/** The right that a method needs, as its name tells. */
export function rightFor(operation: OperationName): HubRight {
  if (/Twin|^(?:query|invoke|purge)/.test(operation)) return "ServiceConnect";
  return operation.startsWith("get") ? "RegistryRead" : "RegistryWrite";
}
