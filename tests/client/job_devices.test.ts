import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import { IoTHubJobManager, IoTHubRegistryManager } from "../../mod.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { collectGarbage } from "../support/garbage.ts";

const COUNT = 10_000;
const FAILING = 300;
const BATCH = 100;
/** Far less than 8,000 devices are, and more than the test keeps of them, their ids. */
const MAX_GROWTH_IN_BYTES = 2 * 1024 * 1024;

/** Each batch has its share of devices that are not connected, and fail. */
function fails(deviceId: string): boolean {
  return Number(deviceId.slice(1)) % BATCH < BATCH * FAILING / COUNT;
}

describe("a job over 10,000 devices, 3 % of which fail,", () => {
  test("counts exactly, and lists each device once while others come and go", async () => {
    await using hub = new LocalHub();
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    await using jobs = IoTHubJobManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    const ids = Array.from({ length: COUNT }, (_, index) => `d${index}`);
    for (let at = 0; at < COUNT; at += BATCH) {
      const batch = ids.slice(at, at + BATCH);
      await registry.bulkCreateOrUpdateDevices(batch.map((id) => ({ id, importMode: "create" })));
    }
    for (const id of ids.filter((id) => !fails(id))) hub.device(id).onMethod("m", () => ({ status: 200, payload: id }));
    await jobs.scheduleDeviceMethod("fleet", { method: { methodName: "m" } });
    const job = await jobs.waitForJob("fleet", { pollIntervalInMs: 20 });
    assert.equal(job.status, "completed");
    assert.deepEqual("deviceJobStatistics" in job && job.deviceJobStatistics, {
      deviceCount: COUNT,
      succeededCount: COUNT - FAILING,
      failedCount: FAILING,
      runningCount: 0,
      pendingCount: 0,
    });

    const seen = new Set<string>();
    const counts = { completed: 0, failed: 0 };
    const heaps: number[] = [];
    let pages = 0;
    for await (const { items } of jobs.jobDevices("fleet", { maxItemCount: BATCH }).byPage()) {
      for (const { deviceId, status, outcome, error } of items) {
        assert.ok(!seen.has(deviceId), `${deviceId} is there twice`);
        seen.add(deviceId);
        assert.ok(status === "completed" || status === "failed");
        counts[status]++;
        assert.equal(status === "failed", fails(deviceId), deviceId);
        assert.equal(error?.code, fails(deviceId) ? "DeviceNotOnline" : undefined);
        assert.equal(outcome?.deviceMethodResponse?.payload, fails(deviceId) ? undefined : deviceId);
      }
      // One that has been listed goes, one that has not does too, and one comes back that the job had nothing to do with.
      const [first, last] = [ids[pages * BATCH / 2]!, ids[COUNT - 1 - pages * BATCH / 2]!];
      await Promise.all([registry.deleteDevice(first), registry.deleteDevice(last)]);
      await registry.createDeviceWithSas(pages % 2 === 0 ? first : `new-${pages}`);
      if (pages === 10 || pages === 90) {
        collectGarbage();
        heaps.push(process.memoryUsage().heapUsed);
      }
      pages++;
    }
    assert.deepEqual([pages, counts], [COUNT / BATCH, { completed: COUNT - FAILING, failed: FAILING }]);
    assert.deepEqual([...seen].sort(), [...ids].sort());
    const growth = heaps[1]! - heaps[0]!;
    assert.ok(growth < MAX_GROWTH_IN_BYTES, `from page 10 to 90 the heap has grown by ${growth} bytes`);
  });
});
