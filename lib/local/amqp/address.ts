import { decodeId } from "../auth/sas_fields.ts";

/** Where a link of the hub's may lead. */
export type AmqpAddress =
  | { readonly kind: "cbs" }
  | { readonly kind: "devicebound" }
  | SourceAddress;

/** Where a client may receive. */
export type SourceAddress =
  | { readonly kind: "feedback" }
  | { readonly kind: "fileNotifications" }
  | { readonly kind: "device"; readonly deviceId: string; readonly moduleId?: string };

const DEVICE_REGEXP = /^\/devices\/([^/]+)(?:\/modules\/([^/]+))?\/messages\/devicebound$/i;

/**
 * Reads the address of a link; `undefined` for one that is none of the hub's. Case matters in ids alone, and the hub's
 * own URL may come first.
 */
export function parseAddress(address: string): AmqpAddress | undefined {
  const path = address.replace(/^amqps?:\/\/[^/]+/i, "");
  switch (path.toLowerCase()) {
    case "$cbs":
      return { kind: "cbs" };
    case "/messages/devicebound":
      return { kind: "devicebound" };
    case "/messages/servicebound/feedback":
      return { kind: "feedback" };
    case "/messages/servicebound/filenotifications":
    case "/messages/servicebound/fileuploadnotifications":
      return { kind: "fileNotifications" };
    default: {
      const device = parseDeviceAddress(path);
      return device === undefined ? undefined : { kind: "device", ...device };
    }
  }
}

/** Whom `/devices/{id}[/modules/{id}]/messages/devicebound` names. Ids come percent-encoded from most, and raw from some. */
export function parseDeviceAddress(path: string): { deviceId: string; moduleId?: string } | undefined {
  const match = DEVICE_REGEXP.exec(path);
  if (match === null) return undefined;
  const [, deviceId, moduleId] = match;
  return { deviceId: decodeId(deviceId!), ...(moduleId === undefined ? {} : { moduleId: decodeId(moduleId) }) };
}
