import type {
  DeviceCapabilities,
  Twin,
  TwinMetadata,
  TwinProperties,
  TwinSection as SectionDocument,
} from "../../../gen/index.ts";
import { hubTime } from "../hub_time.ts";
import { scopesOf } from "../identities/identity_documents.ts";
import type { IdentityQueues } from "../identities/identity_queues.ts";
import { type Branch, DocumentShape, type Members, readerAt } from "../records/document_shape.ts";
import { type AnyRecord, deviceOf, identityEtag, twinEtag, type TwinRecord } from "../records/identity_records.ts";
import type { JsonObject } from "../json.ts";
import type { TwinSection } from "../records/twin_section.ts";

/**
 * Makes the twins of devices and modules out of their records. They share parts with the records, which are never
 * changed in place.
 */
export class TwinDocuments {
  /** Twins as they are read. */
  readonly read: DocumentShape<AnyRecord, Twin>;
  /** Twins as a query sees them: unlike in a read, that of a module has capabilities, too. */
  readonly queried: DocumentShape<AnyRecord, Twin>;

  constructor(queues: IdentityQueues) {
    const members: Members<AnyRecord, Twin> = {
      deviceId: (record) => record.deviceId,
      moduleId: (record) => record.kind === "module" ? record.moduleId : undefined,
      etag: (record) => twinEtag(record.twin),
      deviceEtag: (record) => identityEtag(record),
      status: (record) => deviceOf(record).status,
      statusReason: (record) => deviceOf(record).statusReason ?? undefined,
      statusUpdateTime: (record) => hubTime(deviceOf(record).statusUpdatedTime),
      connectionState: (record) => record.connected ? "Connected" : "Disconnected",
      lastActivityTime: (record) => hubTime(record.lastActivityTime),
      cloudToDeviceMessageCount: (record) => queues.count(record),
      authenticationType: (record) => record.authentication.type,
      x509Thumbprint: (record) => record.authentication.x509Thumbprint,
      modelId: (record) => record.modelId,
      version: ({ twin }) => twin.etagCounter + twin.reported.version,
      tags: {
        build: ({ twin }) => Object.keys(twin.tags).length > 0 ? twin.tags : undefined,
        reader(path) {
          const read = readerAt(path);
          return ({ twin }) => read(twin.tags);
        },
      },
      properties: new DocumentShape<AnyRecord, TwinProperties>({
        desired: sectionOf((twin) => twin.desired),
        reported: sectionOf((twin) => twin.reported),
      }),
      configurations: ({ twin }) => Object.keys(twin.configurations).length > 0 ? twin.configurations : undefined,
      capabilities: capabilitiesOf,
      deviceScope: (record) => record.kind === "device" ? scopesOf(record).deviceScope : undefined,
      parentScopes: (record) => record.kind === "device" ? scopesOf(record).parentScopes : undefined,
    };
    this.queried = new DocumentShape(members);
    this.read = new DocumentShape({
      ...members,
      capabilities: (record) => record.kind === "device" ? capabilitiesOf(record) : undefined,
    });
  }
}

/** Returns a section as the device sees it: values and `$version`, without metadata. */
export function sectionForDevice(section: TwinSection): JsonObject {
  return { ...section.values, $version: section.version };
}

/** Returns a section as the service sees it: values, metadata and `$version`. */
export function sectionDocument(section: TwinSection): SectionDocument {
  return { ...section.values, $metadata: section.metadata as TwinMetadata, $version: section.version };
}

function sectionOf(find: (twin: TwinRecord) => TwinSection): Branch<AnyRecord, SectionDocument> {
  return {
    build: ({ twin }) => sectionDocument(find(twin)),
    reader(path) {
      const [name, ...below] = path;
      if (name === "$version") return below.length === 0 ? ({ twin }) => find(twin).version : undefined;
      const read = readerAt(name === "$metadata" ? below : path);
      return name === "$metadata" ? ({ twin }) => read(find(twin).metadata) : ({ twin }) => read(find(twin).values);
    },
  };
}

function capabilitiesOf(record: AnyRecord): DeviceCapabilities {
  return { iotEdge: record.kind === "device" && record.ownScope !== undefined };
}
