import { NO_AUTHENTICATION, readAuthentication } from "./authentication_block.ts";
import { wrongArgument } from "../argument_faults.ts";
import { HubFault } from "../hub_fault.ts";
import { NEVER } from "../hub_time.ts";
import type { Authentication, DeviceRecord, ModuleRecord } from "../records/identity_records.ts";
import { isSystemModule, readOptionalString, requireLegalId } from "./identity_rules.ts";
import { newIdentity } from "./new_identity.ts";
import type { IdentityStore } from "../records/identity_store.ts";
import type { JsonObject } from "../json.ts";
import type { IdentityQueues } from "./identity_queues.ts";
import type { Presence } from "../presence/presence.ts";

const MAX_MODULES = 50;
const SYSTEM_MODULES: readonly string[] = ["$edgeAgent", "$edgeHub"];

/** Creates, replaces and deletes module identities. */
export class ModuleRegistry {
  readonly #now: () => number;
  readonly #store: IdentityStore;
  readonly #presence: Presence;
  readonly #queues: IdentityQueues;

  constructor(now: () => number, store: IdentityStore, presence: Presence, queues: IdentityQueues) {
    this.#now = now;
    this.#store = store;
    this.#presence = presence;
    this.#queues = queues;
  }

  /**
   * Creates a module.
   *
   * @throws {HubFault} `ModuleAlreadyExistsOnDevice` (409), `TooManyModulesOnDevice` (413),
   * `SystemModuleModifyUnauthorizedAccess` (401), or 400 when the body breaks a rule.
   */
  create(device: DeviceRecord, moduleId: string, body: JsonObject): ModuleRecord {
    requireLegalId("moduleId", moduleId);
    if (device.modules.has(moduleId)) {
      refuseSystemModule(moduleId);
      throw new HubFault(
        "ModuleAlreadyExistsOnDevice",
        409,
        `A module with ID '${moduleId}' is already registered on device '${device.deviceId}'.`,
      );
    }
    if (moduleId.startsWith("$")) {
      throw wrongArgument("moduleId", moduleId, "without $ at its start, which marks a system module");
    }
    const authentication = readAuthentication(body["authentication"], "module");
    const managedBy = readOptionalString("managedBy", body["managedBy"]) ?? null;
    if (countOwnModules(device) >= MAX_MODULES) {
      throw new HubFault(
        "TooManyModulesOnDevice",
        413,
        `Device ${device.deviceId} has ${MAX_MODULES} modules and cannot have more`,
      );
    }
    return this.#add(device, moduleId, authentication, managedBy);
  }

  /**
   * Replaces every member that can be written. What the body leaves out returns to its default.
   *
   * @throws {HubFault} `SystemModuleModifyUnauthorizedAccess` (401), or 400 when the body breaks a rule.
   */
  replace(module: ModuleRecord, body: JsonObject): void {
    refuseSystemModule(module.moduleId);
    const managedBy = readOptionalString("managedBy", body["managedBy"]) ?? null;
    const authentication = readAuthentication(body["authentication"], "module");
    this.#store.update(module, { authentication, managedBy, etagCounter: module.etagCounter + 1 });
  }

  /**
   * Deletes a module with its twin and its messages.
   *
   * @throws {HubFault} `SystemModuleModifyUnauthorizedAccess` (401) for a system module.
   */
  delete(module: ModuleRecord): void {
    refuseSystemModule(module.moduleId);
    this.#remove(module);
  }

  /** Adds the two modules that every edge device has. */
  addSystemModules(device: DeviceRecord): void {
    for (const moduleId of SYSTEM_MODULES) this.#add(device, moduleId, NO_AUTHENTICATION, "iotEdge");
  }

  /** Removes the system modules of a device that is no longer an edge device. */
  removeSystemModules(device: DeviceRecord): void {
    for (const moduleId of SYSTEM_MODULES) {
      const module = device.modules.get(moduleId);
      if (module !== undefined) this.#remove(module);
    }
  }

  #add(
    device: DeviceRecord,
    moduleId: string,
    authentication: Authentication,
    managedBy: string | null,
  ): ModuleRecord {
    const now = this.#now();
    const module = this.#store.addModule(device, {
      // Unlike the twin of a device, that of a module does not know when it was created.
      ...newIdentity(NEVER),
      moduleId,
      generationId: this.#store.newGenerationId(now),
      authentication,
      managedBy,
    });
    this.#presence.refresh(module);
    return module;
  }

  #remove(module: ModuleRecord): void {
    this.#store.together(() => {
      this.#store.remove(module);
      this.#queues.discard([module]);
      this.#presence.refresh(module);
    });
  }
}

function refuseSystemModule(moduleId: string): void {
  if (!isSystemModule(moduleId)) return;
  throw new HubFault(
    "SystemModuleModifyUnauthorizedAccess",
    401,
    `Cannot write module ${moduleId}: the hub alone writes system modules`,
  );
}

/** Counts the modules that count towards the limit: all but the system modules. */
function countOwnModules(device: DeviceRecord): number {
  return device.modules.size - SYSTEM_MODULES.filter((moduleId) => device.modules.has(moduleId)).length;
}
