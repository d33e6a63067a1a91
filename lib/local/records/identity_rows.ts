import { emptyJsonObject, isJsonObject } from "../json.ts";
import type { DeviceRecord, ModuleRecord, TwinRecord } from "./identity_records.ts";
import type { NewDevice, NewModule } from "./identity_store.ts";
import type { TwinSection } from "./twin_section.ts";

/** What is kept of an identity: the record without its twin, and without the records that it is linked with. */
export type IdentityRow<T extends DeviceRecord | ModuleRecord> = Omit<T, "kind" | "twin" | LinkName> & {
  readonly parentId?: string | undefined;
};

type LinkName = "modules" | "children" | "parent" | "device";

/** What is kept of a twin. */
export type TwinRow = TwinRecord;

/** Returns what is kept of an identity. */
export function identityRow(record: DeviceRecord | ModuleRecord): unknown {
  if (record.kind === "module") {
    const { kind: _kind, twin: _twin, device: _device, ...row } = record;
    return row;
  }
  const { kind: _kind, twin: _twin, modules: _modules, children: _children, parent, ...row } = record;
  return { ...row, parentId: parent?.deviceId };
}

/** Returns what is kept of a twin. */
export function twinRow({ twin }: DeviceRecord | ModuleRecord): TwinRow {
  return twin;
}

/** Returns a device as it was kept. It has no parent yet, as that may come after it. */
export function readDevice({ parentId: _parentId, ...row }: IdentityRow<DeviceRecord>, twin: TwinRecord): NewDevice {
  return { ...row, ownScope: row.ownScope, parent: undefined, twin };
}

/** Returns a module as it was kept. */
export function readModule(row: IdentityRow<ModuleRecord>, twin: TwinRecord): NewModule {
  const { deviceId: _deviceId, ...module } = row;
  return { ...module, twin };
}

/** Returns a twin as it was kept. */
export function readTwin(row: TwinRow): TwinRecord {
  return {
    ...row,
    tags: copyOf(row.tags),
    desired: readSection(row.desired),
    reported: readSection(row.reported),
  };
}

function readSection({ values, metadata, version }: TwinSection): TwinSection {
  return { values: copyOf(values), metadata: copyOf(metadata), version };
}

/** Names in a twin may be those of what every object of JSON.parse inherits. */
function copyOf(values: TwinSection["values"]): TwinSection["values"] {
  const copy = emptyJsonObject();
  for (const [name, value] of Object.entries(values)) copy[name] = isJsonObject(value) ? copyOf(value) : value;
  return copy;
}
