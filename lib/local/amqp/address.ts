import { readResourcePath } from "../auth/resource_path.ts";

/** An address that a link can have. */
export type AmqpAddress =
  | { readonly kind: "cbs" }
  | { readonly kind: "devicebound" }
  | EventsAddress
  | ServiceSourceAddress
  | DeviceLinkAddress;

/** An address from which a back end can receive. */
export type ServiceSourceAddress = { readonly kind: "feedback" } | { readonly kind: "fileNotifications" };

/** An address that has to do with the events of the hub. */
export type EventsAddress =
  /** What leads from the hub to its event hub. The tail is the rest of the address, which the event hub has too. */
  | { readonly kind: "redirect"; readonly tail: string }
  | { readonly kind: "management" }
  | EventPartitionAddress;

/** A partition of the event hub, for the clients of a consumer group. */
export interface EventPartitionAddress {
  readonly kind: "eventPartition";
  readonly eventHubName: string;
  readonly consumerGroup: string;
  readonly partitionId: string;
}

/** An address of a device or a module, for itself. */
export type DeviceLinkAddress = { readonly kind: DeviceLinkKind } & DeviceAddress;

/** What a link of a device is for. */
export type DeviceLinkKind = "messages" | "methods" | "twin" | "events";

const REDIRECT_REGEXP = /^\/?messages\/events(?:\/(.*))?$/i;
const PARTITION_REGEXP = /^\/?([\w.-]{1,260})\/ConsumerGroups\/(\$?[\w.-]{1,50})\/Partitions\/([\w.-]{1,50})\/?$/i;

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
    case "$management":
      return { kind: "management" };
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
      return parseEventsAddress(path);
    }
  }
}

function parseEventsAddress(path: string): AmqpAddress | undefined {
  const [isRedirect, tail = ""] = REDIRECT_REGEXP.exec(path) ?? [];
  if (isRedirect !== undefined) return { kind: "redirect", tail };
  const [, eventHubName, consumerGroup, partitionId] = PARTITION_REGEXP.exec(path) ?? [];
  if (eventHubName === undefined || consumerGroup === undefined || partitionId === undefined) return undefined;
  return { kind: "eventPartition", eventHubName, consumerGroup, partitionId };
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
