/** A program that uses HTTP only; run by a test with the least permissions. */
import { IoTHubRegistryManager } from "../../mod.ts";

const [host] = (globalThis as unknown as { Deno: { args: string[] } }).Deno.args;
const registry = IoTHubRegistryManager.fromConnectionString(
  "HostName=hub.example;SharedAccessKeyName=service;SharedAccessKey=MDEyMzQ1Njc4OWFiY2RlZg==",
  { endpoint: `http://${host}` },
);
const { deviceId } = await registry.getTwin("d");
await registry.close();
console.log(deviceId);
