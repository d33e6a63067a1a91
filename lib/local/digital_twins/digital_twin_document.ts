import type { DigitalTwin } from "../../../gen/index.ts";
import { emptyJsonObject, isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { DeviceRecord } from "../records/identity_records.ts";
import { readAcknowledgement, reportedValue } from "./acknowledgement.ts";
import { isComponent, isMark } from "./components.ts";

/** A section of a twin, or a component of it, with what the hub knows about it. */
interface Side {
  readonly values: JsonObject;
  readonly metadata: JsonObject;
}

/**
 * Returns the twin of a device as a digital twin: each property with the value that the device reports, and in
 * `$metadata` what the service wants of it, and how the device took that.
 */
export function digitalTwinDocument({ deviceId, modelId, twin }: DeviceRecord): DigitalTwin {
  const { $metadata, ...properties } = partOf(twin.desired, twin.reported, true);
  return { $dtId: deviceId, ...properties, $metadata: { $model: modelId, ...$metadata } };
}

function partOf(desired: Side, reported: Side, isRoot: boolean): JsonObject & { $metadata: JsonObject } {
  const part = emptyJsonObject();
  const $metadata = emptyJsonObject();
  for (const name of new Set([...Object.keys(reported.values), ...Object.keys(desired.values)])) {
    if (isMark(name)) continue;
    if (isRoot && (isComponent(reported.values[name]) || isComponent(desired.values[name]))) {
      part[name] = partOf(below(desired, name), below(reported, name), false);
      continue;
    }
    const value = reportedValue(reported.values[name]);
    if (value !== undefined) part[name] = value;
    $metadata[name] = propertyMetadata(desired, reported, name);
  }
  return Object.assign(part, { $metadata });
}

function propertyMetadata(desired: Side, reported: Side, name: string): JsonObject {
  const metadata = emptyJsonObject();
  const wanted = stampOf(desired, name);
  const told = stampOf(reported, name);
  const desiredValue = desired.values[name];
  if (desiredValue !== undefined) {
    Object.assign(metadata, { desiredValue, desiredVersion: wanted["$lastUpdatedVersion"] });
  }
  const acknowledgement = readAcknowledgement(reported.values[name]);
  if (acknowledgement !== undefined) {
    const { version, code, description } = acknowledgement;
    Object.assign(metadata, { ackVersion: version, ackCode: code });
    if (description !== undefined) metadata["ackDescription"] = description;
  }
  return Object.assign(metadata, { lastUpdateTime: told["$lastUpdated"] ?? wanted["$lastUpdated"] });
}

function below({ values, metadata }: Side, name: string): Side {
  return { values: objectOr(values[name]), metadata: objectOr(metadata[name]) };
}

function stampOf({ values, metadata }: Side, name: string): JsonObject {
  return values[name] === undefined ? emptyJsonObject() : objectOr(metadata[name]);
}

function objectOr(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : emptyJsonObject();
}
