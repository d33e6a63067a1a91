/**
 * Works on many devices at once: registers, deletes, re-tags, re-keys and calls them, at the speed of the hub's throttle.
 *
 * Each function takes a manager and any iterable, and returns a run: an async iterable of outcomes, in constant memory. With
 * a journal, a run that was killed can be started again with the same source.
 *
 * @example Register devices and tell how far it is
 * ```ts
 * import { IoTHubRegistryManager } from "@iothub/registry-manager";
 * import { registerDevices } from "@iothub/registry-manager/fleet";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * function* meters() {
 *   for (let number = 1; number <= 500; number++) yield { id: `meter-${number}` };
 * }
 * const run = registerDevices(registry, meters(), {
 *   total: 500,
 *   throttle: { tier: "S3" },
 *   onProgress: ({ done, total }) => console.log(`${done} of ${total}`),
 * });
 * for await (const { deviceId, error } of run) if (error) console.error(`${deviceId}: ${error.message}`);
 * console.assert(run.progress.done === 500);
 * ```
 *
 * @module
 */
export { deleteDevices } from "./delete_devices.ts";
export { fileJournal } from "./file_journal.ts";
export { invokeMethodOnDevices } from "./invoke_method_on_devices.ts";
export { registerDevices } from "./register_devices.ts";
export { renewDeviceKeys } from "./renew_device_keys.ts";
export { sendC2dMessages } from "./send_c2d_messages.ts";
export { updateTwins } from "./update_twins.ts";

export type { FleetLimits, FleetOptions, FleetSource, FleetTarget, FleetThrottle } from "./fleet_options.ts";
export type { FleetOutcome } from "./fleet_outcome.ts";
export type { FleetProgress } from "./fleet_progress.ts";
export type { FleetRegistry } from "./fleet_registry.ts";
export type { FleetRun } from "./fleet_run.ts";
export type { FleetWait } from "./waits.ts";
export type { FleetKeyOptions } from "./renew_device_keys.ts";
export type { FleetMessage, FleetSender } from "./send_c2d_messages.ts";
export type { FleetOnceOptions } from "./carry_out_once.ts";
export type { FleetTwinChange } from "./update_twins.ts";
export type { Journal } from "./journal.ts";
