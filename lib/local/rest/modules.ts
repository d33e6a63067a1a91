import { checkIdentityIfMatch } from "../identities/device_registry.ts";
import { preconditionFailed, unauthorized } from "../hub_fault.ts";
import { createdModuleDocument, moduleDocument } from "../identities/identity_documents.ts";
import { requireDevice, requireModule } from "../records/find_identity.ts";
import type { DeviceRecord } from "../records/identity_records.ts";
import { checkIdInBody, requireObject } from "../identities/identity_rules.ts";
import { ok, type RestAnswer, type RestCall } from "./call.ts";

/** `GET /devices/{id}/modules`: reads all modules of a device. */
export function listModules(call: RestCall): RestAnswer {
  const { queues } = call.hub;
  const modules = [...requireParent(call).modules.values()];
  return ok(modules.map((module) => moduleDocument(module, queues.count(module))));
}

/** `GET /devices/{id}/modules/{mid}`: reads a module. */
export function readModule(call: RestCall): RestAnswer {
  const { hub, moduleId } = call;
  const module = requireModule(requireParent(call), moduleId);
  return ok(moduleDocument(module, hub.queues.count(module)));
}

/** `PUT /devices/{id}/modules/{mid}`: creates a module, or replaces it when there is an `If-Match`. */
export async function putModule(call: RestCall): Promise<RestAnswer> {
  const { hub, moduleId, ifMatch } = call;
  const body = requireObject("a module identity", await call.json());
  checkIdInBody("deviceId", body, call.deviceId);
  checkIdInBody("moduleId", body, moduleId);
  const device = requireParent(call);
  if (ifMatch === undefined) {
    const module = hub.modules.create(device, moduleId, body);
    return ok(createdModuleDocument(module, hub.queues.count(module)));
  }
  const module = requireModule(device, moduleId);
  checkIdentityIfMatch(module, ifMatch);
  hub.modules.replace(module, body);
  return ok(moduleDocument(module, hub.queues.count(module)));
}

/** `DELETE /devices/{id}/modules/{mid}`: deletes a module. */
export function removeModule(call: RestCall): RestAnswer {
  const { hub, moduleId, ifMatch } = call;
  if (ifMatch === undefined) throw preconditionFailed("Etag missing");
  const module = requireModule(requireParent(call), moduleId);
  checkIdentityIfMatch(module, ifMatch);
  hub.modules.delete(module);
  return { status: 204 };
}

/**
 * Returns the device. With a shared access signature, the call is authorized only if the device exists and is enabled.
 *
 * @throws {HubFault} `IotHubUnauthorizedAccess` (401) or `DeviceNotFound` (404).
 */
function requireParent({ hub, deviceId, principal }: RestCall): DeviceRecord {
  const device = hub.store.device(deviceId);
  if (principal.kind === "sas" && device?.status !== "enabled") {
    const state = device === undefined ? "not registered" : "disabled";
    throw unauthorized("IotHubUnauthorizedAccess", `Unauthorized: device ${deviceId} is ${state}`);
  }
  return requireDevice(hub.store, deviceId);
}
