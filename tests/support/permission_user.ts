/** A program that makes one call, and tells how it failed; run by a test with some of Deno's permissions. */
import { type ClientOptions, IoTHubError, IoTHubRegistryManager } from "../../mod.ts";

const [call = "", options = "{}"] = (globalThis as unknown as { Deno: { args: string[] } }).Deno.args;
const registry = IoTHubRegistryManager.fromConnectionString(
  "HostName=localhost;SharedAccessKeyName=service;SharedAccessKey=MDEyMzQ1Njc4OWFiY2RlZg==",
  { retryOptions: { maxRetries: 3 }, ...JSON.parse(options) as ClientOptions },
);
const calls: Record<string, () => Promise<unknown>> = {
  http: () => registry.getTwin("d1"),
  message: () => registry.sendC2dMessage("d1", "hello"),
  receive: () => registry.receiveFeedback().next(),
};
const error = await calls[call]!().catch((error: unknown) => error);
await registry.close();
const { name, message, code, retryable } = error as IoTHubError;
console.log(JSON.stringify({ isOurs: error instanceof IoTHubError, name, message, code, retryable }));
