import { readResourcePath } from "../auth/resource_path.ts";

/** An address that a link can have, or one of the real hub that a link cannot have here yet. */
export type AmqpAddress =
  | { readonly kind: "cbs" }
  | { readonly kind: "devicebound" }
  | { readonly kind: "later" }
  | ServiceSourceAddress
  | DeviceLinkAddress;

/** An address from which a back end can receive. */
export type ServiceSourceAddress = { readonly kind: "feedback" } | { readonly kind: "fileNotifications" };

/** An address of a device or a module, for itself. */
export type DeviceLinkAddress = { readonly kind: DeviceLinkKind } & DeviceAddress;

/** What a link of a device is for. */
export type DeviceLinkKind = "messages" | "methods" | "twin" | "events";

/**
 * The addresses of the real hub that this one does not serve yet, in lower case. `{}` stands for one segment, and a
 * star for whatever follows. A client is told so, since it would take another refusal for a missing device.
 */
export const LATER_ADDRESSES: readonly string[] = ["/messages/events*", "$management"];

const LATER_REGEXP = new RegExp(`^/?(?:${LATER_ADDRESSES.map(toPattern).join("|")})/?$`, "i");

const DEVICE_REGEXP = /^\/devices\/([^/]+)(?:\/modules\/([^/]+))?\/messages\/devicebound$/i;
const LINK_REGEXP =
  /^\/?(devices\/[^/]+(?:\/modules\/[^/]+)?)\/(messages\/devicebound|messages\/events|methods\/devicebound|twin)\/?$/i;

/** The links of devices, by the end of their addresses. */
const LINK_KINDS: Readonly<Record<string, DeviceLinkKind>> = {
  "messages/devicebound": "messages",
  "messages/events": "events",
  "methods/devicebound": "methods",
  "twin": "twin",
};

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
      const [, owner, node = ""] = LINK_REGEXP.exec(path) ?? [];
      if (owner !== undefined) return { kind: LINK_KINDS[node.toLowerCase()]!, ...readIdentityPath(owner) };
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

function readIdentityPath(path: string): DeviceAddress {
  const [, deviceId = "", , moduleId] = path.split("/");
  return { deviceId: readId(deviceId), ...(moduleId !== undefined && { moduleId: readId(moduleId) }) };
}

function readId(segment: string): string {
  return readResourcePath(segment)[0] ?? segment;
}

function toPattern(address: string): string {
  return address.replace(/^\//, "").replace("$", "\\$").replaceAll("{}", "[^/]+").replace(/\*$/, "(?:/.*)?");
}
