import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { IoTHubRegistryManager as HttpRegistryManager } from "../../lib/http.ts";
import { IoTHubError, IoTHubRegistryManager, Twins } from "../../mod.ts";
import {
  deleteDevices,
  type FleetOutcome,
  type FleetRun,
  invokeMethodOnDevices,
  registerDevices,
  renewDeviceKeys,
  sendC2dMessages,
  updateTwins,
} from "../../lib/fleet/mod.ts";
import { FleetScene, outcomesOf } from "../support/fleet_scene.ts";

async function byDevice<T>(run: FleetRun<T>): Promise<Map<string, FleetOutcome<T>>> {
  return new Map((await outcomesOf(run)).map((outcome) => [outcome.deviceId + (outcome.moduleId ?? ""), outcome]));
}

describe("registerDevices", () => {
  test("makes the keys that are missing, and gives them in the outcome", async () => {
    await using scene = new FleetScene();
    const own = { primaryKey: btoa("a key of sixteen b."), secondaryKey: btoa("and another of them") };
    const outcomes = await byDevice(registerDevices(scene.registry, [
      { id: "made" },
      { id: "given", authentication: { type: "sas", symmetricKey: own } },
      { id: "half", authentication: { symmetricKey: { primaryKey: own.primaryKey } } },
      { id: "x509", authentication: { type: "selfSigned", x509Thumbprint: { primaryThumbprint: "A".repeat(40) } } },
      { id: "ca", authentication: { type: "certificateAuthority" }, tags: { site: "bonn" } },
    ]));
    for (const [id, { status, result }] of outcomes) {
      assert.equal(status, "done", id);
      const { authentication } = await scene.registry.getDevice(id);
      const { symmetricKey, x509Thumbprint, type } = authentication!;
      if (id === "x509") assert.equal(x509Thumbprint?.primaryThumbprint, "A".repeat(40));
      else if (id === "ca") assert.equal(type, "certificateAuthority");
      else assert.deepEqual(result?.authentication?.symmetricKey, symmetricKey);
    }
    assert.deepEqual(outcomes.get("given")?.result?.authentication?.symmetricKey, own);
    assert.equal(outcomes.get("half")?.result?.authentication?.symmetricKey?.primaryKey, own.primaryKey);
    assert.deepEqual((await scene.registry.getTwin("ca")).tags, { site: "bonn" });
    const keys = [...outcomes.values()].flatMap(({ result }) =>
      Object.values(result?.authentication?.symmetricKey ?? {})
    );
    for (const key of keys) assert.ok(atob(key!).length >= 16);
  });

  test("lets an entry fail alone, be it refused by the hub or not legal at all", async () => {
    await using scene = new FleetScene();
    await scene.registry.createDeviceWithSas("there");
    const entries = [
      ...scene.entries(250),
      { id: "there" },
      { id: "not legal" },
      { id: "odd", tags: { when: NaN } },
      { id: "wrong", status: "sleeping" as "enabled" },
      { deviceId: "named-otherwise" },
    ];
    const outcomes = await byDevice(registerDevices(scene.registry, entries));
    const failed = [...outcomes.values()].filter(({ status }) => status !== "done");
    assert.deepEqual(
      failed.map(({ deviceId, status, error }) => [deviceId, status, error?.code]).sort(),
      [
        ["not legal", "failed", "ArgumentInvalid"],
        ["odd", "failed", "ArgumentInvalid"],
        ["there", "failed", "DeviceAlreadyExists"],
        ["wrong", "failed", "ArgumentInvalid"],
      ],
    );
    for (const { error } of failed) assert.ok(error instanceof IoTHubError);
    assert.equal((await scene.registry.getDeviceRegistryStatistics()).totalDeviceCount, 252);
  });

  test("keeps the order of entries for a device, and of a device and its modules", async () => {
    await using scene = new FleetScene();
    const entries = Array.from({ length: 300 }, (_, index) => `device-${index}`).flatMap((id) => [
      { id, tags: { round: 0 } },
      { id, moduleId: "one" },
      { id, moduleId: "two" },
      { id, importMode: "updateTwin", tags: { round: 1 } } as const,
      { id, importMode: "updateTwin", tags: { round: 2 } } as const,
    ]);
    const before = scene.requests;
    const outcomes = await outcomesOf(registerDevices(scene.registry, entries));
    assert.deepEqual(outcomes.filter(({ status }) => status !== "done"), []);
    assert.equal(outcomes.length, entries.length);
    for (const id of ["device-0", "device-299"]) {
      assert.equal((await scene.registry.getTwin(id)).tags?.["round"], 2);
      assert.equal((await scene.registry.getModules(id)).length, 2);
    }
    assert.ok(scene.requests - before < 60, `${scene.requests - before} requests, which were not filled`);
  });
});

