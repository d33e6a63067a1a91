import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Json } from "../support/rest_caller.ts";
import { failureOf, SdkAtHub } from "../support/sdk_at_hub.ts";
import { describeSdk } from "../support/sdk_runtime.ts";

describeSdk(
  "scenarios of the SDK's Registry with configurations",
  () =>
    describe("The SDK's Registry at the local hub", () => {
      let sdk: SdkAtHub;
      let registry: Json;
      before(async () => {
        sdk = await SdkAtHub.start();
        registry = sdk.registry();
      });
      after(() => sdk[Symbol.asyncDispose]());

      for (const kind of ["deviceContent", "moduleContent"]) {
        test(`adds, finds, updates and removes configurations with ${kind}`, async () => {
          const content = { [kind]: { "properties.desired": { prop1: "foo" } } };
          const configuration = { id: `e2e_${kind.toLowerCase()}`, content, targetCondition: "", priority: 20 };
          const get = async (): Promise<Json> => (await registry.getConfiguration(configuration.id)).responseBody;
          await registry.addConfiguration(configuration);
          assert.deepEqual((await get()).content, content);
          const all = (await registry.getConfigurations()).responseBody;
          assert.deepEqual(all.map(({ id, content }: Json) => [id, content]), [[configuration.id, content]]);

          await registry.updateConfiguration({ ...await get(), priority: 99 });
          assert.equal((await get()).priority, 99);
          await registry.updateConfiguration({ ...configuration, priority: 5 }, true);
          assert.equal((await get()).priority, 5);
          const stale = registry.updateConfiguration({ ...configuration, etag: "MQ==" });
          assert.deepEqual(await failureOf(stale), ["InvalidEtagError", 412]);
          assert.deepEqual((await failureOf(registry.addConfiguration(configuration)))[1], 409);

          await registry.removeConfiguration(configuration.id);
          assert.equal((await failureOf(get()))[1], 404);
        });
      }

      test("sees a configuration applied to the devices that it is meant for", async () => {
        await registry.create({ deviceId: "d" });
        const id = "eco";
        const content = { deviceContent: { "properties.desired.mode": "eco" } };
        const metrics = { queries: { eco: "SELECT deviceId FROM devices WHERE properties.desired.mode = 'eco'" } };
        await registry.addConfiguration({ id, content, metrics, targetCondition: "*", priority: 1 });
        await sdk.hub.settled();
        const twin = (await registry.getTwin("d")).responseBody;
        assert.equal(twin.properties.desired.mode, "eco");
        const { systemMetrics, metrics: { results } } = (await registry.getConfiguration(id)).responseBody;
        assert.deepEqual(systemMetrics.results, { targetedCount: 1, appliedCount: 1 });
        assert.deepEqual(results, { eco: 1 });
        const invalid = registry.addConfiguration({ id: "bad", content, targetCondition: "status = 'enabled'" });
        assert.equal((await failureOf(invalid))[1], 400);
      });

      test("applies content to an edge device, and to no other", async () => {
        await registry.create({ deviceId: "edge", capabilities: { iotEdge: true } });
        const modulesContent = {
          $edgeAgent: { "properties.desired": { modules: { sensor: { type: "docker" } } } },
          $edgeHub: { "properties.desired": { routes: {} } },
          sensor: { "properties.desired": { interval: 5 } },
        };
        await registry.applyConfigurationContentOnDevice("edge", { modulesContent });
        const { desired } = (await registry.getModuleTwin("edge", "sensor")).responseBody.properties;
        assert.equal(desired.interval, 5);
        const plain = registry.applyConfigurationContentOnDevice("d", { modulesContent });
        assert.deepEqual(await failureOf(plain), ["ArgumentError", 400]);
      });
    }),
);
