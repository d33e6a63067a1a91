import { readAuthentication } from "./authentication_block.ts";
import { placeExistingDevice, placeNewDevice } from "./device_scopes.ts";
import { HubFault, preconditionFailed } from "../hub_fault.ts";
import { utcTime } from "../hub_time.ts";
import { type AnyRecord, type DeviceRecord, identityEtag } from "../records/identity_records.ts";
import { readIotEdge, readStatus, readStatusReason, requireLegalId } from "./identity_rules.ts";
import type { IdentityStore, NewDevice } from "../records/identity_store.ts";
import { newIdentity } from "./new_identity.ts";
import type { IfMatch } from "../records/if_match.ts";
import type { JsonObject } from "../json.ts";
import type { IdentityQueues } from "./identity_queues.ts";
import type { ModuleRegistry } from "./module_registry.ts";
import type { Presence } from "../presence/presence.ts";

const MAX_IDENTITIES = 1_000_000;

/** Creates, replaces and deletes device identities. */
export class DeviceRegistry {
  readonly #now: () => number;
  readonly #store: IdentityStore;
  readonly #presence: Presence;
  readonly #modules: ModuleRegistry;
  readonly #queues: IdentityQueues;

  constructor(
    now: () => number,
    store: IdentityStore,
    presence: Presence,
    modules: ModuleRegistry,
    queues: IdentityQueues,
  ) {
    this.#now = now;
    this.#store = store;
    this.#presence = presence;
    this.#modules = modules;
    this.#queues = queues;
  }

  /**
   * Creates a device.
   *
   * @throws {HubFault} `DeviceAlreadyExists` (409), `TooManyDevices` (413), or 400 when the body breaks a rule.
   */
  create(deviceId: string, body: JsonObject): DeviceRecord {
    requireLegalId("deviceId", deviceId);
    if (this.#store.device(deviceId) !== undefined) {
      throw new HubFault("DeviceAlreadyExists", 409, `A device with ID '${deviceId}' is already registered.`);
    }
    const now = this.#now();
    const generationId = this.#store.newGenerationId(now);
    const iotEdge = readIotEdge(body["capabilities"]);
    const { ownScope, parent } = placeNewDevice(this.#store, body, { deviceId, generationId, iotEdge });
    const device: NewDevice = {
      ...newIdentity(utcTime(now)),
      deviceId,
      generationId,
      authentication: readAuthentication(body["authentication"], "device"),
      parent,
      ownScope,
      status: readStatus(body["status"]),
      statusReason: readStatusReason(body["statusReason"]),
      statusUpdatedTime: 0,
    };
    if (this.#store.devices.size + this.#store.modules.size >= MAX_IDENTITIES) {
      throw new HubFault("TooManyDevices", 413, `The registry is full: it holds ${MAX_IDENTITIES} identities`);
    }
    return this.#store.together(() => {
      const added = this.#store.addDevice(device);
      if (iotEdge) this.#modules.addSystemModules(added);
      this.#presence.refresh(added);
      return added;
    });
  }

  /**
   * Replaces every member that can be written. What the body leaves out returns to its default.
   *
   * @throws {HubFault} 400 when the body breaks a rule.
   */
  replace(device: DeviceRecord, body: JsonObject): void {
    const iotEdge = readIotEdge(body["capabilities"]);
    const authentication = readAuthentication(body["authentication"], "device");
    const status = readStatus(body["status"]);
    const statusReason = readStatusReason(body["statusReason"]);
    const { ownScope, parent } = placeExistingDevice(this.#store, body, device, iotEdge);
    const wasEdge = device.ownScope !== undefined;

    const statusUpdatedTime = status === device.status ? device.statusUpdatedTime : this.#now();
    const etagCounter = device.etagCounter + 1;

    this.#store.together(() => {
      const change = { authentication, status, statusReason, statusUpdatedTime, ownScope, parent, etagCounter };
      this.#store.update(device, change);
      if (iotEdge && !wasEdge) this.#modules.addSystemModules(device);
      if (!iotEdge && wasEdge) this.#modules.removeSystemModules(device);
      this.#presence.refresh(device);
    });
  }

  /** Deletes a device with its modules, twins and messages, and the feedback on it that is still waiting. */
  delete(device: DeviceRecord): void {
    const records = [...device.modules.values(), device];
    this.#store.together(() => {
      this.#store.remove(device);
      this.#queues.discard(records);
      for (const record of records) this.#presence.refresh(record);
    });
  }
}

/**
 * Checks the `If-Match` of a write against the etag of an identity.
 *
 * @throws {HubFault} `PreconditionFailed` (412) when they differ.
 */
export function checkIdentityIfMatch(record: AnyRecord, ifMatch: IfMatch): void {
  if (ifMatch === "*" || ifMatch === undefined || ifMatch === identityEtag(record)) return;
  throw preconditionFailed("PreconditionFailed");
}
