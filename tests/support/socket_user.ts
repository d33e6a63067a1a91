/** A program that reaches a hub over sockets, with the options that it is given; run by a test. */
import process from "node:process";
import { IoTHubRegistryManager } from "../../mod.ts";

const { connectionString, options } = JSON.parse(process.env["HUB"]!);
const registry = IoTHubRegistryManager.fromConnectionString(connectionString, options);
await registry.createDeviceWithSas("secure-device");
await registry.sendC2dMessage("secure-device", "hello");
const { deviceId, cloudToDeviceMessageCount } = await registry.getDevice("secure-device");
await registry.close();
console.log(`${cloudToDeviceMessageCount} message waits for ${deviceId}`);
