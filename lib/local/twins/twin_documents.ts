import type { Twin } from "../../../gen/index.ts";
import { hubTime } from "../hub_time.ts";
import { scopesOf } from "../identities/identity_documents.ts";
import { type AnyRecord, deviceOf, identityEtag, twinEtag } from "../records/identity_records.ts";
import type { JsonObject } from "../json.ts";
import type { TwinSection } from "../records/twin_section.ts";

/** Returns the twin of a device or a module. It shares parts with the record, which are never changed in place. */
export function twinDocument(record: AnyRecord, messageCount: number): Twin {
  const device = deviceOf(record);
  const { twin } = record;
  const document: Twin = {
    deviceId: record.deviceId,
    ...(record.kind === "module" && { moduleId: record.moduleId }),
    etag: twinEtag(twin),
    deviceEtag: identityEtag(record),
    status: device.status,
    ...(device.statusReason !== null && { statusReason: device.statusReason }),
    statusUpdateTime: hubTime(device.statusUpdatedTime),
    connectionState: record.connected ? "Connected" : "Disconnected",
    lastActivityTime: hubTime(record.lastActivityTime),
    cloudToDeviceMessageCount: messageCount,
    authenticationType: record.authentication.type,
    x509Thumbprint: record.authentication.x509Thumbprint,
    modelId: "",
    version: twin.etagCounter + twin.reported.version,
    ...(Object.keys(twin.tags).length > 0 && { tags: twin.tags }),
    properties: { desired: sectionDocument(twin.desired), reported: sectionDocument(twin.reported) },
  };
  if (record.kind === "device") {
    document.capabilities = { iotEdge: record.ownScope !== undefined };
    Object.assign(document, scopesOf(record));
  }
  return document;
}

/** Returns a twin as a query sees it: unlike in a read, the twin of a module has capabilities, too. */
export function queriedTwinDocument(record: AnyRecord, messageCount: number): Twin {
  const document = twinDocument(record, messageCount);
  document.capabilities ??= { iotEdge: false };
  return document;
}

/** Returns a section as the device sees it: values and `$version`, without metadata. */
export function sectionForDevice(section: TwinSection): JsonObject {
  return { ...section.values, $version: section.version };
}

function sectionDocument(section: TwinSection): JsonObject {
  return { ...section.values, $metadata: section.metadata, $version: section.version };
}
