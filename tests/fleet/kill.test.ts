import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { LocalHub } from "../../lib/local/mod.ts";
import { IoTHubRegistryManager } from "../../mod.ts";
import { fleetEntries, keysOf, type KilledOperation, runProgram, type ToldOutcome } from "../support/killed_fleet.ts";
import { seededRandom } from "../support/random.ts";
import { SEED } from "../support/seed.ts";
import { sized } from "../support/test_size.ts";

const PROGRAM = fileURLToPath(new URL("../support/fleet_user.ts", import.meta.url));
const DEVICES = sized(400, 20_000);
/** How often each operation is killed: twenty times in all, or once each for a sample of them. */
const KILLS = sized(1, 4);
const OPERATIONS: readonly KilledOperation[] = sized(1, 0) === 1
  ? ["create", "call"]
  : ["create", "tag", "swap", "call", "delete"];

test("a run that is killed at any moment goes on where it was", { timeout: sized(60_000, 3_600_000) }, async () => {
  const random = seededRandom(SEED);
  await using hub = new LocalHub();
  const { http: endpoint } = await hub.listen({ http: 0 });
  await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  const folder = await mkdtemp(join(tmpdir(), "fleet-"));
  const calls = new Map<string, number>();
  try {
    for (const operation of OPERATIONS) {
      const keysBefore = operation === "swap" ? await readKeys(registry) : undefined;
      if (operation === "call") {
        for (const { id } of fleetEntries(DEVICES)) {
          hub.device(id).onMethod("count", () => {
            calls.set(id, (calls.get(id) ?? 0) + 1);
            return { status: 200 };
          });
        }
      }
      const journal = join(folder, operation);
      const env = {
        ENDPOINT: endpoint!,
        CONNECTION_STRING: hub.connectionString,
        OPERATION: operation,
        COUNT: String(DEVICES),
        JOURNAL: journal,
      };
      const killed: ToldOutcome[][] = [];
      for (let kill = 0; kill < KILLS; kill++) {
        // What was skipped is told first, so that each run gets further than the one before.
        killed.push(await runProgram(PROGRAM, env, Math.floor((kill + random()) * DEVICES / KILLS)));
      }
      const last = await runProgram(PROGRAM, env);
      const what = `${operation}, TEST_SEED=${SEED}, killed after ${killed.map(({ length }) => length)}`;
      assert.deepEqual(new Set(last.map(([id]) => id)), new Set(fleetEntries(DEVICES).map(({ id }) => id)), what);
      assert.equal(last.length, DEVICES, what);
      assert.deepEqual(last.filter(([, status]) => status === "failed"), [], what);
      const told = [...killed.flat(), ...last];
      const text = await readFile(journal, "utf8");
      if (operation === "create") {
        const keys = await readKeys(registry);
        assert.equal(keys.size, DEVICES, what);
        for (const [id, status, primaryKey] of told) {
          if (status === "done") assert.equal(keys.get(id)?.primaryKey, primaryKey, `${id}: ${what}`);
          else assert.equal(status, "skipped", what);
        }
        assert.deepEqual(new Set(told.filter(([, status]) => status === "done").map(([id]) => id)).size, DEVICES, what);
        for (let index = 1; index < DEVICES; index += 2) {
          assert.equal(keys.get(`device-${index}`)?.primaryKey, keysOf(index).primaryKey, what);
        }
        assert.ok(!text.includes(keysOf(1).primaryKey));
      }
      if (operation === "tag") {
        for await (const { deviceId, tags } of registry.query("SELECT * FROM devices")) {
          assert.equal((tags as Record<string, unknown>)["deviceId"], deviceId, what);
        }
      }
      if (operation === "swap") {
        const keys = await readKeys(registry);
        for (const [id, { primaryKey, secondaryKey }] of keysBefore!) {
          assert.deepEqual(keys.get(id), { primaryKey: secondaryKey, secondaryKey: primaryKey }, `${id}: ${what}`);
        }
      }
      if (operation === "call") {
        for (const [id, status] of last) {
          const count = calls.get(id) ?? 0;
          assert.ok(count <= 1, `${id} was called ${count} times: ${what}`);
          if (status !== "unknown") assert.equal(count, 1, `${id} ${status}: ${what}`);
        }
        assert.ok(last.filter(([, status]) => status === "unknown").length <= KILLS * 100, what);
      }
      if (operation === "delete") {
        assert.equal((await registry.getDeviceRegistryStatistics()).totalDeviceCount, 0, what);
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

async function readKeys(
  registry: IoTHubRegistryManager,
): Promise<Map<string, { primaryKey: string; secondaryKey: string }>> {
  const keys = new Map<string, { primaryKey: string; secondaryKey: string }>();
  for (const { id } of fleetEntries(DEVICES)) {
    const { primaryKey, secondaryKey } = (await registry.getDevice(id)).authentication!.symmetricKey!;
    keys.set(id, { primaryKey: primaryKey!, secondaryKey: secondaryKey! });
  }
  return keys;
}
