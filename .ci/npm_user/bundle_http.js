/** Reads a twin from a hub that this file plays: in a bundle, without any permission and any Node module. */
import { IoTHubRegistryManager } from "@iothub/registry-manager/http";

const registry = IoTHubRegistryManager.fromConnectionString(
  "HostName=hub.example;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0IHNlY3JldCBzZWNyZXQ=",
  { fetch: () => Promise.resolve(Response.json({ deviceId: "thermostat-1" })) },
);
const { deviceId } = await registry.getTwin("thermostat-1");
await registry.close();
console.log(deviceId);
