import type { Device, Module } from "../../gen/types.gen.ts";
import { IoTHubError } from "../errors/errors.ts";
import { failure } from "../errors/failures.ts";
import { renewedKeys, type RenewKeysOptions } from "../identities/renew_keys.ts";
import { checkChoice } from "../values/checks.ts";
import { digestOf } from "./credentials.ts";
import { type Entry, readTarget, type Work } from "./fleet_operation.ts";
import type { FleetOptions, FleetSource, FleetTarget } from "./fleet_options.ts";
import type { FleetRegistry } from "./fleet_registry.ts";
import { type FleetRun, newRun } from "./fleet_run.ts";
import { CallFailure } from "./patient_calls.ts";

/** The options of a run that renews keys. */
export interface FleetKeyOptions extends FleetOptions {
  /**
   * Which of the two keys to replace with a new one. `"swap"` makes no key, but lets the two change places.
   * @default {"both"}
   */
  keys?: "primary" | "secondary" | "both" | "swap" | undefined;
}

/** How often an identity is read again that others have changed in the meantime. */
const MAX_ATTEMPTS = 10;

/**
 * Renews the keys of any number of devices and modules. Each is read, and written only if nobody has changed it since.
 *
 * With a journal, a run that was killed can be started again with the same source. An identity whose fate is not known is
 * read again, and recognized by the digest of its keys; so two keys that have changed places do not do so again. It is
 * reported as `"unknown"` if it has changed and its keys are not those of the earlier run.
 *
 * @param registry The manager.
 * @param deviceIds The ids, or objects that name devices and modules, such as the twins of a query.
 * @param options Which keys to renew, how fast to go, and where to keep what is done.
 * @returns The run, which begins with the loop over its outcomes. The results are the identities with their new keys.
 * @throws {TypeError} When an argument has the wrong type.
 * @throws {RangeError} When an option's value is not legal. The loop throws it when the journal is that of another run.
 * @throws {IoTHubError} The loop throws it when the run cannot go on: `Unauthorized`, `NetworkError` and others.
 *
 * @example Renew the keys that the devices do not use
 * ```ts
 * import { IoTHubRegistryManager } from "@iothub/registry-manager";
 * import { renewDeviceKeys } from "@iothub/registry-manager/fleet";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * const before = await registry.createDeviceWithSas("meter-1");
 * for await (const { status, result } of renewDeviceKeys(registry, ["meter-1"], { keys: "secondary" })) {
 *   console.assert(status === "done");
 *   const [old, renewed] = [before.authentication?.symmetricKey, result?.authentication?.symmetricKey];
 *   console.assert(old?.primaryKey === renewed?.primaryKey && old?.secondaryKey !== renewed?.secondaryKey);
 * }
 * ```
 *
 * REST operations: `GET /devices/{id}`, `PUT /devices/{id}` with If-Match.
 */
export function renewDeviceKeys(
  registry: FleetRegistry,
  deviceIds: FleetSource<FleetTarget>,
  options: FleetKeyOptions = {},
): FleetRun<Device | Module> {
  const { keys = "both", ...others } = options;
  checkChoice("keys", keys, ["primary", "secondary", "both", "swap"]);
  const operation = {
    name: "renewDeviceKeys",
    methods: ["getDevice", "updateDeviceWithSas"],
    settings: keys,
    batchSize: 1,
    concurrency: 100,
    runsOnce: false,
    targetOf: readTarget,
    async carryOut([entry]: readonly Entry<FleetTarget>[], work: Work<FleetTarget, Device | Module>): Promise<void> {
      await work.settle(entry!, await renew(registry, entry!, keys, work));
    },
  };
  return newRun(registry, operation, deviceIds, others);
}

type Outcome = { status: "done"; result: Device | Module } | { status: "failed" | "unknown"; error: IoTHubError };

/** Renews the keys of one identity. */
async function renew(
  registry: FleetRegistry,
  entry: Entry<FleetTarget>,
  keys: NonNullable<RenewKeysOptions["keys"]>,
  work: Work<FleetTarget, Device | Module>,
): Promise<Outcome> {
  const { deviceId, moduleId } = entry;
  const call = { operation: "renewDeviceKeys", deviceId, ...(moduleId !== undefined && { moduleId }) };
  // The latest write of a run counts: any before it was refused.
  let earlier = entry.earlier?.at(-1);
  for (let attempt = 1;; attempt++) {
    try {
      const { value: identity } = await work.calls.make<Device | Module>({
        operation: "registry",
        devices: 1,
        mayRepeat: true,
        send: (options) =>
          moduleId === undefined
            ? registry.getDevice(deviceId, options)
            : registry.getModule(deviceId, moduleId, options),
      });
      if (earlier !== undefined) {
        const [etag, written] = earlier.split(" ");
        if (await digestOf(identity.authentication) === written) return { status: "done", result: identity };
        if (identity.etag !== etag) {
          const reason = "it has changed since an earlier run, which may have renewed its keys; read it and decide";
          return { status: "unknown", error: failure(call, "PreconditionFailed", reason) };
        }
      }
      const changes = renewedKeys(call, identity, keys);
      const authentication = { type: "sas", symmetricKey: changes } as const;
      earlier = `${identity.etag} ${await digestOf(authentication)}`;
      await work.sent([entry], [earlier]);
      const { value } = await work.calls.make<Device | Module>({
        operation: "registry",
        devices: 1,
        mayRepeat: true,
        send: (options) => write(registry, identity, changes, options),
      });
      return { status: "done", result: value };
    } catch (error) {
      const reason = error instanceof CallFailure && error.concernsRequest ? error.reason : error;
      if (!(reason instanceof IoTHubError) || (error instanceof CallFailure && !error.concernsRequest)) throw error;
      const mayHaveRun = error instanceof CallFailure && error.mayHaveRun;
      const isOvertaken = reason.statusCode === 412 && attempt < MAX_ATTEMPTS;
      if (!isOvertaken) return { status: mayHaveRun ? "unknown" : "failed", error: reason };
      // What was certainly refused need not be looked for.
      if (!mayHaveRun) earlier = undefined;
    }
  }
}

/** Writes an identity as it was read, with other keys. */
function write(
  registry: FleetRegistry,
  identity: Device | Module,
  keys: { primaryKey: string; secondaryKey: string },
  options: object,
): Promise<Device | Module> {
  const { deviceId, etag } = identity;
  if ("moduleId" in identity && identity.moduleId) {
    const { moduleId, managedBy } = identity as Module;
    return registry.updateModuleWithSas(deviceId, moduleId, { ...options, ...keys, etag, managedBy });
  }
  const { status, statusReason, capabilities, deviceScope, parentScopes } = identity as Device;
  const iotEdge = capabilities?.iotEdge === true;
  return registry.updateDeviceWithSas(deviceId, {
    ...options,
    ...keys,
    etag,
    status,
    statusReason,
    iotEdge,
    deviceScope,
    // The hub works out a leaf's parent from its scope.
    parentScopes: iotEdge ? parentScopes : undefined,
  });
}
