import { Authorizer, newPolicies, type Policy } from "./authorization.ts";
import { BulkRegistry } from "./bulk_registry.ts";
import type { CloudMessage } from "./cloud_message.ts";
import { DeviceIdentities } from "./device_identities.ts";
import { DirectMethodBroker } from "./direct_method_broker.ts";
import { deviceNotFound } from "./hub_fault.ts";
import { keyOf } from "./identity_records.ts";
import { IdentityStore } from "./identity_store.ts";
import { JwtAuthority } from "./jwt_authority.ts";
import { ModuleIdentities } from "./module_identities.ts";
import { Presence } from "./presence.ts";
import { QueryPages } from "./query_pages.ts";
import { SasVerifier } from "./sas_verifier.ts";
import { TwinWrites } from "./twin_writes.ts";

/** Everything a hub knows, put together once; no protocol and no socket in it. */
export class HubState {
  readonly hostName: string;
  readonly now: () => number;
  readonly policies: ReadonlyMap<string, Policy> = newPolicies();
  readonly store: IdentityStore = new IdentityStore();
  readonly presence: Presence;
  readonly modules: ModuleIdentities;
  readonly devices: DeviceIdentities;
  readonly twins: TwinWrites;
  readonly bulk: BulkRegistry;
  readonly methods: DirectMethodBroker;
  readonly queries: QueryPages;
  readonly jwt: JwtAuthority;
  readonly authorizer: Authorizer;

  constructor(options: { hostName: string; now: () => number; clockSkew: number }) {
    const { hostName, now, clockSkew } = options;
    this.hostName = hostName;
    this.now = now;
    this.presence = new Presence(now);
    this.modules = new ModuleIdentities(now, this.store, this.presence);
    this.devices = new DeviceIdentities(now, this.store, this.presence, this.modules);
    this.twins = new TwinWrites(now, this.presence);
    this.bulk = new BulkRegistry(this.store, this.devices, this.modules, this.twins);
    this.methods = new DirectMethodBroker(this.presence);
    this.queries = new QueryPages(this.store, now);
    this.jwt = new JwtAuthority(now, clockSkew);
    this.authorizer = new Authorizer(
      now,
      new SasVerifier({ hostName, policies: this.policies, now, clockSkew }),
      this.jwt,
    );
  }

  /** Queues a message for a device or a module, and wakes the one that waits for it. */
  enqueue(target: { deviceId: string; moduleId?: string }, message: CloudMessage): void {
    const device = this.store.device(target.deviceId);
    if (device === undefined || device.status !== "enabled") throw deviceNotFound(target.deviceId);
    const record = target.moduleId === undefined ? device : this.store.requireModule(device, target.moduleId);
    record.queue.add(message, this.now());
    this.presence.active(keyOf(record))?.messageQueued();
  }
}
