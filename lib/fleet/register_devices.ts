import type { Device, ExportImportDevice, Module, Twin } from "../../gen/types.gen.ts";
import type { BulkDevice } from "../identities/bulk_devices.ts";
import type { OperationOptions } from "../timing/operation_options.ts";
import { hasPatch } from "../requests/twin_patch.ts";
import { wrongType } from "../values/checks.ts";
import { isObject } from "../values/json.ts";
import { type BulkElement, IN_BULK, writeInBulk } from "./bulk_write.ts";
import { digestOf, missingKeys, newKeys, withKeys } from "./credentials.ts";
import { checkTarget, type Entry, type FleetOperation, type Target, type Work } from "./fleet_operation.ts";
import type { FleetOptions, FleetSource } from "./fleet_options.ts";
import type { FleetRegistry } from "./fleet_registry.ts";
import { type FleetRun, newRun } from "./fleet_run.ts";
import { CallFailure } from "./patient_calls.ts";

/**
 * Registers, updates or deletes any number of devices and modules, a hundred in each request. Each entry has an `importMode`
 * as in `bulkCreateOrUpdateDevices`, and is created without one. Each succeeds or fails independently, and entries for the
 * same device are carried out in their order.
 *
 * Keys that an entry for a device with symmetric keys lacks are made here, and are in the outcome's `result`.
 *
 * With a journal, a run that was killed can be started again with the same source. What the loop has dealt with is skipped;
 * identities whose fate is not known are read from the hub, and recognized by the digest of their keys.
 *
 * @param registry The manager.
 * @param devices The entries.
 * @param options How fast to go, where to keep what is done, and what to do in the meantime.
 * @returns The run, which begins with the loop over its outcomes. The result of an entry that creates or updates an identity
 * is the entry with its keys.
 * @throws {TypeError} When an argument has the wrong type.
 * @throws {RangeError} When an option's value is not legal. The loop throws it when the journal is that of another run.
 * @throws {IoTHubError} The loop throws it when the run cannot go on: `Unauthorized`, `NetworkError` and others.
 *
 * @example Register a thousand devices
 * ```ts
 * import { IoTHubRegistryManager } from "@iothub/registry-manager";
 * import { registerDevices } from "@iothub/registry-manager/fleet";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * const devices = Array.from({ length: 1000 }, (_, index) => ({ id: `meter-${index}`, tags: { site: "berlin" } }));
 * for await (const { deviceId, status, result, error } of registerDevices(registry, devices)) {
 *   if (status !== "done") console.error(`${deviceId}: ${error?.message}`);
 *   else console.assert(result?.authentication?.symmetricKey?.primaryKey !== undefined);
 * }
 * console.assert((await registry.getDeviceRegistryStatistics()).totalDeviceCount === 1000);
 * ```
 *
 * REST operation: `POST /devices`.
 */
export function registerDevices(
  registry: FleetRegistry,
  devices: FleetSource<BulkDevice>,
  options: FleetOptions = {},
): FleetRun<ExportImportDevice> {
  const operation: FleetOperation<BulkDevice, ExportImportDevice> = {
    ...IN_BULK,
    name: "registerDevices",
    targetOf,
    carryOut: (entries, work) => register(registry, entries, work),
  };
  return newRun(registry, operation, devices, options);
}

function targetOf(device: BulkDevice): Target {
  if (!isObject(device)) throw wrongType("the entry", "an object with an id", device);
  const { id, deviceId = id, moduleId } = device as { id?: string; deviceId?: string; moduleId?: string };
  return checkTarget({ deviceId: deviceId!, moduleId: moduleId || undefined });
}

async function register(
  registry: FleetRegistry,
  entries: readonly Entry<BulkDevice>[],
  work: Work<BulkDevice, ExportImportDevice>,
): Promise<void> {
  const bodies = bodiesOf(entries);
  const facts = work.keepsFacts
    ? await Promise.all(bodies.map((body) => writesIdentity(body) ? digestOf(body.authentication) : ""))
    : undefined;
  await work.sent(entries, facts);
  const elements = entries.map((entry, index): BulkElement<BulkDevice, ExportImportDevice | undefined> => {
    const body = bodies[index]!;
    return {
      entry,
      body,
      result: writesIdentity(body) ? body : undefined,
    };
  });
  await writeInBulk(
    registry,
    "registerDevices",
    elements,
    work,
    ({ entry, body }, code) => findEarlier(registry, entry, body, code, work),
  );
}

/** Returns what to write, with all keys and the way to write it. */
function bodiesOf(entries: readonly Entry<BulkDevice>[]): ExportImportDevice[] {
  let missing = 0;
  const bodies = entries.map(({ item, deviceId }): ExportImportDevice => {
    const { importMode = "create" } = item;
    const lacking = writesIdentity({ importMode }) ? missingKeys(item.authentication) : 0;
    missing += lacking;
    // What is whole is not copied.
    const isWhole = lacking === 0 && item.id !== undefined && item.importMode !== undefined;
    return isWhole ? item as ExportImportDevice : { ...item, id: deviceId, importMode };
  });
  if (missing === 0) return bodies;
  const keys = newKeys(missing);
  for (const body of bodies) {
    if (writesIdentity(body) && missingKeys(body.authentication) > 0) {
      body.authentication = withKeys(body.authentication, () => keys.pop()!);
    }
  }
  return bodies;
}

/** Whether an entry creates or replaces an identity. */
function writesIdentity({ importMode }: Pick<ExportImportDevice, "importMode">): boolean {
  return importMode === "create" || importMode === "update" || importMode === "updateIfMatchETag";
}

/** Whether the hub refuses an entry only because it has done it before. */
async function findEarlier(
  registry: FleetRegistry,
  { deviceId, moduleId, earlier = [] }: Entry<BulkDevice>,
  body: ExportImportDevice,
  code: string,
  work: Work<BulkDevice, ExportImportDevice>,
): Promise<{ status: "done"; result?: ExportImportDevice } | undefined> {
  const mode = body.importMode!;
  if (mode.startsWith("delete")) return /NotFound/.test(code) ? { status: "done" } : undefined;
  const mayBeOwn = mode === "create" ? /AlreadyExists/.test(code) : code === "PreconditionFailed";
  if (!mayBeOwn) return undefined;
  const read = async <T>(operation: "registry" | "twinReads", send: (options: OperationOptions) => Promise<T>) => {
    try {
      return (await work.calls.make({ operation, devices: 1, mayRepeat: true, send })).value;
    } catch (error) {
      if (error instanceof CallFailure && error.concernsRequest) return undefined;
      throw error;
    }
  };
  if (mode === "updateTwinIfMatchETag") {
    const twin = await read<Twin>(
      "twinReads",
      (options) =>
        moduleId === undefined
          ? registry.getTwin(deviceId, options)
          : registry.getModuleTwin(deviceId, moduleId, options),
    );
    return twin !== undefined && hasPatch(body, twin) ? { status: "done" } : undefined;
  }
  const identity = await read<Device | Module>(
    "registry",
    (options) =>
      moduleId === undefined ? registry.getDevice(deviceId, options) : registry.getModule(deviceId, moduleId, options),
  );
  if (identity === undefined) return undefined;
  const [found, sent] = await Promise.all([digestOf(identity.authentication), digestOf(body.authentication)]);
  if (found !== sent && !earlier.includes(found)) return undefined;
  const { type, symmetricKey, x509Thumbprint } = identity.authentication!;
  return { status: "done", result: { ...body, authentication: { type, symmetricKey, x509Thumbprint } } };
}
