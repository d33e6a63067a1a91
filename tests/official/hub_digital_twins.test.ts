import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Json } from "../support/rest_caller.ts";
import { SdkAtHub } from "../support/sdk_at_hub.ts";
import { describeSdk } from "../support/sdk_runtime.ts";

const MODEL = "dtmi:com:example:TemperatureController;2";

describeSdk(
  "scenarios of the SDK's DigitalTwinClient",
  () =>
    describe("The SDK's DigitalTwinClient at the local hub", () => {
      let sdk: SdkAtHub;
      let client: Json;
      before(async () => {
        sdk = await SdkAtHub.start();
        client = sdk.digitalTwins();
        await sdk.registry().create({ deviceId: "d" });
        const device = sdk.hub.device("d", { modelId: MODEL });
        await device.updateReportedProperties({ serial: "A1", thermostat1: { __t: "c", max: 25 } });
      });
      after(() => sdk[Symbol.asyncDispose]());

      /** The status that a call fails with. */
      const statusOf = async (call: Promise<unknown>): Promise<number> =>
        await call.then(() => assert.fail("it has not failed"), (error: Json) => error.statusCode);

      test("reads a digital twin", async () => {
        const twin = await client.getDigitalTwin("d");
        assert.deepEqual([twin.$dtId, twin.serial, twin.thermostat1.max], ["d", "A1", 25]);
        assert.equal(twin.$metadata.$model, MODEL);
        assert.match(twin._response.headers.get("etag"), /^"[A-Za-z0-9+/]+=*"$/);
        assert.equal(await statusOf(client.getDigitalTwin("none")), 404);
      });

      test("patches it, when it has the etag", async () => {
        const etag = (await client.getDigitalTwin("d"))._response.headers.get("etag");
        const patch = [
          { op: "add", path: "/interval", value: 5 },
          { op: "add", path: "/thermostat1/target", value: 21 },
        ];
        await client.updateDigitalTwin("d", patch, etag);
        const { interval, thermostat1 } = sdk.hub.device("d").twin.desired as Json;
        assert.deepEqual([interval, thermostat1], [5, { __t: "c", target: 21 }]);
        assert.equal(await statusOf(client.updateDigitalTwin("d", patch, etag)), 412);
        assert.equal(await statusOf(client.updateDigitalTwin("d", [{ op: "remove", path: "/none" }])), 400);
      });

      test("calls commands of the root and of a component", async () => {
        sdk.hub.device("d").onMethod((payload, name) => ({ status: 201, payload: { name, payload } }));
        const root = await client.invokeCommand("d", "reboot", { in: 5 });
        assert.deepEqual(root._response.parsedBody, { name: "reboot", payload: { in: 5 } });
        assert.equal(root.xMsCommandStatuscode, 201);
        const options = { connectTimeoutInSeconds: 5, responseTimeoutInSeconds: 10 };
        const report = await client.invokeComponentCommand("d", "thermostat1", "getReport", "2026", options);
        assert.deepEqual(report._response.parsedBody, { name: "thermostat1*getReport", payload: "2026" });
        await sdk.registry().create({ deviceId: "offline" });
        assert.equal(await statusOf(client.invokeCommand("offline", "reboot", {})), 404);
      });
    }),
);
