import { CreationOrder } from "./creation_order.ts";
import { deviceOf, type DeviceRecord, type ModuleRecord, type TwinRecord } from "./identity_records.ts";
import { HubFault } from "../hub_fault.ts";
import { hubTime, ticksAt } from "../hub_time.ts";
import { emptyJsonObject } from "../json.ts";
import { newSection } from "./twin_section.ts";

const MAX_IDENTITIES = 1_000_000;

/** What a new record of either kind starts with. */
interface NewIdentity {
  generationId: string;
  etagCounter: number;
  twin: TwinRecord;
  connected: boolean;
  connectionStateUpdatedTime: number;
  lastActivityTime: number;
}

/** Every identity of the hub, with its twin and its queue. Knows no rules: only who is there. */
export class IdentityStore {
  readonly #devices = new Map<string, DeviceRecord>();
  /** Edge devices by the scope they offer. */
  readonly #scopes = new Map<string, DeviceRecord>();
  #lastTicks = 0n;

  /** All devices, the oldest first. */
  readonly devices: CreationOrder<DeviceRecord> = new CreationOrder();
  /** All modules of all devices, the oldest first. */
  readonly modules: CreationOrder<ModuleRecord> = new CreationOrder();

  device(deviceId: string): DeviceRecord | undefined {
    return this.#devices.get(deviceId);
  }

  /** The edge device that offers a scope. */
  gateway(scope: string): DeviceRecord | undefined {
    return this.#scopes.get(scope);
  }

  addDevice(device: DeviceRecord): void {
    if (this.devices.size + this.modules.size >= MAX_IDENTITIES) {
      throw new HubFault("TooManyDevices", 413, `The registry is full: it holds ${MAX_IDENTITIES} identities`);
    }
    this.#devices.set(device.deviceId, device);
    this.devices.add(device);
    if (device.ownScope !== undefined) this.#scopes.set(device.ownScope, device);
  }

  removeDevice(device: DeviceRecord): void {
    this.#devices.delete(device.deviceId);
    this.devices.remove(device);
    for (const module of [...device.modules.values()]) this.removeModule(module);
    this.setParent(device, undefined);
    this.setOwnScope(device, undefined);
  }

  addModule(module: ModuleRecord): void {
    module.device.modules.set(module.moduleId, module);
    this.modules.add(module);
  }

  removeModule(module: ModuleRecord): void {
    deviceOf(module).modules.delete(module.moduleId);
    this.modules.remove(module);
  }

  /** Gives a device the scope of an edge device, or takes it away; then its children have no parent any more. */
  setOwnScope(device: DeviceRecord, scope: string | undefined): void {
    if (device.ownScope === scope) return;
    if (device.ownScope !== undefined) this.#scopes.delete(device.ownScope);
    device.ownScope = scope;
    if (scope !== undefined) this.#scopes.set(scope, device);
    else for (const child of [...device.children]) this.setParent(child, undefined);
  }

  setParent(device: DeviceRecord, parent: DeviceRecord | undefined): void {
    device.parent?.children.delete(device);
    device.parent = parent;
    parent?.children.add(device);
  }

  /** The members of a record that do not come from the request. */
  newIdentity(now: number): NewIdentity {
    const ticks = ticksAt(now);
    // Two identities made in one millisecond, or after the clock went back, still differ.
    this.#lastTicks = ticks > this.#lastTicks ? ticks : this.#lastTicks + 1n;
    const section = newSection(hubTime(now));
    return {
      generationId: String(this.#lastTicks),
      etagCounter: crypto.getRandomValues(new Uint32Array(1))[0]! % 900_000_000 + 100_000_000,
      twin: { tags: emptyJsonObject(), desired: section, reported: section, etagCounter: 1 },
      connected: false,
      connectionStateUpdatedTime: 0,
      lastActivityTime: 0,
    };
  }
}
