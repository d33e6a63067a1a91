import type { Check } from "./check.ts";
import { expectEqual } from "./expect.ts";

const IDS = Array.from({ length: 25 }, (_, index) => `bulk-${String(index).padStart(2, "0")}`);
const QUERY = "SELECT deviceId FROM devices WHERE tags.batch = 'b1'";

/** Bulk requests, and queries over what they made. */
export const QUERY_CHECKS: readonly Check[] = [
  {
    name: "a bulk request creates devices, and tells which it could not",
    async run({ registry }) {
      const devices = IDS.map((id) => ({ id, importMode: "create" as const, tags: { batch: "b1" } }));
      expectEqual(await registry.bulkCreateOrUpdateDevices(devices), { isSuccessful: true, errors: [], warnings: [] });
      const again = await registry.bulkCreateOrUpdateDevices(devices.slice(0, 2));
      expectEqual([again.isSuccessful, again.errors.length, again.errors[0]?.errorCode], [
        false,
        2,
        "DeviceAlreadyExists",
      ]);
    },
  },
  {
    name: "a query is read page by page with tokens",
    async run({ registry }) {
      const sizes: number[] = [];
      let continuationToken: string | undefined;
      do {
        const page = await registry.queryIotHub(QUERY, { maxItemCount: 10, continuationToken });
        sizes.push(page.items.length);
        continuationToken = page.continuationToken;
      } while (continuationToken !== undefined);
      expectEqual(sizes, [10, 10, 5]);
    },
  },
  {
    name: "a query is read row by row and by pages with for await",
    async run({ registry }) {
      const found: string[] = [];
      const rows = registry.query<{ deviceId: string }>(QUERY, { maxItemCount: 7 });
      for await (const { deviceId } of rows) found.push(deviceId);
      expectEqual(found.sort(), IDS);
      const sizes: number[] = [];
      for await (const { items } of registry.query(QUERY).byPage({ maxPageSize: 20 })) sizes.push(items.length);
      expectEqual(sizes, [20, 5]);
      for await (const { deviceId } of registry.query(QUERY, { maxItemCount: 2 })) {
        if (deviceId !== undefined) break; // leaving early must not hang
      }
    },
  },
  {
    name: "many calls at once are all answered",
    async run({ registry }) {
      expectEqual((await registry.purgeC2dMessages(IDS[0]!)).totalMessagesPurged, 0);
      const twins = await Promise.all(IDS.map((id) => registry.getTwin(id)));
      expectEqual(twins.map(({ deviceId }) => deviceId), IDS);
      await Promise.all(IDS.map((id) => registry.deleteDevice(id)));
      expectEqual((await registry.getDeviceRegistryStatistics()).totalDeviceCount, 0);
    },
  },
];
