import type { HubStorage, Keeper } from "../storage/hub_storage.ts";
import type { Table } from "../storage/table.ts";
import { newPolicy, type Policy, POLICY_NAMES, type PolicyKeyOptions } from "./authorization.ts";
import type { PolicyKeys } from "./policy_keys.ts";

/** The five policies of a hub. Keys that are not given are those that are kept. */
export class Policies implements Keeper {
  readonly #keys: PolicyKeyOptions;
  readonly #table: Table<Policy>;
  readonly #policies = new Map<string, Policy>();

  constructor(keys: PolicyKeyOptions, storage: HubStorage) {
    this.#keys = keys;
    this.#table = storage.table({
      name: "policies",
      keyOf: ({ name }) => name,
      valueOf: ({ primaryKey, secondaryKey }) => ({ primaryKey, secondaryKey }),
      items: () => this.#policies.values(),
    });
    this.#fill(new Map());
  }

  /** Returns a policy; `undefined` when the hub has none of this name. */
  get(name: string): Policy | undefined {
    return this.#policies.get(name);
  }

  clear(): void {
    this.#policies.clear();
  }

  load(): void {
    this.#fill(new Map(Array.from(this.#table.read(), ({ key, value }) => [key, value as PolicyKeys])));
    for (const policy of this.#policies.values()) this.#table.put(policy);
  }

  #fill(kept: ReadonlyMap<string, PolicyKeys>): void {
    for (const name of POLICY_NAMES) this.#policies.set(name, newPolicy(name, this.#keys, kept.get(name)));
  }
}
