/** A program that reaches a hub by TLS; run by a test, with the hub's certificate among those it trusts. */
import process from "node:process";
import { IoTHubRegistryManager } from "../../mod.ts";

const { connectionString, endpoint, amqpEndpoint, certificate } = JSON.parse(process.env["HUB"]!);
const registry = IoTHubRegistryManager.fromConnectionString(connectionString, {
  endpoint,
  amqpEndpoint,
  amqpTls: { ca: certificate },
});
await registry.createDeviceWithSas("secure-device");
await registry.sendC2dMessage("secure-device", "hello");
const { deviceId, cloudToDeviceMessageCount } = await registry.getDevice("secure-device");
await registry.close();
console.log(`${cloudToDeviceMessageCount} message waits for ${deviceId}`);
