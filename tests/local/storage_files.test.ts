import assert from "node:assert/strict";
import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import process from "node:process";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { HubState } from "../../lib/local/hub_state.ts";
import type { RowFile } from "../../lib/local/storage/row_file.ts";
import { openSqliteFile } from "../../lib/local/storage/sqlite_file.ts";
import { seededRandom } from "../support/random.ts";
import { SEED } from "../support/seed.ts";
import { HAS_SQLITE, StorageScene } from "../support/storage_scene.ts";

const options = { skip: HAS_SQLITE ? false : "this runtime has no SQLite" };

interface Database {
  exec(sql: string): void;
  close(): void;
}

function database(path: string): Database {
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite") as unknown as {
    DatabaseSync: new (path: string) => Database;
  };
  return new DatabaseSync(path);
}

/** A hub cannot be made with this file, and leaves it as it is. */
function assertRefused(path: string, rule: RegExp): void {
  const before = readFileSync(path);
  assert.throws(() => new LocalHub({ storage: path }), (error: Error) => {
    assert.match(error.message, rule);
    assert.ok(error.message.includes(path), error.message);
    return true;
  });
  assert.deepEqual(readFileSync(path), before);
}

describe("The file of a hub", options, () => {
  test("is one hub's at a time", async () => {
    using scene = new StorageScene();
    const path = scene.path();
    {
      await using first = scene.open();
      assert.throws(() => new LocalHub({ storage: path }), /another hub has it open/);
      await first.registry.createDeviceWithSas("d");
    }
    await using again = scene.open();
    assert.equal((await again.registry.getDevices()).length, 1);
  });

  test("of a newer version is refused", async () => {
    using scene = new StorageScene();
    await scene.open()[Symbol.asyncDispose]();
    const newer = database(scene.path());
    newer.exec("PRAGMA user_version = 99");
    newer.close();
    assertRefused(scene.path(), /a newer hub has written it, with version 99 of the schema/);
  });

  test("of something else is refused", () => {
    using scene = new StorageScene();
    const other = database(scene.path());
    other.exec("CREATE TABLE mine (a)");
    other.close();
    assertRefused(scene.path(), /database of something else/);
    for (const [name, content] of [["text", "not a database, but a long text. ".repeat(200)], ["short", "short"]]) {
      writeFileSync(scene.path(name), content!);
      assertRefused(scene.path(name), /no database, or damaged/);
    }
  });

  test("that is empty becomes one of a hub", async () => {
    using scene = new StorageScene();
    writeFileSync(scene.path(), "");
    await scene.open()[Symbol.asyncDispose]();
    assert.ok(statSync(scene.path()).size > 0);
  });

  test("that is cut short, or has rubbish in it, is refused or has everything", async () => {
    using scene = new StorageScene();
    {
      await using open = scene.open();
      for (let i = 0; i < 40; i++) await open.registry.createDeviceWithSas(`d${i}`);
      open.hub.blobContainer("fleet").write("b", new Uint8Array(100_000));
    }
    const random = seededRandom(SEED);
    const { size } = statSync(scene.path());
    let refused = 0;
    for (let i = 0; i < 30; i++) {
      const copy = scene.image();
      const at = Math.floor(random() * size);
      if (i % 2 === 0) truncateSync(copy, at);
      else {
        const bytes = readFileSync(copy);
        for (let j = at; j < Math.min(at + 2000, size); j++) bytes[j] = Math.floor(random() * 256);
        writeFileSync(copy, bytes);
      }
      try {
        await using open = scene.open(copy);
        const devices = await open.registry.getDevices();
        // An empty file is one without a hub yet.
        assert.ok(devices.length === 40 || (i % 2 === 0 && at === 0), `${devices.length} devices, cut at ${at}`);
      } catch (error) {
        refused++;
        assert.match(
          (error as Error).message,
          /Cannot use .*image.*damaged|what a hub writes|something else|newer hub/,
        );
      }
    }
    assert.ok(refused > 15, `${refused} were refused`);
  });

  test("with rows that no hub writes is refused, and nothing of it is changed", async () => {
    using scene = new StorageScene();
    {
      await using open = scene.open();
      await open.registry.createDeviceWithSas("d");
    }
    const changed = database(scene.path());
    changed.exec("DELETE FROM twins");
    changed.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    changed.close();
    assertRefused(scene.path(), /does not hold what a hub writes/);
  });

  test("has to be in a folder that exists, and to have a name", () => {
    using scene = new StorageScene();
    assert.throws(() => new LocalHub({ storage: scene.path("none/hub.sqlite") }), /none.*unable to open/);
    for (const storage of ["", ":memory:"]) assert.throws(() => new LocalHub({ storage }), RangeError);
    assert.throws(() => new LocalHub({ storage: 1 as never }), TypeError);
  });

  test("takes no write after the hub is closed", async () => {
    using scene = new StorageScene();
    const { hub, registry } = scene.open();
    await registry.createDeviceWithSas("d");
    await registry.close();
    await hub.close();
    await assert.rejects(hub.device("d").updateReportedProperties({ a: 1 }), /The local hub is closed/);
    assert.throws(() => hub.blobContainer("fleet"), /The local hub is closed/);
  });

  test("that cannot be written is written no more, so that what is there has no gap", () => {
    using scene = new StorageScene();
    const file = openSqliteFile(scene.path());
    let isFull = false;
    const failing: RowFile = Object.create(file, {
      path: { value: file.path },
      rows: { value: file.rows.bind(file) },
      delete: { value: file.delete.bind(file) },
      clear: { value: file.clear.bind(file) },
      begin: { value: file.begin.bind(file) },
      commit: { value: file.commit.bind(file) },
      close: { value: file.close.bind(file) },
      put: {
        value: (...args: Parameters<RowFile["put"]>) => {
          if (isFull) throw new Error("database or disk is full");
          file.put(...args);
        },
      },
    });
    const state = new HubState({ hostName: "h", now: Date.now, clockSkew: 0, file: failing });
    state.devices.create("a", {});
    isFull = true;
    assert.throws(() => state.devices.create("b", {}), /Cannot write .*disk is full/);
    isFull = false;
    assert.throws(() => state.devices.create("c", {}), /Cannot write .*disk is full/);
    state.close();
    const again = new HubState({ hostName: "h", now: Date.now, clockSkew: 0, file: openSqliteFile(scene.path()) });
    assert.deepEqual(Array.from(again.store.devices.after(0), ({ deviceId }) => deviceId), ["a"]);
    again.close();
    again.storage.close();
  });
});

test("A runtime without SQLite says so", () => {
  const { getBuiltinModule } = process;
  try {
    process.getBuiltinModule = (() => undefined) as never;
    assert.throws(() => new LocalHub({ storage: "hub.sqlite" }), /this runtime has no node:sqlite/);
  } finally {
    process.getBuiltinModule = getBuiltinModule;
  }
});
