import type { FleetDevice } from "./fleet_file.ts";
import { chunks, forEachLimited } from "./concurrency.ts";
import { BULK_SIZE, errorText } from "./registration.ts";
import { noteFailure, PARALLEL_CALLS, type Run } from "./run.ts";

/** Writes the tags of all devices: a hundred twins with one request. */
export async function tagTwins(run: Run, devices: readonly FleetDevice[]): Promise<void> {
  await run.steps.run("Tag twins in bulk", devices.length, async (advance) => {
    for (const batch of chunks(devices, BULK_SIZE)) {
      const { errors } = await run.registry.bulkCreateOrUpdateDevices(
        batch.map(({ deviceId, site, hall, floor, model, installed }) => ({
          id: deviceId,
          importMode: "updateTwin",
          tags: { site, hall, floor, model, installed },
        })),
        run.options,
      );
      for (const error of errors) {
        run.failures.push({ deviceId: error.deviceId, reason: errorText(error) });
      }
      advance(batch.length);
    }
  });
}

/** Sets the desired properties, twin by twin. */
export async function setDesiredProperties(run: Run, devices: readonly FleetDevice[]): Promise<void> {
  const targets = devices.filter(({ intervalInSeconds, firmwareChannel }) => intervalInSeconds ?? firmwareChannel);
  await run.steps.run("Set desired properties", targets.length, async (advance) => {
    await forEachLimited(targets, PARALLEL_CALLS, async ({ deviceId, intervalInSeconds, firmwareChannel }) => {
      const desired = {
        ...(intervalInSeconds !== undefined && { intervalInSeconds }),
        ...(firmwareChannel !== undefined && { firmware: { channel: firmwareChannel } }),
      };
      try {
        await run.registry.updateTwin(deviceId, { properties: { desired } }, run.options);
      } catch (error) {
        noteFailure(run, deviceId, error);
      }
      advance(1);
    });
  });
}
