import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  deleteDevices,
  fileJournal,
  type FleetOutcome,
  invokeMethodOnDevices,
  registerDevices,
  renewDeviceKeys,
  updateTwins,
} from "../../lib/fleet/mod.ts";
import { FleetScene, outcomesOf } from "../support/fleet_scene.ts";
import { MemoryJournal } from "../support/memory_journal.ts";

/** A store that is lost at a certain line, with whatever is written then: as if the process had been killed. */
class DyingJournal extends MemoryJournal {
  #left: number;

  constructor(lines: number) {
    super();
    this.#left = lines;
  }

  override append(lines: string[]): Promise<void> {
    if (this.#left-- <= 0) return Promise.reject(new Error("the disk is full"));
    return super.append(lines);
  }
}

function statuses(outcomes: readonly FleetOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of outcomes) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

describe("a journal", () => {
  test("lets a run skip what the loop has dealt with, and recognize what it has not", async () => {
    await using scene = new FleetScene();
    const journal = new MemoryJournal();
    const keys = new Map<string, string>();
    const limits = { maxConcurrentRequests: 1 };
    for await (const { deviceId, result } of registerDevices(scene.registry, scene.entries(500), { journal, limits })) {
      keys.set(deviceId, result!.authentication!.symmetricKey!.primaryKey!);
      if (keys.size === 130) break;
    }
    await scene.registry.createDeviceWithSas("device-499");
    const outcomes = await outcomesOf(registerDevices(scene.registry, scene.entries(500), { journal }));
    assert.deepEqual(statuses(outcomes), { skipped: 130, done: 369, failed: 1 });
    for (const { deviceId, status, result, error } of outcomes) {
      if (deviceId === "device-499") assert.equal(error?.code, "DeviceAlreadyExists");
      if (status !== "done") continue;
      const { authentication } = await scene.registry.getDevice(deviceId);
      assert.deepEqual(result!.authentication!.symmetricKey, authentication!.symmetricKey);
      assert.ok(!keys.has(deviceId));
    }
    // What failed is tried again.
    const again = await outcomesOf(registerDevices(scene.registry, scene.entries(500), { journal }));
    assert.deepEqual(statuses(again), { skipped: 499, failed: 1 });
  });

  test("holds no key and no id", async () => {
    await using scene = new FleetScene();
    const journal = new MemoryJournal();
    const symmetricKey = { primaryKey: btoa("a key of sixteen b."), secondaryKey: btoa("and another of them") };
    const entries = [...scene.entries(3), { id: "given", authentication: { type: "sas", symmetricKey } as const }];
    const outcomes = await outcomesOf(registerDevices(scene.registry, entries, { journal }));
    const renewing = new MemoryJournal();
    const renewed = await outcomesOf(renewDeviceKeys(scene.registry, ["given"], { journal: renewing }));
    const text = [...journal.lines, ...renewing.lines].join("\n");
    for (const { deviceId, result } of [...outcomes, ...renewed]) {
      assert.ok(!text.includes(deviceId));
      for (const key of Object.values(result!.authentication!.symmetricKey!)) assert.ok(!text.includes(key!));
    }
  });

  test("of another source, operation, request or hub is refused", async () => {
    await using scene = new FleetScene();
    await using other = new FleetScene({ hostName: "other.localhost" });
    const journal = new MemoryJournal();
    await outcomesOf(registerDevices(scene.registry, scene.entries(250), { journal }));
    const entries = scene.entries(250);
    entries[170] = { id: "another" };
    const before = scene.requests;
    const refused = [
      [registerDevices(scene.registry, entries, { journal }), /other entries from 100 to 199/],
      [registerDevices(scene.registry, scene.entries(20), { journal }), /other entries from 0 to 99/],
      [registerDevices(scene.registry, scene.entries(100), { journal }), /more than 100 entries/],
      [registerDevices(scene.registry, [], { journal }), /more than 0 entries/],
      [deleteDevices(scene.registry, ["device-1"], { journal }), /the operation registerDevices, not deleteDevices/],
      [registerDevices(other.registry, scene.entries(250), { journal }), /the hub localhost, not other\.localhost/],
    ] as const;
    for (const [run, message] of refused) {
      await assert.rejects(
        outcomesOf<unknown>(run),
        (error) => error instanceof RangeError && message.test(error.message),
      );
    }
    assert.equal(scene.requests, before);
    const renewals = new MemoryJournal();
    await outcomesOf(renewDeviceKeys(scene.registry, ["device-1"], { journal: renewals, keys: "swap" }));
    await assert.rejects(
      outcomesOf(renewDeviceKeys(scene.registry, ["device-1"], { journal: renewals, keys: "primary" })),
      RangeError,
    );
  });

  test("may have a torn line at the end of a run, and nowhere else", async () => {
    await using scene = new FleetScene();
    const journal = new MemoryJournal();
    await outcomesOf(registerDevices(scene.registry, scene.entries(50), { journal }));
    journal.lines.push(journal.lines.pop()!.slice(0, -20));
    const outcomes = await outcomesOf(registerDevices(scene.registry, scene.entries(50), { journal }));
    assert.equal(outcomes.length, 50);
    assert.ok(outcomes.every(({ status }) => status !== "failed"));
    await outcomesOf(registerDevices(scene.registry, scene.entries(50), { journal }));
    journal.lines[1] = journal.lines[1]!.replace(/\d/, "7x");
    await assert.rejects(
      outcomesOf(registerDevices(scene.registry, scene.entries(50), { journal })),
      /line 2 is damaged/,
    );
  });

  test("that cannot be written ends the run, and what was sent is recognized later", async () => {
    let lost = 0;
    for (let lines = 0, isWhole = false; !isWhole; lines++) {
      await using scene = new FleetScene();
      const dying = new DyingJournal(lines);
      const known = new Set<string>();
      const run = registerDevices(scene.registry, scene.entries(350), { journal: dying });
      try {
        for await (const { deviceId } of run) known.add(deviceId);
        isWhole = true;
      } catch (error) {
        assert.match(String(error), /the disk is full/);
        lost++;
      }
      const journal = Object.assign(new MemoryJournal(), { lines: [...dying.lines] });
      const outcomes = await outcomesOf(registerDevices(scene.registry, scene.entries(350), { journal }));
      assert.equal(statuses(outcomes)["failed"], undefined, `lost at line ${lines}`);
      assert.equal((await scene.registry.getDeviceRegistryStatistics()).totalDeviceCount, 350);
      for (const { deviceId, status } of outcomes) if (status === "skipped") assert.ok(known.has(deviceId));
    }
    assert.ok(lost >= 4, `${lost} runs were lost`);
  });

  test("keeps two keys from changing places twice", async () => {
    for (const isSent of [false, true]) {
      let isLost = false;
      await using scene = new FleetScene({}, async (ask) => {
        if (isLost && !isSent) throw new Error("killed before sending");
        const response = await ask();
        if (isLost) throw new Error("killed before the answer");
        return response;
      }, { retryOptions: { maxRetries: 0 } });
      const { authentication: before } = await scene.registry.createDeviceWithSas("swapped");
      const journal = new MemoryJournal();
      const append = journal.append.bind(journal);
      const controller = new AbortController();
      journal.append = async (lines) => {
        await append(lines);
        isLost = lines.some((line) => line.startsWith('["sent"'));
        if (isLost) setTimeout(() => controller.abort(), 20);
      };
      const run = renewDeviceKeys(scene.registry, ["swapped"], {
        keys: "swap",
        journal,
        abortSignal: controller.signal,
      });
      await assert.rejects(outcomesOf(run));
      isLost = false;
      journal.append = append;
      const [outcome] = await outcomesOf(renewDeviceKeys(scene.registry, ["swapped"], { keys: "swap", journal }));
      assert.equal(outcome?.status, "done");
      const { primaryKey, secondaryKey } = outcome!.result!.authentication!.symmetricKey!;
      assert.deepEqual([secondaryKey, primaryKey], [
        before!.symmetricKey!.primaryKey,
        before!.symmetricKey!.secondaryKey,
      ]);
    }
  });

  test("keeps a method from running twice, unless that is wanted", async () => {
    await using scene = new FleetScene();
    await scene.registry.createDeviceWithSas("called");
    await scene.registry.createDeviceWithSas("answering");
    let calls = 0;
    const controller = new AbortController();
    scene.hub.device("answering").onMethod("once", () => ({ status: 200 }));
    const reached = new Promise<void>((resolve) =>
      scene.hub.device("called").onMethod("once", () => {
        resolve();
        return ++calls > 1 ? { status: 200 } : new Promise(() => {});
      })
    );
    const journal = new MemoryJournal();
    const invoke = (options: object) =>
      invokeMethodOnDevices(scene.registry, ["answering", "called"], { methodName: "once" }, { journal, ...options });
    await assert.rejects(async () => {
      for await (const { status } of invoke({ abortSignal: controller.signal })) {
        if (status !== "done") continue;
        await reached;
        controller.abort();
      }
    });
    const outcomes = await outcomesOf(invoke({}));
    const [called] = outcomes.filter(({ deviceId }) => deviceId === "called");
    assert.equal(called?.status, "unknown");
    assert.match(called!.error!.message, /repeatUnknown/);
    assert.equal(calls, 1);
    const repeated = await outcomesOf(invoke({ repeatUnknown: true }));
    assert.deepEqual(statuses(repeated), { skipped: 1, done: 1 });
    assert.equal(calls, 2);
  });

  test("in a file needs the file's path", () => {
    assert.throws(() => fileJournal(""), {
      name: "RangeError",
      message: "Cannot use path: it must be the path of a file",
    });
    assert.throws(() => fileJournal(new URL("file:///journal") as unknown as string), { name: "TypeError" });
  });

  test("in a file is the same, with its last line cut off anywhere", async () => {
    await using scene = new FleetScene();
    const folder = await mkdtemp(join(tmpdir(), "fleet-"));
    try {
      const path = join(folder, "journal");
      const changes = Array.from({ length: 30 }, (_, index) => ({ deviceId: `device-${index}`, tags: { index } }));
      await outcomesOf(registerDevices(scene.registry, scene.entries(30)));
      await outcomesOf(updateTwins(scene.registry, changes, { journal: fileJournal(path) }));
      const whole = await readFile(path, "utf8");
      assert.equal(whole.split("\n").length, 5, "a line each for the run, what was read, sent and done");
      const last = whole.trimEnd().lastIndexOf("\n") + 1;
      for (let length = last; length <= whole.length; length += 9) {
        await writeFile(path, whole);
        await truncate(path, length);
        for (let run = 0; run < 2; run++) {
          const outcomes = await outcomesOf(updateTwins(scene.registry, changes, { journal: fileJournal(path) }));
          assert.deepEqual(
            statuses(outcomes),
            run === 1 || length >= whole.length - 1 ? { skipped: 30 } : { done: 30 },
          );
        }
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
