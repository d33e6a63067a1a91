import type { Check } from "./check.ts";
import { DEVICE, MODULE } from "./names.ts";
import { expectEqual, expectRejection } from "./expect.ts";

/** Direct methods, to devices that answer beside the hub. */
export const METHOD_CHECKS: readonly Check[] = [
  {
    name: "a direct method brings the device's answer back",
    async run({ registry }) {
      await registry.createDeviceWithSas(DEVICE);
      for (const payload of [null, 0, false, "", "Grüße", [1, { a: null }]]) {
        const result = await registry.invokeDeviceMethod(DEVICE, { methodName: "echo", payload });
        expectEqual(result, { status: 200, payload });
      }
      expectEqual(await registry.getServiceStatistics(), { connectedDeviceCount: 1 });
    },
  },
  {
    name: "a direct method brings a module's answer back",
    async run({ registry }) {
      await registry.createModuleWithSas(DEVICE, MODULE);
      const result = await registry.invokeDeviceModuleMethod(DEVICE, MODULE, { methodName: "echo", payload: 1 });
      expectEqual(result, { status: 200, payload: 1 });
    },
  },
  {
    name: "a direct method to a device that is not there fails as such",
    async run({ registry }) {
      await registry.createDeviceWithSas("offline");
      const call = registry.invokeDeviceMethod("offline", { methodName: "echo" });
      await expectRejection(call, { name: "IoTHubError", code: "DeviceNotOnline", statusCode: 404 });
      await registry.deleteDevice("offline");
    },
  },
];
