import { updateTwins } from "../../lib/fleet/mod.ts";
import type { FleetDevice } from "./fleet_file.ts";
import { fleetStep } from "./fleet_step.ts";
import type { Run } from "./run.ts";

/** Writes the tags of all devices. */
export async function tagTwins(run: Run, devices: readonly FleetDevice[]): Promise<void> {
  const changes = devices.map(({ deviceId, site, hall, floor, model, installed }) => ({
    deviceId,
    tags: { site, hall, floor, model, installed },
  }));
  await fleetStep(run, "Tag twins", changes.length, (options) => updateTwins(run.registry, changes, options));
}

/** Sets the desired properties of the devices that have any. */
export async function setDesiredProperties(run: Run, devices: readonly FleetDevice[]): Promise<void> {
  const targets = devices.filter(({ intervalInSeconds, firmwareChannel }) => intervalInSeconds ?? firmwareChannel);
  const changes = targets.map(({ deviceId, intervalInSeconds, firmwareChannel }) => {
    const desired = {
      ...(intervalInSeconds !== undefined && { intervalInSeconds }),
      ...(firmwareChannel !== undefined && { firmware: { channel: firmwareChannel } }),
    };
    return { deviceId, properties: { desired } };
  });
  await fleetStep(
    run,
    "Set desired properties",
    changes.length,
    (options) => updateTwins(run.registry, changes, options),
  );
}
