import type { Check } from "./check.ts";
import { expect, expectRejection } from "./expect.ts";

/** What the hub refuses, what the arguments' checks refuse, and a hub that is not there. */
export const ERROR_CHECKS: readonly Check[] = [
  {
    name: "what the hub refuses rejects with an IoTHubError and its code",
    async run({ module, registry }) {
      await registry.createDeviceWithSas("taken");
      const refusals: [Promise<unknown>, Record<string, unknown>][] = [
        [registry.getDevice("nobody"), { code: "DeviceNotFound", statusCode: 404, errorNumber: 404001 }],
        [registry.createDeviceWithSas("taken"), { code: "DeviceAlreadyExists", statusCode: 409 }],
        [registry.updateTwin("taken", {}, { etag: "AAAA" }), { code: "PreconditionFailed", statusCode: 412 }],
        [registry.getModule("taken", "nothing"), { code: "ModuleNotFound", statusCode: 404 }],
        [registry.queryIotHub("SELECT"), { statusCode: 400 }],
      ];
      const errors = await Promise.all(
        refusals.map(([call, facts]) => expectRejection(call, { name: "IoTHubError", retryable: false, ...facts })),
      );
      expect(errors.every((error) => error instanceof module.IoTHubError), "instances of IoTHubError");
      await registry.deleteDevice("taken");
    },
  },
  {
    name: "a wrong argument rejects with a TypeError or a RangeError",
    async run({ registry }) {
      await expectRejection(registry.getDevice(7 as unknown as string), { name: "TypeError" });
      await expectRejection(registry.getDevice(".."), { name: "RangeError" });
    },
  },
  {
    name: "a key that the hub refuses is told as 401, and shown nowhere",
    async run({ module, target }) {
      const { hostName, sharedAccessKey } = module.parseConnectionString(target.connectionString);
      const wrongKey = btoa("no key of this hub");
      const connectionString = `HostName=${hostName};SharedAccessKeyName=iothubowner;SharedAccessKey=${wrongKey}`;
      const { endpoint } = target;
      const stranger = module.IoTHubRegistryManager.fromConnectionString(connectionString, { endpoint });
      const error = await expectRejection(stranger.getDevices(), { name: "IoTHubError", statusCode: 401 });
      expect(![wrongKey, sharedAccessKey!, "sig="].some((secret) => `${error.stack}`.includes(secret)), "no secrets");
      await stranger.close();
    },
  },
  {
    name: "a hub that cannot be reached is a NetworkError",
    async run({ connect }) {
      const registry = connect({ endpoint: "http://127.0.0.1:1", retryOptions: { maxRetries: 0 } });
      await expectRejection(registry.getDevices(), { name: "IoTHubError", code: "NetworkError", retryable: true });
      await registry.close();
    },
  },
  {
    name: "a hub that cannot be reached is tried again",
    async run({ connect }) {
      const registry = connect({
        endpoint: "http://127.0.0.1:1",
        retryOptions: { maxRetries: 2, retryDelayInMs: 1 },
        limits: { maxConcurrentRequests: 1, maxRequestsPerSecond: 1000 },
      });
      const calls = [registry.getDevices(), registry.getTwin("d")];
      await Promise.all(calls.map((call) => expectRejection(call, { code: "NetworkError" })));
      await registry.close();
    },
  },
];
