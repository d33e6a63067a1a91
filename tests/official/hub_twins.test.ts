import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Json } from "../support/rest_caller.ts";
import { failureOf, SdkAtHub } from "../support/sdk_at_hub.ts";
import { describeSdk } from "../support/sdk_runtime.ts";

/** A section of a twin without what the hub adds. */
function content(section: Json): Json {
  return Object.fromEntries(Object.entries(section).filter(([name]) => !name.startsWith("$")));
}

describeSdk("scenarios of the SDK's twins, queries and methods", () => {
  let sdk: SdkAtHub;
  let registry: Json;
  before(async () => {
    sdk = await SdkAtHub.start();
    registry = sdk.registry();
  });
  after(() => sdk[Symbol.asyncDispose]());

  /** Makes a device of a test's own, and reads its twin. */
  async function twinOf(deviceId: string): Promise<Json> {
    await registry.create({ deviceId });
    return (await registry.getTwin(deviceId)).responseBody;
  }

  describe("The SDK's twins at the local hub", () => {
    test("are there with their devices, empty and enabled", async () => {
      const twin = await twinOf("new");
      assert.deepEqual([twin.deviceId, twin.status, twin.tags, twin.authenticationType], ["new", "enabled", {}, "sas"]);
      assert.deepEqual([content(twin.properties.desired), content(twin.properties.reported)], [{}, {}]);
      assert.ok(twin.etag);
    });

    test("merge what they are updated with, level by level, and null takes away", async () => {
      const twin = await twinOf("merged");
      await twin.update({ tags: { site: "Köln", floor: { number: 3, wing: "west" } } });
      await twin.update({
        tags: { floor: { wing: null } },
        properties: { desired: { interval: 0, list: [1, "two", { three: 3 }], "レ": "🌡" } },
      });
      const { tags, properties } = (await registry.getTwin("merged")).responseBody;
      assert.deepEqual(tags, { site: "Köln", floor: { number: 3 } });
      assert.deepEqual(content(properties.desired), { interval: 0, list: [1, "two", { three: 3 }], "レ": "🌡" });
      assert.equal(properties.desired.$version, 2);
    });

    test("know their own etag, and are not updated when it is old", async () => {
      const twin = await twinOf("stale");
      const other = (await registry.getTwin("stale")).responseBody;
      await other.update({ tags: { first: true } });
      assert.deepEqual(await failureOf(twin.update({ tags: { second: true } })), ["InvalidEtagError", 412]);
      await twin.get();
      await twin.update({ tags: { second: true } });
      assert.deepEqual(twin.tags, { first: true, second: true });
    });

    test("are updated whatever their etag, by a star", async () => {
      await twinOf("starred");
      const { responseBody } = await registry.updateTwin("starred", { tags: { a: 1 } }, "*");
      assert.deepEqual(responseBody.tags, { a: 1 });
    });

    test("are there for modules", async () => {
      await twinOf("with-module");
      await registry.addModule({ deviceId: "with-module", moduleId: "m" });
      const twin = (await registry.getModuleTwin("with-module", "m")).responseBody;
      assert.deepEqual([twin.deviceId, twin.moduleId], ["with-module", "m"]);
      await twin.update({ properties: { desired: { of: "the module" } } });
      const read = (await registry.getModuleTwin("with-module", "m")).responseBody;
      assert.deepEqual(content(read.properties.desired), { of: "the module" });
    });

    test("tell the device what is desired, and the service what is reported", async () => {
      const twin = await twinOf("talking");
      const device = sdk.hub.device("talking");
      const desired = new Promise((resolve) => device.onDesiredProperties(resolve));
      await twin.update({ properties: { desired: { interval: 5 } } });
      assert.deepEqual(content(await desired), { interval: 5 });
      await device.updateReportedProperties({ interval: 5, since: "now" });
      await twin.get();
      assert.deepEqual(content(twin.properties.reported), { interval: 5, since: "now" });
    });

    test("of nobody are not found", async () => {
      assert.deepEqual(await failureOf(registry.getTwin("nobody")), ["DeviceNotFoundError", 404]);
      assert.deepEqual(await failureOf(registry.updateTwin("nobody", { tags: {} }, "*")), ["DeviceNotFoundError", 404]);
    });

    test("are not updated with keys that are not legal", async () => {
      const twin = await twinOf("illegal");
      for (const tags of [{ "a.b": 1 }, { $a: 1 }, { "a b": 1 }, { a: "x".repeat(4097) }]) {
        assert.deepEqual(await failureOf(twin.update({ tags })), ["ArgumentError", 400], JSON.stringify(tags));
      }
    });
  });

  describe("The SDK's queries at the local hub", () => {
    const ids = Array.from({ length: 7 }, (_, index) => `queried-${index}`);
    before(async () => {
      await Promise.all(ids.map(async (id, index) => {
        const twin = await twinOf(id);
        await twin.update({ tags: { fleet: "queried", parity: index % 2 }, properties: { desired: { index } } });
      }));
    });

    /** All rows of a query, page by page. */
    async function rowsOf(text: string, pageSize?: number): Promise<{ rows: Json[]; pages: number }> {
      const query = registry.createQuery(text, pageSize);
      const rows: Json[] = [];
      let pages = 0;
      for (; query.hasMoreResults; pages++) rows.push(...(await query.nextAsTwin()).result);
      return { rows, pages };
    }

    test("find twins, page by page", async () => {
      const { rows, pages } = await rowsOf("SELECT * FROM devices WHERE tags.fleet = 'queried'", 3);
      assert.deepEqual(rows.map(({ deviceId }) => deviceId).sort(), ids);
      assert.equal(pages, 3);
    });

    test("find twins that can be updated", async () => {
      const { rows } = await rowsOf("SELECT * FROM devices WHERE deviceId = 'queried-0'");
      await rows[0].update({ tags: { found: true } });
      assert.equal((await registry.getTwin("queried-0")).responseBody.tags.found, true);
    });

    test("compare properties, and combine conditions", async () => {
      const text = "SELECT * FROM devices WHERE tags.fleet = 'queried' AND properties.desired.index >= 2 " +
        "AND NOT tags.parity = 1";
      const { rows } = await rowsOf(text);
      assert.deepEqual(rows.map(({ deviceId }) => deviceId).sort(), ["queried-2", "queried-4", "queried-6"]);
    });

    test("count by group, as raw rows", async () => {
      const query = registry.createQuery(
        "SELECT tags.parity, COUNT() AS number FROM devices WHERE tags.fleet = 'queried' GROUP BY tags.parity",
      );
      const { result } = await query.next();
      assert.deepEqual(
        result.map(({ parity, number }: Json) => [parity, number]).sort(),
        [[0, 4], [1, 3]],
      );
    });

    test("that are none are refused", async () => {
      for (const text of ["SELECT", "SELECT * FROM nowhere", "SELECT * FROM devices WHERE"]) {
        assert.deepEqual(await failureOf(registry.createQuery(text).nextAsTwin()), ["ArgumentError", 400], text);
      }
    });

    test("of jobs find none where there is none", async () => {
      assert.deepEqual((await registry.createQuery("SELECT * FROM devices.jobs").next()).result, []);
    });
  });

  describe("The SDK's direct methods at the local hub", () => {
    let client: Json;
    before(async () => {
      client = sdk.client();
      await twinOf("answering");
      await registry.addModule({ deviceId: "answering", moduleId: "m" });
      const device = sdk.hub.device("answering");
      device.onMethod("echo", (payload) => ({ status: 200, payload }));
      device.onMethod("fail", () => ({ status: 418, payload: { reason: "a teapot" } }));
      device.onMethod("wait", () => new Promise(() => {}));
      device.module("m").onMethod("echo", (payload) => ({ status: 201, payload }));
    });

    for (const payload of [{ delay: 0, where: ["Köln", null] }, [1, 2], "text", 0, false, "", null]) {
      test(`carry ${JSON.stringify(payload)} to the device and back`, async () => {
        const { result } = await client.invokeDeviceMethod("answering", { methodName: "echo", payload });
        assert.deepEqual(result, { status: 200, payload });
      });
    }

    test("are answered by a module", async () => {
      const { result } = await client.invokeDeviceMethod("answering", "m", { methodName: "echo", payload: 1 });
      assert.deepEqual(result, { status: 201, payload: 1 });
    });

    test("give the status that the device has answered, whatever it is", async () => {
      const { result } = await client.invokeDeviceMethod("answering", { methodName: "fail" });
      assert.deepEqual(result, { status: 418, payload: { reason: "a teapot" } });
    });

    test("end when the device does not answer in time", async () => {
      const call = client.invokeDeviceMethod("answering", { methodName: "wait", responseTimeoutInSeconds: 5 });
      assert.deepEqual(await failureOf(call), ["GatewayTimeoutError", 504]);
    });

    test("are refused when nobody can answer", async () => {
      await twinOf("offline");
      for (const deviceId of ["offline", "nobody"]) {
        assert.equal((await failureOf(client.invokeDeviceMethod(deviceId, { methodName: "echo" })))[1], 404);
      }
    });
  });
});
