import type { Check } from "./check.ts";
import { DEVICE } from "./names.ts";
import { expectEqual, expectRejection } from "./expect.ts";

const WAIT = { methodName: "wait", responseTimeoutInSeconds: 60 };
const UNTIL_WAITING = { methodName: "untilWaiting" };

/** How calls and managers end. */
export const LIFETIME_CHECKS: readonly Check[] = [
  {
    name: "a signal that has fired already ends the call with its reason",
    async run({ registry }) {
      const reason = new Error("not wanted any more");
      await expectRejection(registry.getDevices({ abortSignal: AbortSignal.abort(reason) }), {
        message: reason.message,
      });
    },
  },
  {
    name: "a signal that fires during the call ends it with its reason",
    async run({ registry }) {
      const controller = new AbortController();
      const { signal: abortSignal } = controller;
      const call = registry.invokeDeviceMethod(DEVICE, { ...WAIT, payload: "abort" }, { abortSignal });
      const outcome = expectRejection(call, { message: "enough" });
      await registry.invokeDeviceMethod(DEVICE, { ...UNTIL_WAITING, payload: "abort" });
      controller.abort(new Error("enough"));
      await outcome;
    },
  },
  {
    name: "a signal with a time ends the call as it does a fetch",
    async run({ registry }) {
      const call = registry.invokeDeviceMethod(DEVICE, WAIT, { abortSignal: AbortSignal.timeout(100) });
      await expectRejection(call, { name: "TimeoutError" });
    },
  },
  {
    name: "a time-out ends the call",
    async run({ registry, connect }) {
      const call = registry.invokeDeviceMethod(DEVICE, WAIT, { timeoutInMs: 100 });
      await expectRejection(call, { name: "IoTHubError", code: "Timeout", retryable: false });
      // Two at once share a timer.
      const other = connect({ retryOptions: { maxRetries: 0 } });
      const calls = [300, 100].map((timeoutInMs) => other.invokeDeviceMethod(DEVICE, WAIT, { timeoutInMs }));
      await Promise.all(calls.map((call) => expectRejection(call, { code: "Timeout" })));
      await other.close();
    },
  },
  {
    name: "closing ends what is under way and refuses what comes later",
    async run({ registry, connect }) {
      const other = connect();
      const call = other.invokeDeviceMethod(DEVICE, { ...WAIT, payload: "close" });
      const outcome = expectRejection(call, { name: "IoTHubError", code: "Closed" });
      await registry.invokeDeviceMethod(DEVICE, { ...UNTIL_WAITING, payload: "close" });
      await other.close();
      await outcome;
      await expectRejection(other.getDevices(), { code: "Closed" });
      await other.close();
    },
  },
  {
    name: "a token credential signs in",
    async run({ module, target }) {
      const { hostName, sharedAccessKey, sharedAccessKeyName } = module.parseConnectionString(target.connectionString);
      const token = await module.createSasToken({
        resourceUri: hostName,
        key: sharedAccessKey!,
        keyName: sharedAccessKeyName!,
      });
      const scopes: (string | string[])[] = [];
      const credential = {
        getToken: (scope: string | string[]) => {
          scopes.push(scope);
          return Promise.resolve({ token: btoa(token), expiresOnTimestamp: Date.now() + 3_600_000 });
        },
      };
      const { endpoint } = target;
      const registry = module.IoTHubRegistryManager.fromTokenCredential(hostName, credential, { endpoint });
      // No bearer token that this hub would take: it answers 401, after one more was asked for.
      await expectRejection(registry.getDevices(), { statusCode: 401 });
      expectEqual(scopes, Array(2).fill("https://iothubs.azure.net/.default"));
      await registry.close();
    },
  },
];
