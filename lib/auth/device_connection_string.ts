import type { DeviceRequest } from "../../gen/types.gen.ts";
import { checkHostName } from "./connection_string.ts";
import { quote, wrongValue } from "../values/checks.ts";
import { checkId } from "../values/ids.ts";
import { keyBytes } from "./sas_token.ts";

/**
 * Builds the connection string with which a device signs in, by its certificate if it has one and otherwise by its
 * primary key.
 *
 * @param hostName The hub's host name.
 * @param device The identity as the hub returned it, or as it is sent. For a device that signs in with a key, it must
 * include the key.
 * @returns `HostName=…;DeviceId=…;SharedAccessKey=…`, or `…;x509=true`. It holds the device's key: treat it as a secret.
 * @throws {TypeError} When the identity has no id, or neither a key nor a certificate.
 * @throws {RangeError} When the host name, the id or the key is not legal, or when the id has a semicolon, which would end
 * its value in a connection string.
 *
 * @example Hand a new device its connection string
 * ```ts
 * import { deviceConnectionString } from "@iothub/registry-manager";
 *
 * const text = deviceConnectionString("myhub.azure-devices.net", {
 *   deviceId: "camera-7",
 *   authentication: { type: "certificateAuthority" },
 * });
 * console.assert(text === "HostName=myhub.azure-devices.net;DeviceId=camera-7;x509=true");
 * ```
 */
export function deviceConnectionString(hostName: string, device: DeviceRequest): string {
  checkHostName(hostName);
  checkId("deviceId", device?.deviceId);
  const { deviceId, authentication } = device;
  if (deviceId.includes(";")) {
    throw wrongValue(`deviceId ${quote(deviceId)}`, "without a semicolon, which ends a value in a connection string");
  }
  const start = `HostName=${hostName};DeviceId=${deviceId}`;
  if (authentication?.type === "selfSigned" || authentication?.type === "certificateAuthority") {
    return `${start};x509=true`;
  }
  const key = authentication?.symmetricKey?.primaryKey;
  if (!key) {
    throw new TypeError(
      `Cannot use device ${quote(deviceId)}: it has neither a primary key nor a certificate; ` +
        "read it with a policy that is allowed to see keys",
    );
  }
  keyBytes(`primaryKey of device ${quote(deviceId)}`, key);
  return `${start};SharedAccessKey=${key}`;
}
