import type { ExportImportDevice } from "../../gen/types.gen.ts";
import { checkLength, quote, wrongType, wrongValue } from "../values/checks.ts";
import { checkId } from "../values/ids.ts";
import { checkJson, isObject } from "../values/json.ts";
import { checkMembers } from "../values/members.ts";

/**
 * An entry of a bulk request. An identity that was read can be passed as it is, with an `importMode`: its `deviceId` and
 * `etag` are taken for `id` and `eTag`, and members that only the hub writes are left out.
 */
export type BulkDevice =
  | ExportImportDevice
  | (Omit<ExportImportDevice, "id"> & {
    /** The device's id, in place of `id`. */
    deviceId: string;
    id?: undefined;
    /** The identity's version tag, in place of `eTag`. */
    etag?: string | undefined;
  });

/** The hub refuses more entries in one request. */
const MAX_BULK_DEVICES = 100;

/** Members that an identity has under another name. */
const OTHER_NAMES = [["deviceId", "id"], ["etag", "eTag"]] as const;

/** Members of an identity that only the hub writes. */
const READ_ONLY = [
  "generationId",
  "connectionState",
  "connectionStateUpdatedTime",
  "statusUpdatedTime",
  "lastActivityTime",
  "cloudToDeviceMessageCount",
];

/** What the hub reads of an entry. The description of its API does not name the last one. */
type Entry = ExportImportDevice & { managedBy?: unknown };

/** Returns of an entry what the hub reads. As one literal this takes a tenth of the time of a copy without the rest. */
function entryFrom(device: Entry): Entry {
  return {
    id: device.id,
    moduleId: device.moduleId,
    eTag: device.eTag,
    importMode: device.importMode,
    status: device.status,
    statusReason: device.statusReason,
    authentication: device.authentication,
    twinETag: device.twinETag,
    tags: device.tags,
    properties: device.properties,
    capabilities: device.capabilities,
    deviceScope: device.deviceScope,
    parentScopes: device.parentScopes,
    managedBy: device.managedBy,
  };
}

/** What an entry has, as the hub reads it. */
const ENTRY_MEMBERS: ReadonlySet<string> = new Set(Object.keys(entryFrom({ id: "" })));

/** What an entry can have. */
const KNOWN: readonly string[] = [
  ...ENTRY_MEMBERS,
  ...OTHER_NAMES.map(([other]) => other),
  ...READ_ONLY,
];

/** Returns the body of a bulk request. Throws unless `devices` is an array that one request can contain. */
export function bulkBody(devices: readonly BulkDevice[]): ExportImportDevice[] {
  if (!Array.isArray(devices)) throw wrongType("devices", "an array", devices);
  checkLength("devices", devices, 1, MAX_BULK_DEVICES, "entries");
  const entries = Array.from(devices as unknown[], (device, index) => entryOf(`devices[${index}]`, device));
  checkJson("devices", entries);
  return entries;
}

function entryOf(name: string, device: unknown): ExportImportDevice {
  const entry = isEntry(device) ? device : entryWithout(name, device);
  const { id, moduleId } = entry;
  checkId(`${name}.id`, id);
  if (moduleId !== undefined) checkId(`${name}.moduleId`, moduleId);
  checkInner(entry, name, "capabilities", ["iotEdge"]);
  const authentication = checkInner(entry, name, "authentication", ["type", "symmetricKey", "x509Thumbprint"]);
  checkInner(authentication, `${name}.authentication`, "symmetricKey", ["primaryKey", "secondaryKey"]);
  checkInner(authentication, `${name}.authentication`, "x509Thumbprint", ["primaryThumbprint", "secondaryThumbprint"]);
  return entry;
}

/** Whether a device is an entry as it is, which need not be copied: a plain object of members that the hub reads. */
function isEntry(device: unknown): device is Entry {
  if (!isObject(device) || Object.getPrototypeOf(device) !== Object.prototype) return false;
  for (const member in device) if (!ENTRY_MEMBERS.has(member)) return false;
  return true;
}

/** Returns an entry with what the hub reads of a device. */
function entryWithout(name: string, device: unknown): Entry {
  checkMembers(name, device, KNOWN);
  // Of an object's members, only its own are sent, as JSON has it.
  const entry = entryFrom({ ...device as Entry });
  for (const [other, member] of OTHER_NAMES) {
    const value = (device as Record<string, unknown>)[other];
    if (value === undefined) continue;
    if (entry[member] === undefined) entry[member] = value as string;
    if (value !== entry[member]) {
      throw wrongValue(`${name}.${other} ${quote(String(value))}`, `the same as ${member}, or left out`);
    }
  }
  return entry;
}

/** Throws unless an object's member has known members only, if it is there. Returns the member. */
function checkInner(outer: unknown, name: string, member: string, known: readonly string[]): unknown {
  const inner = (outer as Record<string, unknown> | undefined)?.[member];
  if (inner !== undefined && inner !== null) checkMembers(`${name}.${member}`, inner, known);
  return inner;
}

/** Whether an answer with status 400 is a result with failures, and not a refusal of the whole request. */
export function isBulkResult(status: number, data: unknown): boolean {
  return status === 400 && isObject(data) && "isSuccessful" in data;
}
