import { DelegatingIdentityStore } from "./delegating_identity_store.ts";
import type { AnyRecord, DeviceRecord, ModuleRecord } from "./identity_records.ts";
import type {
  DeviceChange,
  IdentityStore,
  ModuleChange,
  NewDevice,
  NewModule,
  OrderedRecords,
} from "./identity_store.ts";
import { MemoryIdentityStore } from "./memory_identity_store.ts";
import { WriteLog } from "./write_log.ts";

/**
 * Holds the identities of a hub in memory, and a replica of them that gets each write some time later. A record has a
 * copy of its own in the replica, of which only the parts are shared that are never changed in place.
 */
export class LaggingIdentityStore extends DelegatingIdentityStore {
  /** The identities as they were some time ago. */
  readonly replica: Pick<IdentityStore, "devices" | "modules">;
  readonly #replica = new MemoryIdentityStore();
  readonly #copies = new WeakMap<AnyRecord, AnyRecord>();
  readonly #now: () => number;
  readonly #log: WriteLog;

  constructor(now: () => number, lagInMs: number) {
    super(new MemoryIdentityStore());
    this.#now = now;
    this.#log = new WriteLog(now, lagInMs);
    this.replica = {
      devices: caughtUp(this.#replica.devices, this.#log),
      modules: caughtUp(this.#replica.modules, this.#log),
    };
  }

  override addDevice(device: NewDevice): DeviceRecord {
    const time = this.#now();
    const added = super.addDevice(device);
    this.#log.add(time, () => this.#copies.set(added, this.#replica.addDevice(this.#withParentCopied(device))));
    return added;
  }

  override addModule(device: DeviceRecord, module: NewModule): ModuleRecord {
    const time = this.#now();
    const added = super.addModule(device, module);
    this.#log.add(time, () => this.#copies.set(added, this.#replica.addModule(this.#copyOf(device), module)));
    return added;
  }

  override update(record: AnyRecord, change: DeviceChange | ModuleChange): void {
    const time = this.#now();
    super.update(record, change);
    this.#log.add(time, () => this.#replica.update(this.#copyOf(record), this.#withParentCopied(change)));
  }

  override remove(record: AnyRecord): void {
    const time = this.#now();
    super.remove(record);
    this.#log.add(time, () => this.#replica.remove(this.#copyOf(record)));
  }

  override clear(): void {
    this.catchUp();
    super.clear();
    this.#replica.clear();
  }

  /** Carries out in the replica all writes that there were. */
  catchUp(): void {
    this.#log.runDue(Infinity);
  }

  /** Every record is in the replica when a write to it is repeated, since those that added it were repeated before. */
  #copyOf<T extends AnyRecord>(record: T): T {
    return this.#copies.get(record) as T;
  }

  #withParentCopied<T extends DeviceChange | ModuleChange>(change: T): T {
    const parent = "parent" in change ? change.parent : undefined;
    return parent === undefined ? change : { ...change, parent: this.#copyOf(parent) };
  }
}

function caughtUp<T>(records: OrderedRecords<T>, log: WriteLog): OrderedRecords<T> {
  return {
    get size() {
      log.runDue();
      return records.size;
    },
    after(sequence) {
      log.runDue();
      return records.after(sequence);
    },
  };
}
