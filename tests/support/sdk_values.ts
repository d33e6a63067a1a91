import type { ModuleRequest } from "../../gen/index.ts";
import type { AuthenticationRequest, CloudToDeviceMethod, DeviceRequest, TwinPatch } from "../../mod.ts";

/** Ids with characters that a path must escape. */
export const DEVICE: string = "A9-:.+%_#*?!(),=@;$'";
export const MODULE: string = "$edge'#1";

interface Secrets {
  primaryKey: string;
  secondaryKey: string;
}
interface Thumbprints {
  primaryThumbprint: string;
  secondaryThumbprint: string;
}

export const KEYS: Secrets = {
  primaryKey: "cHJpbWFyeSBwcmltYXJ5IHByaW1hcnk=",
  secondaryKey: "c2Vjb25kYXJ5IHNlY29uZGFyeSBzZWM=",
};
export const THUMBPRINTS: Thumbprints = {
  primaryThumbprint: "0123456789ABCDEF0123456789ABCDEF01234567",
  secondaryThumbprint: "89ABCDEF0123456789ABCDEF0123456789ABCDEF",
};

/** What the packages' callers must put together themselves, and ours need not. */
export const SAS: AuthenticationRequest = { type: "sas", symmetricKey: KEYS };
export const X509: AuthenticationRequest = { type: "selfSigned", x509Thumbprint: THUMBPRINTS };
export const AUTHORITY: AuthenticationRequest = { type: "certificateAuthority" };
export const SENT_DEVICE: DeviceRequest = { deviceId: DEVICE, status: "enabled", capabilities: { iotEdge: false } };
export const SENT_MODULE: ModuleRequest = { deviceId: DEVICE, moduleId: MODULE };

export const SCOPES: { deviceScope: string; parentScopes: string[] } = {
  deviceScope: "ms-azure-iot-edge://d-1",
  parentScopes: ["ms-azure-iot-edge://p-2"],
};
export const PATCH: TwinPatch = {
  tags: { site: "Zürich", gone: null },
  properties: { desired: { interval: 0, off: false } },
};
export const SQL: string = "SELECT * FROM devices WHERE tags.site = 'Zürich'";
export const METHOD: CloudToDeviceMethod = {
  methodName: "reboot",
  responseTimeoutInSeconds: 10,
  connectTimeoutInSeconds: 5,
};
