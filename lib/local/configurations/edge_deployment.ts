import { HubFault } from "../hub_fault.ts";
import type { ModuleRegistry } from "../identities/module_registry.ts";
import type { DeviceRecord } from "../records/identity_records.ts";
import type { ConfigurationRecord } from "./configuration_record.ts";
import { type EdgeContent, modulesOf } from "./content.ts";

/** A configuration with content for the modules of edge devices. */
export type EdgeConfiguration = ConfigurationRecord & { readonly content: EdgeContent };

/** What an edge device is to run: a deployment that says everything, and the layers above it. */
export interface EdgeDeployment {
  /** The configurations that are meant for the device, the lowest rank first. */
  readonly targeted: readonly EdgeConfiguration[];
  /** Those of them that are carried out. */
  readonly applied: readonly EdgeConfiguration[];
}

/**
 * Returns what a device is to run. Of the deployments that say everything, that with the highest rank counts; a layer
 * below it, or one without it, waits.
 *
 * @param ranked All configurations for edge devices, the lowest rank first.
 */
export function deploymentFor(device: DeviceRecord, ranked: readonly EdgeConfiguration[]): EdgeDeployment {
  if (device.ownScope === undefined) return { targeted: [], applied: [] };
  const targeted = ranked.filter(({ target }) => target.includes(device));
  const base = targeted.filter(({ content }) => !content.isLayered).at(-1);
  return { targeted, applied: base === undefined ? [] : targeted.slice(targeted.indexOf(base)) };
}

/** Creates the modules that contents bring to an edge device, as far as it can have more. */
export function addModules(modules: ModuleRegistry, device: DeviceRecord, contents: readonly EdgeContent[]): void {
  if (contents.length === 0) return;
  for (const moduleId of modulesOf(contents)) {
    if (device.modules.has(moduleId)) continue;
    try {
      modules.create(device, moduleId, { managedBy: "iotEdge" });
    } catch (error) {
      if (!(error instanceof HubFault)) throw error;
    }
  }
}
