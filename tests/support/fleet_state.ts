import type { Device, IoTHubRegistryManager, Module, Twin } from "../../mod.ts";

/** What must be the same in two hubs that were told the same: no etags, no times, no ids and keys that the hub makes. */
export function deviceFacts(device: Device): unknown {
  const { deviceId, status, statusReason, authentication, capabilities } = device;
  return { deviceId, status, statusReason, capabilities, authentication: authenticationFacts(authentication) };
}

/** The same of a module. */
export function moduleFacts({ deviceId, moduleId, managedBy, authentication }: Module): unknown {
  return { deviceId, moduleId, managedBy, authentication: authenticationFacts(authentication) };
}

/** The same of a twin: what can be written. */
export function twinFacts({ deviceId, moduleId, tags = {}, properties }: Twin): unknown {
  const { $metadata: _metadata, $version: _version, ...desired } = properties?.desired ?? {};
  return { deviceId, moduleId, tags, desired };
}

/** All of a hub that its callers have made. */
export async function fleetState(registry: IoTHubRegistryManager): Promise<unknown> {
  const state: Record<string, unknown> = {};
  for (const device of await registry.getDevices()) {
    const deviceId = device.deviceId!;
    state[deviceId] = deviceFacts(device);
    state[`twin of ${deviceId}`] = twinFacts(await registry.getTwin(deviceId));
    // The hub does not show modules of a device that is disabled, but for their twins.
    const modules = device.status === "enabled" ? await registry.getModules(deviceId) : [];
    for (const module of modules) state[`${deviceId}/${module.moduleId}`] = moduleFacts(module);
  }
  for await (const { deviceId, moduleId } of registry.query("SELECT * FROM devices.modules")) {
    state[`twin of ${deviceId}/${moduleId}`] = twinFacts(await registry.getModuleTwin(deviceId, moduleId));
  }
  return state;
}

function authenticationFacts({ type, symmetricKey, x509Thumbprint }: Device["authentication"]): unknown {
  const { primaryKey } = symmetricKey;
  // Those of the steps are made of words; a key that the hub made is random.
  const isGiven = typeof primaryKey === "string" && /^[\x20-\x7e]*$/.test(atob(primaryKey));
  return { type, x509Thumbprint, primaryKey: isGiven ? primaryKey : "made by the hub" };
}
