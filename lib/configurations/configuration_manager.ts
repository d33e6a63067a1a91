import { Configurations } from "./configurations.ts";

/**
 * Manages the configurations of an IoT hub: settings that it applies by itself to all devices or modules that meet a
 * condition, deployments of IoT Edge modules among them.
 *
 * It is created by one of the three factories of {@linkcode HubClient}, opens no connection before its first call, and
 * shares nothing with other clients unless it was created by `fromManager`. Close it when it is no longer needed.
 *
 * @example Set a property of every device
 * ```ts
 * import { IoTHubConfigurationManager } from "@iothub/registry-manager/http";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using configurations = IoTHubConfigurationManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * await configurations.createConfiguration({
 *   id: "interval",
 *   content: { deviceContent: { "properties.desired.interval": 60 } },
 *   targetCondition: "*",
 * });
 * const { priority } = await configurations.getConfiguration("interval");
 * console.assert(priority === 0);
 * ```
 */
export class IoTHubConfigurationManager extends Configurations {}
