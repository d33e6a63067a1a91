import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { LocalBlobContainer } from "../../lib/local/mod.ts";
import type { Json } from "../support/rest_caller.ts";
import { failureOf, SdkAtHub } from "../support/sdk_at_hub.ts";
import { describeSdk } from "../support/sdk_runtime.ts";

describeSdk(
  "scenarios of the SDK's imports and exports",
  () =>
    describe("The SDK's Registry at the local hub, for imports and exports,", () => {
      let sdk: SdkAtHub;
      let registry: Json;
      let container: LocalBlobContainer;
      before(async () => {
        sdk = await SdkAtHub.start();
        registry = sdk.registry();
        container = sdk.hub.blobContainer("backup");
      });
      after(() => sdk[Symbol.asyncDispose]());

      const bodyOf = async (call: Promise<Json>): Promise<Json> => (await call).responseBody;

      /** Waits for a job. @returns the job as it is then */
      async function end(call: Promise<Json>): Promise<Json> {
        const { jobId, status } = await call;
        assert.equal(status, "enqueued");
        await sdk.hub.settled();
        return await registry.getJob(jobId);
      }

      function linesOf(blob: string): Json[] {
        const lines = new TextDecoder().decode(container.read(blob)).split("\n");
        return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
      }

      test("exports with keys and without", async () => {
        const { authentication } = await bodyOf(registry.create({ deviceId: "exported" }));
        assert.equal((await end(registry.exportDevicesToBlob(container.url, false))).status, "completed");
        const [line] = linesOf("devices.txt");
        assert.deepEqual([line.id, line.authentication], ["exported", authentication]);
        assert.equal((await end(registry.exportDevicesToBlob(container.url, true))).excludeKeysInExport, true);
        assert.equal(linesOf("devices.txt")[0].authentication.symmetricKey.primaryKey, null);
      });

      test("imports, and finds in the log what failed", async () => {
        container.write(
          "devices.txt",
          '{"id":"imported","status":"disabled"}\n{"id":"no","status":"enabled","importMode":"update"}',
        );
        const job = await end(registry.importDevicesFromBlob(container.url, container.url));
        assert.deepEqual([job.type, job.status, job.progress], ["import", "completed", 100]);
        assert.equal((await bodyOf(registry.get("imported"))).status, "disabled");
        assert.deepEqual(linesOf("importErrors.log").map(({ errorCode }) => errorCode), [404001]);
      });

      test("exports and imports with an identity of the hub's", async () => {
        const [address] = container.url.split("?");
        const job = await end(registry.exportDevicesToBlobByIdentity(address, false));
        assert.deepEqual([job.status, job.storageAuthenticationType], ["completed", "identityBased"]);
        const imported = await end(registry.importDevicesFromBlobByIdentity(address, address, "/identities/i"));
        assert.deepEqual([imported.status, imported.identity], ["completed", {
          userAssignedIdentity: "/identities/i",
        }]);
      });

      test("lists and cancels jobs", async () => {
        const { jobId } = await registry.exportDevicesToBlob(container.url, false);
        const listed: Json[] = await bodyOf(registry.listJobs());
        assert.ok(listed.some((job) => job.jobId === jobId));
        await sdk.hub.settled();
        assert.deepEqual(await failureOf(registry.cancelJob(jobId)), ["Error", 405]);
      });

      test("is refused a container without a signature, and a job that does not exist", async () => {
        const [address] = container.url.split("?");
        assert.deepEqual(await failureOf(registry.exportDevicesToBlob(address, false)), ["ArgumentError", 400]);
        assert.deepEqual((await failureOf(registry.getJob("none")))[1], 404);
      });
    }),
);
