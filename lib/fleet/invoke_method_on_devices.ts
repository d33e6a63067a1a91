import type { CloudToDeviceMethod, CloudToDeviceMethodResult } from "../../gen/types.gen.ts";
import type { DirectMethods } from "../methods/direct_methods.ts";
import { methodCall } from "../requests/method_request.ts";
import { methodCost } from "../timing/hub_tiers.ts";
import { type Entry, readTarget, type Work } from "./fleet_operation.ts";
import type { FleetSource, FleetTarget } from "./fleet_options.ts";
import { type FleetRun, newRun } from "./fleet_run.ts";
import { carryOutOnce, type FleetOnceOptions } from "./carry_out_once.ts";

/**
 * Calls a direct method on any number of devices and modules, a hundred at the same time. A device that is offline fails
 * with `DeviceNotOnline`.
 *
 * A call is not repeated if the device may have got it: it ends as `"unknown"`, and so does one that was in progress when an
 * earlier run with the same journal was killed, unless `repeatUnknown` says otherwise.
 *
 * @param registry The manager, or a `DirectMethods` alone.
 * @param deviceIds The ids, or objects that name devices and modules, such as the twins of a query.
 * @param request The method's name, payload and time-outs.
 * @param options How fast to go, where to keep what is done, and what to do in the meantime.
 * @returns The run, which begins with the loop over its outcomes. The results are the devices' answers.
 * @throws {TypeError} When an argument has the wrong type.
 * @throws {RangeError} When an option's value is not legal. The loop throws it when the journal is that of another run.
 * @throws {IoTHubError} The loop throws it when the run cannot go on: `Unauthorized`, `NetworkError` and others.
 *
 * @example Restart two devices
 * ```ts
 * import { IoTHubRegistryManager } from "@iothub/registry-manager";
 * import { invokeMethodOnDevices } from "@iothub/registry-manager/fleet";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * await registry.createDeviceWithSas("meter-1");
 * await registry.createDeviceWithSas("meter-2");
 * hub.device("meter-1").onMethod("restart", () => ({ status: 200 }));
 * for await (const outcome of invokeMethodOnDevices(registry, ["meter-1", "meter-2"], { methodName: "restart" })) {
 *   if (outcome.deviceId === "meter-1") console.assert(outcome.result?.status === 200);
 *   else console.assert(outcome.error?.code === "DeviceNotOnline");
 * }
 * ```
 *
 * REST operation: `POST /twins/{id}/methods`.
 */
export function invokeMethodOnDevices(
  registry: DirectMethods,
  deviceIds: FleetSource<FleetTarget>,
  request: CloudToDeviceMethod,
  options: FleetOnceOptions = {},
): FleetRun<CloudToDeviceMethodResult> {
  const { repeatUnknown = false, ...others } = options;
  const { body } = methodCall("request", request);
  const blocks = methodCost(body.payload);
  const operation = {
    name: "invokeMethodOnDevices",
    methods: ["invokeDeviceMethod"],
    settings: body,
    batchSize: 1,
    concurrency: 100,
    runsOnce: true,
    targetOf: readTarget,
    carryOut(entries: readonly Entry<FleetTarget>[], work: Work<FleetTarget, CloudToDeviceMethodResult>) {
      const { deviceId, moduleId } = entries[0]!;
      return carryOutOnce("invokeMethodOnDevices", entries, work, repeatUnknown, {
        operation: "methods",
        devices: blocks,
        send: (callOptions) =>
          moduleId === undefined
            ? registry.invokeDeviceMethod(deviceId, request, callOptions)
            : registry.invokeDeviceModuleMethod(deviceId, moduleId, request, callOptions),
      });
    },
  };
  return newRun(registry, operation, deviceIds, others);
}