describe("the other runs", () => {
  test("delete, re-tag, renew, call and send", async () => {
    await using scene = new FleetScene();
    const { registry, hub } = scene;
    await outcomesOf(registerDevices(registry, scene.entries(120)));
    const ids = scene.entries(120).map(({ id }) => id);
    const changes = ids.map((deviceId) => ({ deviceId, tags: { deviceId }, properties: { desired: { on: true } } }));
    for (const { status } of await outcomesOf(updateTwins(registry, changes))) assert.equal(status, "done");
    const twin = await registry.getTwin(ids[7]!);
    assert.deepEqual([twin.tags, twin.properties.desired["on"]], [{ deviceId: ids[7] }, true]);

    const old = (await registry.getDevice(ids[3]!)).authentication!.symmetricKey!;
    const renewed = await byDevice(renewDeviceKeys(registry, [ids[3]!, "nobody"], { keys: "swap" }));
    assert.equal(renewed.get("nobody")?.error?.code, "DeviceNotFound");
    const { primaryKey, secondaryKey } = renewed.get(ids[3]!)!.result!.authentication!.symmetricKey!;
    assert.deepEqual([primaryKey, secondaryKey], [old.secondaryKey, old.primaryKey]);

    hub.device(ids[0]!).onMethod("blink", (payload) => ({ status: 200, payload }));
    const called = await byDevice(
      invokeMethodOnDevices(registry, ids.slice(0, 2), { methodName: "blink", payload: 7 }),
    );
    assert.deepEqual(called.get(ids[0]!)?.result, { status: 200, payload: 7 });
    assert.equal(called.get(ids[1]!)?.error?.code, "DeviceNotOnline");

    const messages = ids.slice(0, 40).flatMap((deviceId) => [
      { deviceId, message: "one" },
      { deviceId, message: "two" },
    ]);
    for (const { status } of await outcomesOf(sendC2dMessages(registry, messages))) assert.equal(status, "done");
    const texts: string[] = [];
    const both = new Promise<void>((resolve) =>
      hub.device(ids[5]!).onMessage(({ text }) => void (texts.push(text) === 2 && resolve()))
    );
    await both;
    assert.deepEqual(texts, ["one", "two"]);

    const query = registry.query<{ deviceId: string }>("SELECT deviceId FROM devices");
    const deleted = await outcomesOf(deleteDevices(registry, query));
    assert.equal(deleted.filter(({ status }) => status === "done").length, 120);
    const again = await outcomesOf(deleteDevices(registry, [ids[0]!]));
    assert.equal(again[0]?.error?.code, "DeviceNotFound");
  });
});

