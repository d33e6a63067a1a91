import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Json } from "../support/rest_caller.ts";
import { failureOf, SdkAtHub } from "../support/sdk_at_hub.ts";
import { describeSdk } from "../support/sdk_runtime.ts";

describeSdk(
  "scenarios of the SDK's JobClient",
  () =>
    describe("The SDK's JobClient at the local hub", () => {
      let sdk: SdkAtHub;
      let jobs: Json;
      before(async () => {
        sdk = await SdkAtHub.start();
        jobs = sdk.jobs();
        await sdk.registry().create({ deviceId: "d" });
      });
      after(() => sdk[Symbol.asyncDispose]());

      const jobOf = async (call: Promise<Json>): Promise<Json> => (await call).jobStatus;

      /** Waits for a job. @returns the job as it is then */
      async function end(call: Promise<Json>): Promise<Json> {
        const { jobId, status } = await jobOf(call);
        assert.equal(status, "queued");
        await sdk.hub.settled();
        return await jobOf(jobs.getJob(jobId));
      }

      const patch = { etag: "*", tags: { key: "value" }, properties: { desired: {}, reported: {} } };

      test("updates the twins that a condition finds", async () => {
        const job = await end(jobs.scheduleTwinUpdate("twins", "deviceId = 'd'", patch, new Date(), 120));
        assert.deepEqual([job.status, job.deviceJobStatistics.succeededCount], ["completed", 1]);
        const { responseBody: twin } = await sdk.registry().getTwin("d");
        assert.deepEqual(twin.tags, { key: "value" });
      });

      test("calls methods", async () => {
        const payloads: unknown[] = [];
        sdk.hub.device("d").onMethod("reboot", (payload) => {
          payloads.push(payload);
          return { status: 200, payload: "done" };
        });
        const method = { methodName: "reboot", payload: { in: 5 } };
        const job = await end(jobs.scheduleDeviceMethod("method", "deviceId = 'd'", method, new Date(), 120));
        assert.deepEqual([job.status, job.type, job.deviceJobStatistics.succeededCount], [
          "completed",
          "scheduleDeviceMethod",
          1,
        ]);
        assert.deepEqual(payloads, [{ in: 5 }]);
        const query = sdk.registry().createQuery("SELECT * FROM devices.jobs WHERE jobId = 'method'");
        const { result: [row] } = await query.next();
        assert.deepEqual([row.deviceId, row.outcome.deviceMethodResponse.payload], ["d", "done"]);
      });

      test("cancels a job that waits for its time, and no other", async () => {
        const soon = new Date(Date.now() + 3_600_000);
        const created = await jobOf(jobs.scheduleTwinUpdate("later", "*", patch, soon, 120));
        assert.deepEqual([created.jobId, created.status], ["later", "queued"]);
        assert.equal((await jobOf(jobs.getJob("later"))).status, "scheduled");
        assert.equal((await jobOf(jobs.cancelJob("later"))).status, "cancelled");
        assert.equal((await jobOf(jobs.getJob("later"))).status, "cancelled");
        assert.deepEqual(await failureOf(jobs.cancelJob("later")), ["Error", 405]);
      });

      test("lists jobs page by page", async () => {
        for (const id of ["l1", "l2", "l3"]) await end(jobs.scheduleTwinUpdate(id, "*", patch, new Date(), 120));
        const query = jobs.createQuery("scheduleUpdateTwin", "completed", 2);
        const ids: string[] = [];
        let pages = 0;
        while (query.hasMoreResults) {
          // Without the token, the SDK's promises begin anew each time.
          const { result } = await query.next(query.continuationToken);
          pages++;
          for (const { jobId } of result) ids.push(jobId);
        }
        assert.deepEqual(ids.filter((id) => id.startsWith("l")), ["l1", "l2", "l3"]);
        assert.equal(pages, Math.ceil(ids.length / 2));
      });

      test("is refused a job that is there already, and a time too far ahead", async () => {
        await end(jobs.scheduleTwinUpdate("once", "*", patch, new Date(), 120));
        assert.equal((await failureOf(jobs.scheduleTwinUpdate("once", "*", patch, new Date(), 120)))[1], 409);
        const far = new Date(Date.now() + 8 * 24 * 3_600_000);
        assert.deepEqual(await failureOf(jobs.scheduleTwinUpdate("far", "*", patch, far, 120)), ["ArgumentError", 400]);
        assert.equal((await jobOf(jobs.getJob("none"))).status, "unknown");
      });
    }),
);
