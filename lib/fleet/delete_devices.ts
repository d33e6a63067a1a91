import type { ExportImportDevice } from "../../gen/types.gen.ts";
import { IN_BULK, writeInBulk } from "./bulk_write.ts";
import { type Entry, readTarget, type Work } from "./fleet_operation.ts";
import type { FleetOptions, FleetSource, FleetTarget } from "./fleet_options.ts";
import type { FleetRegistry } from "./fleet_registry.ts";
import { type FleetRun, newRun } from "./fleet_run.ts";

/**
 * Deletes any number of devices with their modules and twins, or modules alone, a hundred in each request. One that does not
 * exist fails with `DeviceNotFound`, unless this run or an earlier one with the same journal may have deleted it.
 *
 * @param registry The manager.
 * @param deviceIds The ids, or objects that name devices and modules, such as the twins of a query.
 * @param options How fast to go, where to keep what is done, and what to do in the meantime.
 * @returns The run, which begins with the loop over its outcomes.
 * @throws {TypeError} When an argument has the wrong type.
 * @throws {RangeError} When an option's value is not legal. The loop throws it when the journal is that of another run.
 * @throws {IoTHubError} The loop throws it when the run cannot go on: `Unauthorized`, `NetworkError` and others.
 *
 * @example Delete the devices of a site
 * ```ts
 * import { IoTHubRegistryManager } from "@iothub/registry-manager";
 * import { deleteDevices } from "@iothub/registry-manager/fleet";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * await registry.bulkCreateOrUpdateDevices([{ id: "meter-1", importMode: "create", tags: { site: "bonn" } }]);
 * const run = deleteDevices(registry, registry.query("SELECT * FROM devices WHERE tags.site = 'bonn'"));
 * for await (const { deviceId, status } of run) console.log(`${deviceId}: ${status}`);
 * console.assert((await registry.getDeviceRegistryStatistics()).totalDeviceCount === 0);
 * ```
 *
 * REST operation: `POST /devices`.
 */
export function deleteDevices(
  registry: FleetRegistry,
  deviceIds: FleetSource<FleetTarget>,
  options: FleetOptions = {},
): FleetRun<undefined> {
  const operation = {
    ...IN_BULK,
    name: "deleteDevices",
    targetOf: readTarget,
    carryOut: (entries: readonly Entry<FleetTarget>[], work: Work<FleetTarget, undefined>) =>
      remove(registry, entries, work),
  };
  return newRun(registry, operation, deviceIds, options);
}

async function remove(
  registry: FleetRegistry,
  entries: readonly Entry<FleetTarget>[],
  work: Work<FleetTarget, undefined>,
): Promise<void> {
  await work.sent(entries);
  const elements = entries.map((entry) => {
    const { deviceId: id, moduleId } = entry;
    const body: ExportImportDevice = { id, moduleId, importMode: "delete" };
    return { entry, body, result: undefined };
  });
  await writeInBulk(
    registry,
    "deleteDevices",
    elements,
    work,
    (_element, code) => Promise.resolve(/NotFound/.test(code) ? { status: "done" } : undefined),
  );
}