describe("a run", () => {
  test("reads its source only as fast as its outcomes are read", async () => {
    await using scene = new FleetScene();
    let read = 0;
    let isClosed = false;
    function* source() {
      try {
        for (const entry of scene.entries(100_000)) {
          read++;
          yield entry;
        }
      } finally {
        isClosed = true;
      }
    }
    let taken = 0;
    for await (const { status } of registerDevices(scene.registry, source())) {
      assert.equal(status, "done");
      assert.ok(read - taken <= 2000, `${read} were read when ${taken} were taken`);
      if (++taken === 500) break;
    }
    assert.ok(isClosed);
    const { totalDeviceCount } = await scene.registry.getDeviceRegistryStatistics();
    assert.ok(totalDeviceCount >= 500 && totalDeviceCount <= 2500, `${totalDeviceCount} devices`);
    const requests = scene.requests;
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(scene.requests, requests, "nothing more was sent");
  });

  test("sends what there is when its source is slow", async () => {
    await using scene = new FleetScene();
    let giveMore: (() => void) | undefined;
    const more = new Promise<void>((resolve) => giveMore = resolve);
    async function* source() {
      yield { id: "early" };
      await more;
      yield { id: "late" };
    }
    // The second entry is there only when the first is done, and the run has said that it waits for more.
    const run = registerDevices(scene.registry, source(), {
      onProgress: ({ done, waitingFor }) => void (done === 1 && waitingFor === "source" && giveMore!()),
    });
    const ids = (await outcomesOf(run)).map(({ deviceId }) => deviceId);
    assert.deepEqual(ids, ["early", "late"]);
  });

  test("tells that it waits for a repetition of the manager's own", async () => {
    let isFirst = true;
    await using scene = new FleetScene({}, (ask) => {
      const busy = { status: 503, headers: { "retry-after": "1" } };
      const answer = isFirst ? Promise.resolve(new Response(null, busy)) : ask();
      isFirst = false;
      return answer;
    });
    let waitsForRepetition = false;
    const run = registerDevices(scene.registry, scene.entries(1), {
      onProgress: ({ waitingFor }) => void (waitsForRepetition ||= waitingFor === "retry"),
    });
    assert.deepEqual((await outcomesOf(run)).map(({ status }) => status), ["done"]);
    assert.equal(scene.requests, 2);
    assert.ok(waitsForRepetition);
  });

  test("takes promises of any kind from its source", async () => {
    await using scene = new FleetScene();
    const entries = scene.entries(3)[Symbol.iterator]();
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          const settled = Promise.resolve(entries.next());
          return { then: settled.then.bind(settled) } as Promise<IteratorResult<{ id: string }, undefined>>;
        },
      }),
    };
    const outcomes = await outcomesOf(registerDevices(scene.registry, source));
    assert.deepEqual(outcomes.map(({ deviceId, status }) => `${deviceId} ${status}`), [
      "device-0 done",
      "device-1 done",
      "device-2 done",
    ]);
  });

  test("ends in order when its source breaks, and tells what is known", async () => {
    await using scene = new FleetScene();
    const broken = new Error("the disk is gone");
    function* source() {
      yield* scene.entries(150);
      throw broken;
    }
    let known = 0;
    await assert.rejects(async () => {
      for await (const { status } of registerDevices(scene.registry, source())) known += Number(status === "done");
    }, broken);
    assert.equal((await scene.registry.getDeviceRegistryStatistics()).totalDeviceCount, known);
    assert.ok(known >= 100);
  });

  test("goes on when a connection breaks after a method was sent, and ends when none gets an answer", async () => {
    let [count, isGone] = [0, false];
    await using scene = new FleetScene({}, async (ask) => {
      const response = await ask();
      if (isGone || ++count === 10) throw new TypeError("the connection was reset");
      return response;
    });
    const ids = Array.from({ length: 40 }, (_, index) => `device-${index}`);
    await outcomesOf(registerDevices(scene.registry, scene.entries(40)));
    let calls = 0;
    for (const id of ids) scene.hub.device(id).onMethod("blink", () => ({ status: 200 + 0 * calls++ }));
    const outcomes = await outcomesOf(invokeMethodOnDevices(scene.registry, ids, { methodName: "blink" }));
    const unknown = outcomes.filter(({ status }) => status === "unknown");
    assert.deepEqual(unknown.map(({ error }) => error?.code), ["NetworkError"]);
    assert.equal(outcomes.filter(({ status }) => status === "done").length, 39);
    assert.equal(calls, 40);

    isGone = true;
    const many = Array.from({ length: 1000 }, (_, index) => ids[index % ids.length]!);
    let told = 0;
    await assert.rejects(async () => {
      for await (const { status } of invokeMethodOnDevices(scene.registry, many, { methodName: "blink" })) {
        assert.equal(status, "unknown");
        told++;
      }
    }, { code: "NetworkError" });
    assert.ok(told >= 200 && told < 300, `${told}`);
  });

  test("ends when the hub refuses its caller, or is closed", async () => {
    await using scene = new FleetScene();
    const key = btoa("the key of another policy, or hub");
    const stranger = IoTHubRegistryManager.fromConnectionString(
      scene.hub.connectionString.replace(/SharedAccessKey=.*/, `SharedAccessKey=${key}`),
      scene.hub.clientOptions,
    );
    await assert.rejects(
      outcomesOf(registerDevices(stranger, scene.entries(1000))),
      (error) => error instanceof IoTHubError && error.statusCode === 401,
    );
    await stranger.close();
    await assert.rejects(
      outcomesOf(deleteDevices(stranger, ["a"])),
      (error) => error instanceof IoTHubError && error.code === "Closed",
    );
  });

  test("ends at once when it is aborted, and tells what may have been done", async () => {
    await using scene = new FleetScene();
    await scene.registry.createDeviceWithSas("slow");
    const controller = new AbortController();
    const reason = new Error("enough");
    scene.hub.device("slow").onMethod("wait", () => {
      controller.abort(reason);
      return new Promise(() => {});
    });
    const outcomes: FleetOutcome[] = [];
    const run = invokeMethodOnDevices(scene.registry, ["slow"], { methodName: "wait" }, {
      abortSignal: controller.signal,
    });
    await assert.rejects(async () => {
      for await (const outcome of run) outcomes.push(outcome);
    }, reason);
    assert.deepEqual(outcomes, [{ deviceId: "slow", status: "unknown" }]);

    // A source that never gives anything does not keep it.
    const silent: AsyncIterable<string> = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
    const waiting = outcomesOf(deleteDevices(scene.registry, silent, { abortSignal: AbortSignal.timeout(5) }));
    await assert.rejects(waiting, (error) => (error as Error).name === "TimeoutError");
  });

  test("tells at once of options and sources that it cannot use", async () => {
    await using scene = new FleetScene();
    const { registry } = scene;
    const wrong = (options: object) => () => registerDevices(registry, [], options);
    assert.throws(wrong({ thrott1e: { tier: "S1" } }), /did you mean "throttle"/);
    assert.throws(wrong({ throttle: { tier: "S4" } }), RangeError);
    assert.throws(wrong({ limits: { maxSockets: 3 } }), TypeError);
    assert.throws(wrong({ total: -1 }), RangeError);
    assert.throws(wrong({ journal: {} }), TypeError);
    assert.throws(() => deleteDevices(registry, "a-device"), /the source/);
    assert.throws(() => deleteDevices(registry, { [Symbol.iterator]: 1 } as unknown as string[]), /the source/);
    assert.throws(() => deleteDevices({} as typeof registry, []), /registry/);
    const web = HttpRegistryManager.fromManager(registry) as IoTHubRegistryManager;
    assert.throws(() => sendC2dMessages(web, []), { name: "TypeError", message: /registry\.sendC2dMessage/ });
    const twins = Twins.fromManager(registry) as unknown as IoTHubRegistryManager;
    assert.throws(() => updateTwins(twins, []), { name: "TypeError", message: /bulkCreateOrUpdateDevices/ });
    assert.throws(() => renewDeviceKeys(registry, [], { keys: "all" as "both" }), RangeError);
    assert.throws(() => invokeMethodOnDevices(registry, [], { methodName: "" }), RangeError);
    assert.deepEqual(await outcomesOf(registerDevices(registry, [])), []);
  });

  test("tells how far it is, at most ten times a second and at the end", async () => {
    await using scene = new FleetScene();
    const reports: number[] = [];
    const run = registerDevices(scene.registry, scene.entries(3000), {
      onProgress: ({ done, total }) => {
        assert.equal(total, 3000);
        reports.push(done);
      },
    });
    const started = performance.now();
    await outcomesOf(run);
    assert.equal(reports.at(-1), 3000);
    assert.ok(reports.length <= (performance.now() - started) / 100 + 2);
    const { done, failed, perSecond, remainingInMs, waitingFor } = run.progress;
    assert.deepEqual([done, failed, remainingInMs, waitingFor], [3000, 0, 0, undefined]);
    assert.ok(perSecond > 0);
    const fault = new Error("no terminal");
    const faulty = registerDevices(scene.registry, ["a"].map((id) => ({ id })), {
      onProgress: () => {
        throw fault;
      },
    });
    await assert.rejects(outcomesOf(faulty), fault);
  });
});
