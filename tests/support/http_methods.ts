import type { IoTHubRegistryManager } from "../../mod.ts";

/** What a method of the manager takes, so that one test can call any of them, also wrongly. */
export interface HttpMethod {
  name: keyof IoTHubRegistryManager & string;
  /** How many ids come first: none, the device's, or the device's and the module's. */
  ids: 0 | 1 | 2;
  /** What comes between the ids and the options. */
  argument?: unknown;
  /** The options that must be there. */
  required?: Record<string, unknown>;
  /** Whether it writes on a condition. */
  takesEtag?: true;
  /** What a hub answers, where that is no object. */
  answer?: unknown;
}

const KEYS = { primaryKey: "cHJpbWFyeSBwcmltYXJ5IHByaW1hcnk=", secondaryKey: "c2Vjb25kYXJ5IHNlY29uZGFyeSBzZWM=" };
const THUMBPRINT = { primaryThumbprint: "0123456789ABCDEF0123456789ABCDEF01234567" };
const STATUS = { status: "enabled" };
const IDENTITY = { etag: "AAAA=", authentication: { type: "sas", symmetricKey: KEYS } };
const PATCH = { tags: { site: "berlin" } };
const REQUEST = { methodName: "reboot" };

/** The methods that are made of others. */
export const COMPOSED_METHODS: readonly HttpMethod[] = [
  { name: "modifyDevice", ids: 1, argument: () => undefined },
  { name: "renewDeviceKeys", ids: 1, answer: IDENTITY },
  { name: "modifyModule", ids: 2, argument: () => undefined },
  { name: "renewModuleKeys", ids: 2, answer: IDENTITY },
  { name: "modifyTwin", ids: 1, argument: () => undefined },
  { name: "modifyModuleTwin", ids: 2, argument: () => undefined },
];

/** Every method of the manager that is one request and returns a promise, with the least that it takes. */
export const HTTP_METHODS: readonly HttpMethod[] = [
  { name: "createDeviceWithSas", ids: 1 },
  { name: "createDeviceWithX509", ids: 1, required: THUMBPRINT },
  { name: "createDeviceWithCertificateAuthority", ids: 1 },
  { name: "updateDeviceWithSas", ids: 1, required: { ...STATUS, ...KEYS }, takesEtag: true },
  { name: "updateDeviceWithX509", ids: 1, required: { ...STATUS, ...THUMBPRINT }, takesEtag: true },
  { name: "updateDeviceWithCertificateAuthority", ids: 1, required: STATUS, takesEtag: true },
  { name: "getDevice", ids: 1 },
  { name: "getDevices", ids: 0, answer: [] },
  { name: "deleteDevice", ids: 1, takesEtag: true },
  { name: "bulkCreateOrUpdateDevices", ids: 0, argument: [{ id: "d1" }] },
  { name: "createModuleWithSas", ids: 2 },
  { name: "createModuleWithX509", ids: 2, required: THUMBPRINT },
  { name: "createModuleWithCertificateAuthority", ids: 2 },
  { name: "updateModuleWithSas", ids: 2, required: KEYS, takesEtag: true },
  { name: "updateModuleWithX509", ids: 2, required: THUMBPRINT, takesEtag: true },
  { name: "updateModuleWithCertificateAuthority", ids: 2, takesEtag: true },
  { name: "getModule", ids: 2 },
  { name: "getModules", ids: 1, answer: [] },
  { name: "deleteModule", ids: 2, takesEtag: true },
  { name: "getTwin", ids: 1 },
  { name: "replaceTwin", ids: 1, argument: PATCH, takesEtag: true },
  { name: "updateTwin", ids: 1, argument: PATCH, takesEtag: true },
  { name: "getModuleTwin", ids: 2 },
  { name: "replaceModuleTwin", ids: 2, argument: PATCH, takesEtag: true },
  { name: "updateModuleTwin", ids: 2, argument: PATCH, takesEtag: true },
  { name: "queryIotHub", ids: 0, argument: "SELECT * FROM devices", answer: [] },
  { name: "getServiceStatistics", ids: 0 },
  { name: "getDeviceRegistryStatistics", ids: 0 },
  { name: "invokeDeviceMethod", ids: 1, argument: REQUEST },
  { name: "invokeDeviceModuleMethod", ids: 2, argument: REQUEST },
  { name: "purgeC2dMessages", ids: 1 },
];

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
  const target = registry as unknown as Record<string, (...given: unknown[]) => unknown>;
  return target[method.name]!(...ids, ...("argument" in method ? [argument] : []), merged);
}
