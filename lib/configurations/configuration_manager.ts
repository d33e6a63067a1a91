import { Configurations } from "./configurations.ts";

/**
 * Manages the configurations of an IoT hub: settings that it applies by itself to all devices or modules that meet a
 * condition, deployments of IoT Edge modules among them.
 *
 * It is created by one of its three factories, opens no connection before its first call, and shares nothing with other
 * clients unless it was created by `fromManager`. Close it when it is no longer needed.
 */
export class IoTHubConfigurationManager extends Configurations {}
