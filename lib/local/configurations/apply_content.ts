import { HubFault, invalidArgument } from "../hub_fault.ts";
import type { ModuleRegistry } from "../identities/module_registry.ts";
import type { DeviceRecord } from "../records/identity_records.ts";
import type { TwinWrites } from "../twins/twin_writes.ts";
import { assign } from "./assignments.ts";
import { readContent } from "./content.ts";
import { addModules } from "./edge_deployment.ts";

/**
 * Gives content to one edge device, once: unlike a configuration, it is not set again when somebody changes it.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when the device is no edge device, or `InvalidConfigurationContent` (400) when
 * the content breaks a rule.
 */
export function applyContent(
  { modules, twins }: { readonly modules: ModuleRegistry; readonly twins: TwinWrites },
  device: DeviceRecord,
  body: unknown,
): void {
  if (device.ownScope === undefined) throw invalidArgument(`Device ${device.deviceId} is not an Azure IoT Edge device`);
  const content = readContent(body);
  if (content.kind !== "modulesContent") {
    throw new HubFault("InvalidConfigurationContent", 400, `An edge device takes modulesContent, not ${content.kind}`);
  }
  addModules(modules, device, [content]);
  for (const [moduleId, assignments] of content.modules) {
    const module = device.modules.get(moduleId);
    if (module !== undefined) twins.configure(module, assign(module.twin.desired.values, assignments), undefined);
  }
}
