import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DeviceRecord } from "../../lib/local/records/identity_records.ts";
import type { IdentityStore, NewDevice } from "../../lib/local/records/identity_store.ts";
import { MemoryIdentityStore } from "../../lib/local/records/memory_identity_store.ts";
import { newIdentity } from "../../lib/local/identities/new_identity.ts";
import { NO_AUTHENTICATION } from "../../lib/local/identities/authentication_block.ts";

const NOW = Date.UTC(2026, 0, 1);

/** Whatever is to take the place of one store has to pass what the others pass. */
const STORES: [name: string, make: () => IdentityStore][] = [["in memory", () => new MemoryIdentityStore()]];

function newDevice(store: IdentityStore, deviceId: string, members: Partial<NewDevice> = {}): NewDevice {
  return {
    ...newIdentity("2026-01-01T00:00:00Z"),
    deviceId,
    generationId: store.newGenerationId(NOW),
    authentication: NO_AUTHENTICATION,
    parent: undefined,
    ownScope: undefined,
    status: "enabled",
    statusReason: null,
    statusUpdatedTime: 0,
    ...members,
  };
}

function addModule(store: IdentityStore, device: DeviceRecord, moduleId: string) {
  const generationId = store.newGenerationId(NOW);
  const authentication = NO_AUTHENTICATION;
  return store.addModule(device, {
    ...newIdentity("2026-01-01T00:00:00Z"),
    moduleId,
    generationId,
    authentication,
    managedBy: null,
  });
}

function idsOf(records: Iterable<{ deviceId: string }>): string[] {
  return [...records].map(({ deviceId }) => deviceId);
}

/** Never called: the type check shows that nobody but the store can write a record. */
function writePastTheStore(device: DeviceRecord): void {
  // @ts-expect-error: a record is read-only
  device.status = "disabled";
  // @ts-expect-error: a record is read-only
  device.twin.etagCounter++;
  // @ts-expect-error: a record is read-only
  device.modules.clear();
  // @ts-expect-error: a record is read-only
  device.children.add(device);
}
void writePastTheStore;

for (const [name, make] of STORES) {
  describe(`the identity store ${name}`, () => {
    test("changes what a write names and nothing else, in the records that it has handed out as well", () => {
      const store = make();
      const device = store.addDevice(newDevice(store, "d"));
      const before = { ...device };
      store.update(device, { status: "disabled", etagCounter: 7, lastActivityTime: NOW });
      const expected = { ...before, status: "disabled", etagCounter: 7, lastActivityTime: NOW };
      assert.deepEqual({ ...device }, expected);
      assert.deepEqual({ ...store.device("d") }, expected);
      const module = addModule(store, device, "m");
      store.update(module, { managedBy: "me" });
      assert.deepEqual([module.managedBy, device.modules.get("m")?.managedBy], ["me", "me"]);
    });

    test("keeps devices and modules in the order of their creation, whatever goes in between", () => {
      const store = make();
      const [a, b, c] = ["a", "b", "c"].map((id) => store.addDevice(newDevice(store, id)));
      for (const device of [c!, a!]) addModule(store, device, "m");
      assert.deepEqual(idsOf(store.devices.after(0)), ["a", "b", "c"]);
      assert.deepEqual(idsOf(store.modules.after(0)), ["c", "a"]);
      store.remove(b!);
      assert.deepEqual(idsOf(store.devices.after(a!.sequence)), ["c"]);
      assert.deepEqual([store.devices.size, store.modules.size], [2, 2]);
    });

    test("removes a device with its modules, and a module alone", () => {
      const store = make();
      const device = store.addDevice(newDevice(store, "d"));
      addModule(store, device, "m");
      const other = addModule(store, device, "n");
      store.remove(other);
      assert.deepEqual([...device.modules.keys()], ["m"]);
      store.remove(device);
      assert.deepEqual([store.device("d"), store.devices.size, store.modules.size], [undefined, 0, 0]);
    });

    test("finds a gateway by its scope, and knows its children until it is one no longer", () => {
      for (const end of ["loses its scope", "is removed"]) {
        const store = make();
        const gateway = store.addDevice(newDevice(store, "g", { ownScope: "scope" }));
        const child = store.addDevice(newDevice(store, "c", { parent: gateway }));
        const adopted = store.addDevice(newDevice(store, "a"));
        store.update(adopted, { parent: gateway });
        assert.equal(store.gateway("scope"), gateway);
        assert.deepEqual(idsOf(gateway.children), ["c", "a"]);
        store.update(adopted, { parent: undefined });
        assert.deepEqual(idsOf(gateway.children), ["c"]);
        if (end === "is removed") store.remove(gateway);
        else store.update(gateway, { ownScope: undefined });
        assert.deepEqual([store.gateway("scope"), child.parent, gateway.children.size], [undefined, undefined, 0], end);
      }
    });

    test("takes a late write to what was removed, and changes nothing by it", () => {
      const store = make();
      const gateway = store.addDevice(newDevice(store, "g", { ownScope: "scope" }));
      const device = store.addDevice(newDevice(store, "d"));
      const module = addModule(store, device, "m");
      store.remove(device);
      const successor = store.addDevice(newDevice(store, "d"));
      const before = { ...successor };
      store.update(device, { status: "disabled", parent: gateway, ownScope: "another" });
      store.update(module, { lastActivityTime: NOW });
      assert.deepEqual({ ...store.device("d") }, before);
      assert.deepEqual([store.gateway("another"), gateway.children.size, store.modules.size], [undefined, 0, 0]);
    });

    test("gives no generation id twice, even while its clock stands still or goes back", () => {
      const store = make();
      const ids = [NOW, NOW, NOW - 1000, NOW + 1].map((now) => store.newGenerationId(now));
      assert.equal(new Set(ids).size, ids.length);
    });
  });
}
