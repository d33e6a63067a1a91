import type { IdentityStore } from "../records/identity_store.ts";
import type { TwinDocuments } from "../twins/twin_documents.ts";
import { type Queryable, queryable } from "./queryable.ts";

/** Returns the collections of twins: `devices` and `devices.modules`. */
export function twinCollections(
  { devices, modules }: Pick<IdentityStore, "devices" | "modules">,
  { queried }: TwinDocuments,
): Queryable[] {
  return [
    queryable({ name: "devices", itemType: "Twin", records: devices, shape: queried }),
    queryable({ name: "devices.modules", itemType: "Twin", records: modules, shape: queried }),
  ];
}
