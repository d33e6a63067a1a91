import type { ExportImportDevice } from "../../gen/types.gen.ts";
import { wrongType } from "../values/checks.ts";
import { isObject } from "../values/json.ts";
import { IN_BULK, writeInBulk } from "./bulk_write.ts";
import { checkTarget, type Entry, type Target, type Work } from "./fleet_operation.ts";
import type { FleetOptions, FleetSource } from "./fleet_options.ts";
import type { FleetRegistry } from "./fleet_registry.ts";
import { type FleetRun, newRun } from "./fleet_run.ts";

/** The change of one twin. Other members, such as those of a twin that was just read, are left out. */
export interface FleetTwinChange {
  /** The id of the device. */
  readonly deviceId: string;
  /** The id of the module, if it is the twin of one. */
  readonly moduleId?: string | undefined;
  /** Tags to merge into those that are there. `null` deletes a tag. */
  readonly tags?: Record<string, unknown> | undefined;
  /** The properties, of which a back end can only write the desired ones. */
  readonly properties?: {
    /** Desired properties to merge into those that are there. `null` deletes a property. */
    readonly desired?: Record<string, unknown> | undefined;
  } | undefined;
}

/**
 * Merges changes into the twins of any number of devices and modules, a hundred in each request. For that the policy needs
 * the right `RegistryWrite`. Entries for the same device are carried out in their order.
 *
 * @param registry The manager.
 * @param changes The changes.
 * @param options How fast to go, where to keep what is done, and what to do in the meantime.
 * @returns The run, which begins with the loop over its outcomes.
 * @throws {TypeError} When an argument has the wrong type.
 * @throws {RangeError} When an option's value is not legal. The loop throws it when the journal is that of another run.
 * @throws {IoTHubError} The loop throws it when the run cannot go on: `Unauthorized`, `NetworkError` and others.
 *
 * @example Tag all devices
 * ```ts
 * import { IoTHubRegistryManager } from "@iothub/registry-manager";
 * import { updateTwins } from "@iothub/registry-manager/fleet";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * await registry.createDeviceWithSas("meter-1");
 * async function* changes() {
 *   for await (const { deviceId } of registry.query("SELECT deviceId FROM devices")) {
 *     yield { deviceId: deviceId as string, tags: { audited: true } };
 *   }
 * }
 * for await (const { deviceId, status } of updateTwins(registry, changes())) console.log(`${deviceId}: ${status}`);
 * console.assert((await registry.getTwin("meter-1")).tags?.["audited"] === true);
 * ```
 *
 * REST operation: `POST /devices`.
 */
export function updateTwins(
  registry: FleetRegistry,
  changes: FleetSource<FleetTwinChange>,
  options: FleetOptions = {},
): FleetRun<undefined> {
  const operation = {
    ...IN_BULK,
    name: "updateTwins",
    targetOf,
    carryOut: (entries: readonly Entry<FleetTwinChange>[], work: Work<FleetTwinChange, undefined>) =>
      update(registry, entries, work),
  };
  return newRun(registry, operation, changes, options);
}

function targetOf(change: FleetTwinChange): Target {
  if (!isObject(change)) throw wrongType("the entry", "an object with a deviceId", change);
  const { tags = {}, properties = {} } = change as unknown as FleetTwinChange;
  if (!isObject(tags)) throw wrongType("tags", "an object", tags);
  if (!isObject(properties)) throw wrongType("properties", "an object", properties);
  const { desired = {} } = properties;
  if (!isObject(desired)) throw wrongType("properties.desired", "an object", desired);
  return checkTarget(change as unknown as FleetTwinChange);
}

async function update(
  registry: FleetRegistry,
  entries: readonly Entry<FleetTwinChange>[],
  work: Work<FleetTwinChange, undefined>,
): Promise<void> {
  await work.sent(entries);
  const elements = entries.map((entry) => {
    const { item: { tags, properties }, deviceId: id, moduleId } = entry;
    const desired = properties?.desired;
    const body: ExportImportDevice = {
      id,
      moduleId,
      importMode: "updateTwin",
      tags,
      properties: desired && { desired },
    };
    return { entry, body, result: undefined };
  });
  // A merge can be repeated.
  await writeInBulk(registry, "updateTwins", elements, work, () => Promise.resolve(undefined));
}
