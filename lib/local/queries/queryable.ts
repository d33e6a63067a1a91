import type { Collection } from "./collection.ts";
import { GroupPlan } from "./groups.ts";
import type { Query } from "./parser.ts";
import type { QueryPlan } from "./query_plan.ts";
import { RowPlan } from "./rows.ts";

/** A collection, whatever its records are. */
export interface Queryable {
  readonly name: string;
  readonly itemType: string;
  /**
   * Compiles a query of this collection.
   *
   * @throws {HubFault} `ArgumentInvalid` (400) when the query names a member that the documents cannot have.
   */
  plan(query: Query): QueryPlan;
}

/** Makes a collection ready for queries. */
export function queryable<R extends { readonly sequence: number }>(collection: Collection<R>): Queryable {
  const { name, itemType } = collection;
  return {
    name,
    itemType,
    plan: (query) => query.isGrouped ? new GroupPlan(query, collection) : new RowPlan(query, collection),
  };
}
