import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { IoTHubRegistryManager } from "../../mod.ts";
import { LocalHub } from "../../lib/local/mod.ts";

const LAG = 2000;

/** A hub whose clock goes when it is told to, and what it takes to ask it. */
function setup(queryLagInMs?: number) {
  const clock = { now: Date.UTC(2026, 0, 1) };
  const hub = new LocalHub({ now: () => clock.now, clockSkewInSeconds: 1e9, ...(queryLagInMs && { queryLagInMs }) });
  const registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  const ask = async (query: string): Promise<unknown[]> => (await registry.queryIotHub<unknown>(query)).items;
  const close = async (): Promise<void> => {
    await registry.close();
    await hub.close();
  };
  return { clock, hub, registry, ask, [Symbol.asyncDispose]: close };
}

describe("a query of a hub that lags behind", () => {
  test("finds a new device only some time after reads find it", async () => {
    await using scene = setup(LAG);
    const { clock, registry, ask } = scene;
    await registry.createDeviceWithSas("new");
    assert.equal((await registry.getTwin("new")).deviceId, "new");
    assert.deepEqual(await ask("SELECT deviceId FROM devices"), []);
    clock.now += LAG - 1;
    assert.deepEqual(await ask("SELECT COUNT() AS n FROM devices"), [{ n: 0 }]);
    clock.now += 1;
    assert.deepEqual(await ask("SELECT deviceId FROM devices"), [{ deviceId: "new" }]);
  });

  test("sees what a twin was, and who was connected", async () => {
    await using scene = setup(LAG);
    const { clock, hub, registry, ask } = scene;
    await registry.createDeviceWithSas("d");
    clock.now += LAG;
    await registry.updateTwin("d", { tags: { site: "oslo" } });
    hub.device("d").connect();
    const text = "SELECT deviceId, connectionState FROM devices WHERE NOT IS_DEFINED(tags.site)";
    assert.deepEqual(await ask(text), [{ deviceId: "d", connectionState: "Disconnected" }]);
    clock.now += LAG;
    assert.deepEqual(await ask(text), []);
    assert.deepEqual(await ask("SELECT connectionState FROM devices WHERE tags.site = 'oslo'"), [
      { connectionState: "Connected" },
    ]);
  });

  test("still counts a device that was deleted, and takes it for another one that came after it", async () => {
    await using scene = setup(LAG);
    const { clock, registry, ask } = scene;
    await registry.createDeviceWithSas("d");
    clock.now += LAG;
    await registry.deleteDevice("d");
    await assert.rejects(registry.getTwin("d"), { code: "DeviceNotFound" });
    assert.deepEqual(await ask("SELECT COUNT() AS n FROM devices"), [{ n: 1 }]);
    await registry.createDeviceWithSas("d", { status: "disabled" });
    assert.deepEqual(await ask("SELECT status FROM devices"), [{ status: "enabled" }]);
    clock.now += LAG;
    assert.deepEqual(await ask("SELECT status FROM devices"), [{ status: "disabled" }]);
  });

  test("goes on in the right place while the replica catches up between pages", async () => {
    await using scene = setup(LAG);
    const { clock, registry } = scene;
    for (const id of ["a", "b", "c"]) await registry.createDeviceWithSas(id);
    clock.now += LAG;
    await registry.deleteDevice("c");
    await registry.createDeviceWithSas("d");
    const seen: string[] = [];
    for await (const { items } of registry.query("SELECT * FROM devices").byPage({ maxPageSize: 2 })) {
      seen.push(...items.map(({ deviceId }) => deviceId!));
      clock.now += LAG;
    }
    assert.deepEqual(seen, ["a", "b", "d"]);
  });
});

test("a query of a hub that does not lag behind sees a write at once", async () => {
  await using scene = setup();
  await scene.registry.createDeviceWithSas("new");
  assert.deepEqual(await scene.ask("SELECT deviceId FROM devices"), [{ deviceId: "new" }]);
});
