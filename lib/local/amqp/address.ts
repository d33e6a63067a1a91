import { readResourcePath } from "../auth/resource_path.ts";

/** An address that a link can have, or one of the real hub that a link cannot have here yet. */
export type AmqpAddress =
  | { readonly kind: "cbs" }
  | { readonly kind: "devicebound" }
  | { readonly kind: "later" }
  | SourceAddress;

/** An address from which a client can receive. */
export type SourceAddress =
  | { readonly kind: "feedback" }
  | { readonly kind: "fileNotifications" }
  | { readonly kind: "device"; readonly deviceId: string; readonly moduleId?: string };

/**
 * The addresses of the real hub that this one does not serve yet, in lower case. `{}` stands for one segment, and a
 * star for whatever follows. A client is told so, since it would take another refusal for a missing device.
 */
export const LATER_ADDRESSES: readonly string[] = [
  "/devices/{}/messages/events",
  "/devices/{}/modules/{}/messages/events",
  "/devices/{}/methods/devicebound",
  "/devices/{}/modules/{}/methods/devicebound",
  "/devices/{}/twin",
  "/devices/{}/modules/{}/twin",
  "/messages/events*",
  "$management",
];

const LATER_REGEXP = new RegExp(`^/?(?:${LATER_ADDRESSES.map(toPattern).join("|")})/?$`, "i");

const DEVICE_REGEXP = /^\/devices\/([^/]+)(?:\/modules\/([^/]+))?\/messages\/devicebound$/i;

/**
 * Reads the address of a link; `undefined` when the hub has no such address. Only ids are case-sensitive, and the
 * address may start with the URL of the hub.
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
      if (device !== undefined) return { kind: "device", ...device };
      return LATER_REGEXP.test(path) ? { kind: "later" } : undefined;
    }
  }
}

/** The ids in the address of a device or a module. */
export interface DeviceAddress {
  readonly deviceId: string;
  readonly moduleId?: string;
}

/**
 * Reads `/devices/{id}[/modules/{id}]/messages/devicebound`. Most clients percent-encode the ids, and some do not: an id
 * that is not percent-encoded UTF-8 is taken as it is.
 */
export function parseDeviceAddress(path: string): DeviceAddress | undefined {
  const raw = parseRawDeviceAddress(path);
  if (raw === undefined) return undefined;
  const { deviceId, moduleId } = raw;
  return { deviceId: readId(deviceId), ...(moduleId !== undefined && { moduleId: readId(moduleId) }) };
}

/** Reads the same address, and takes the ids as they are written. */
export function parseRawDeviceAddress(path: string): DeviceAddress | undefined {
  const match = DEVICE_REGEXP.exec(path);
  if (match === null) return undefined;
  const [, deviceId = "", moduleId] = match;
  return { deviceId, ...(moduleId !== undefined && { moduleId }) };
}

function readId(segment: string): string {
  return readResourcePath(segment)[0] ?? segment;
}

function toPattern(address: string): string {
  return address.replace(/^\//, "").replace("$", "\\$").replaceAll("{}", "[^/]+").replace(/\*$/, "(?:/.*)?");
}
