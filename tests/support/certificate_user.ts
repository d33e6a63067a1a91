/** A program that makes two calls over TLS and tells how they failed; run by a test. */
import process from "node:process";
import { IoTHubError, IoTHubRegistryManager } from "../../lib/http.ts";

await using registry = IoTHubRegistryManager.fromConnectionString(process.env["CONNECTION_STRING"]!, {
  endpoint: process.env["ENDPOINT"]!,
  retryOptions: { retryDelayInMs: 1 },
});
const calls = [registry.getTwin("d"), registry.invokeDeviceMethod("d", { methodName: "m" })];
const outcomes = (await Promise.allSettled(calls)).map((outcome) => {
  const error: unknown = outcome.status === "rejected" ? outcome.reason : undefined;
  return error instanceof IoTHubError ? { code: error.code, retryable: error.retryable, text: error.message } : outcome;
});
console.log(JSON.stringify(outcomes));
