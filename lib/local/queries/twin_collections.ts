import type { DeviceRecord } from "../records/identity_records.ts";
import type { IdentityStore } from "../records/identity_store.ts";
import type { TwinDocuments } from "../twins/twin_documents.ts";
import type { Collection } from "./collection.ts";
import { type Queryable, queryable } from "./queryable.ts";

/** Returns the collections of twins: `devices` and `devices.modules`. */
export function twinCollections(
  records: Pick<IdentityStore, "devices" | "modules">,
  documents: TwinDocuments,
): Queryable[] {
  const { queried } = documents;
  return [
    queryable(devicesCollection(records, documents)),
    queryable({ name: "devices.modules", itemType: "Twin", records: records.modules, shape: queried }),
  ];
}

/** Returns the collection `devices`, whose records a condition can be asked of. */
export function devicesCollection(
  { devices }: Pick<IdentityStore, "devices">,
  { queried }: TwinDocuments,
): Collection<DeviceRecord> {
  return { name: "devices", itemType: "Twin", records: devices, shape: queried };
}
