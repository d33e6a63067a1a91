import { NEVER } from "../hub_time.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { Presence } from "../presence/presence.ts";
import { type AnyRecord, twinEtag } from "../records/identity_records.ts";
import type { TwinSection } from "../records/twin_section.ts";
import type { WatchedIdentityStore } from "../records/watched_identity_store.ts";
import type { TelemetryEvent, TelemetrySink } from "../sessions/telemetry_sink.ts";
import { sectionDocument } from "../twins/twin_documents.ts";
import type { TwinChange, TwinWrites } from "../twins/twin_writes.ts";
import type { EventLog } from "./event_log.ts";
import type { ResolvedEventOptions } from "./event_options.ts";
import type { EventSourceName } from "./stored_event.ts";

/** What events come from, and where they go. */
export interface EventSourceParts {
  readonly now: () => number;
  /** The name of the hub, without its domain. */
  readonly hubName: string;
  readonly log: EventLog;
  readonly telemetry: TelemetrySink;
  readonly store: WatchedIdentityStore;
  readonly twins: TwinWrites;
  readonly presence: Presence;
}

/** What is different from one event of the hub itself to another. */
interface OwnEvent {
  readonly source: EventSourceName;
  readonly schema: string;
  readonly opType: string;
  readonly body: JsonObject;
}

/** Stores what devices send, and what the hub is told to tell by itself. */
export function connectEventSources(parts: EventSourceParts, options: ResolvedEventOptions): void {
  const { log, telemetry, store, twins, presence } = parts;
  telemetry.onEvent((event) => log.append(telemetryContent(event)));
  if (options.twinChanges) twins.onChange((change) => tell(parts, change.record, twinChanged(change)));
  if (options.lifecycle) {
    store.onAdd((record) => tell(parts, record, lifecycle("createDeviceIdentity", record)));
    store.onRemove((record) => tell(parts, record, lifecycle("deleteDeviceIdentity", record)));
  }
  if (options.connectionState) {
    let sequence = 0;
    let latest = 0;
    presence.onConnected((record) => {
      latest = Math.max(latest, parts.now());
      tell(parts, record, {
        source: "deviceConnectionStateEvents",
        schema: "deviceConnectionStateNotification",
        opType: record.connected ? "deviceConnected" : "deviceDisconnected",
        body: { sequenceNumber: connectionSequence(latest, sequence++) },
      });
    });
  }
}

function telemetryContent(event: TelemetryEvent): Parameters<EventLog["append"]>[0] {
  const { deviceId, moduleId, generationId, authMethod, modelId, enqueuedTime, message } = event;
  const { subject, interfaceId } = message;
  return {
    source: "Telemetry",
    deviceId,
    moduleId,
    receivedTime: enqueuedTime,
    message,
    stamps: {
      "iothub-connection-auth-method": authMethod,
      "iothub-connection-auth-generation-id": generationId,
      ...(modelId !== "" && { "dt-dataschema": modelId }),
      ...(subject !== undefined && { "dt-subject": subject }),
      ...(interfaceId !== undefined && { "iothub-interface-id": interfaceId }),
    },
  };
}

/** Stores an event of the hub itself. */
function tell({ now, hubName, log }: EventSourceParts, record: AnyRecord, event: OwnEvent): void {
  const receivedTime = now();
  const { deviceId } = record;
  const moduleId = record.kind === "module" ? record.moduleId : undefined;
  log.append({
    source: event.source,
    deviceId,
    moduleId,
    receivedTime,
    message: {
      to: "",
      correlationId: crypto.randomUUID().replaceAll("-", "").slice(0, 12),
      userId: hubName,
      contentType: "application/json",
      contentEncoding: "utf-8",
      properties: {
        hubName,
        deviceId,
        ...(moduleId !== undefined && { moduleId }),
        operationTimestamp: new Date(receivedTime).toISOString().replace("Z", "0000Z"),
        "iothub-message-schema": event.schema,
        opType: event.opType,
      },
      data: new TextEncoder().encode(JSON.stringify(event.body)),
    },
    stamps: {},
  });
}

function twinChanged({ record, opType, tags, desired, reported }: TwinChange): OwnEvent {
  const { twin } = record;
  const version = twin.etagCounter + twin.reported.version;
  const properties: JsonObject = {};
  if (desired !== undefined) properties["desired"] = changedPart(twin.desired, desired);
  if (reported !== undefined) properties["reported"] = changedPart(twin.reported, reported);
  const changed = opType === "updateTwin" ? { version, ...(tags !== undefined && { tags }), properties } : {
    ...identityOf(record),
    etag: twinEtag(twin),
    version,
    tags: twin.tags,
    properties: {
      desired: sectionDocument(twin.desired) as unknown as JsonObject,
      reported: sectionDocument(twin.reported) as unknown as JsonObject,
    },
  };
  return { source: "twinChangeEvents", schema: "twinChangeNotification", opType, body: changed };
}

function lifecycle(opType: string, record: AnyRecord): OwnEvent {
  const { twin } = record;
  const section = { $metadata: { $lastUpdated: NEVER }, $version: 1 };
  return {
    source: "deviceLifecycleEvents",
    schema: "deviceLifecycleNotification",
    opType,
    body: {
      ...identityOf(record),
      etag: twinEtag(twin),
      version: 2,
      ...(Object.keys(twin.tags).length > 0 && { tags: twin.tags }),
      properties: { desired: section, reported: section },
    },
  };
}

function identityOf(record: AnyRecord): JsonObject {
  return { deviceId: record.deviceId, ...(record.kind === "module" && { moduleId: record.moduleId }) };
}

/** What a write has changed in a section, with the metadata of that. */
function changedPart(section: TwinSection, patch: JsonObject): JsonObject {
  return { ...patch, $metadata: metadataOf(section.metadata, patch), $version: section.version };
}

function metadataOf(metadata: JsonObject, patch: JsonObject): JsonObject {
  const part: JsonObject = {};
  for (const [name, value] of Object.entries(metadata)) if (name.startsWith("$")) part[name] = value;
  for (const [name, value] of Object.entries(patch)) {
    const below: JsonValue | undefined = Object.hasOwn(metadata, name) ? metadata[name] : undefined;
    if (isJsonObject(below)) part[name] = metadataOf(below, isJsonObject(value) ? value : {});
  }
  return part;
}

/** A text that is higher with each event, in the form of a real hub: a time in ticks since 1601 and a number, in hex. */
function connectionSequence(now: number, number: number): string {
  const ticks = (BigInt(Math.trunc(now)) + 11_644_473_600_000n) * 10_000n;
  return ticks.toString(16).padStart(32, "0") + number.toString(16).padStart(32, "0");
}
