import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { type ClientOptions, IoTHubRegistryManager, type Twin, type TwinPatch } from "../../mod.ts";
import { MockedTime } from "../support/mocked_time.ts";

type Fetch = NonNullable<ClientOptions["fetch"]>;

/** What happens to a request: the answer of the hub, something else, or both. */
type Seam = (method: string, forward: () => Promise<Response>) => Promise<Response>;

/** A hub with the device `d` and its module `m`, and a manager whose every request passes the seam. */
async function setUp(seam: Seam = (_method, forward) => forward()): Promise<
  { hub: LocalHub; registry: IoTHubRegistryManager; requests: string[] } & AsyncDisposable
> {
  const hub = new LocalHub();
  await using admin = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  await admin.createDeviceWithSas("d");
  await admin.createModuleWithSas("d", "m");
  const requests: string[] = [];
  const fetch: Fetch = (url, init) => {
    requests.push(`${init!.method} ${new URL(url).pathname}`);
    return seam(init!.method!, () => hub.clientOptions.fetch(url, init));
  };
  const registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
    fetch,
    retryOptions: { retryDelayInMs: 1 },
  });
  return {
    hub,
    registry,
    requests,
    async [Symbol.asyncDispose]() {
      await registry.close();
      await hub.close();
    },
  };
}

const READ = "GET /twins/d";
const WRITE = "PATCH /twins/d";

function countUp({ tags }: Twin): TwinPatch {
  return { tags: { count: Number(tags?.["count"] ?? 0) + 1 } };
}

function reset(): TypeError {
  return new TypeError("fetch failed", { cause: Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }) });
}

describe("modifyTwin", () => {
  test("loses no count of twenty who count at once", async () => {
    await using fixture = await setUp();
    const { registry } = fixture;
    await Promise.all(Array.from({ length: 20 }, () => registry.modifyTwin("d", countUp, { maxAttempts: 100 })));
    assert.equal((await registry.getTwin("d")).tags?.["count"], 20);
  });

  test("loses no count of twenty who count at once while the hub is busy half of the time", async () => {
    let requests = 0;
    await using fixture = await setUp((_method, forward) =>
      ++requests % 2 === 0 ? Promise.resolve(new Response(null, { status: requests % 4 === 0 ? 429 : 503 })) : forward()
    );
    const { hub, registry } = fixture;
    const options = { maxAttempts: 100 };
    for (let round = 0; round < 5; round++) {
      // More than one may fail for good where every other request does: what counts is what was reported as done.
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, () => registry.modifyTwin("d", countUp, options)),
      );
      const done = outcomes.filter(({ status }) => status === "fulfilled").length;
      await using admin = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
      assert.equal((await admin.getTwin("d")).tags?.["count"], done);
      await admin.replaceTwin("d", {});
    }
  });

  test("gives the twin after the write, and makes two requests", async () => {
    await using fixture = await setUp();
    const { registry, requests } = fixture;
    const twin = await registry.modifyTwin("d", () => Promise.resolve({ properties: { desired: { rate: 5 } } }));
    assert.equal(twin.properties.desired["rate"], 5);
    assert.deepEqual(requests, [READ, WRITE]);
    assert.equal((await registry.getTwin("d")).etag, twin.etag);
  });

  test("writes nothing when the change returns undefined, and gives the twin as it is", async () => {
    await using fixture = await setUp();
    const { registry, requests } = fixture;
    const before = await registry.getTwin("d");
    const twin = await registry.modifyTwin("d", () => undefined);
    assert.equal(twin.etag, before.etag);
    assert.deepEqual(requests, [READ, READ]);
  });

  test("writes nothing when the change throws, and rejects with what it threw", async () => {
    await using fixture = await setUp();
    const { registry, requests } = fixture;
    const mine = new Error("I do not like this twin");
    const changes = [
      () => {
        throw mine;
      },
      () => Promise.reject(mine),
    ];
    for (const change of changes) await assert.rejects(registry.modifyTwin("d", change), (error) => error === mine);
    assert.deepEqual(requests, [READ, READ]);
  });

  test("reads and changes again when somebody came in between", async () => {
    await using fixture = await setUp();
    const { hub, registry, requests } = fixture;
    await using other = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    const seen: unknown[] = [];
    const twin = await registry.modifyTwin("d", async (twin) => {
      seen.push(twin.tags?.["count"]);
      if (seen.length === 1) await other.updateTwin("d", { tags: { count: 10 } });
      return countUp(twin);
    });
    assert.deepEqual(seen, [undefined, 10]);
    assert.equal(twin.tags?.["count"], 11);
    assert.deepEqual(requests, [READ, WRITE, READ, WRITE]);
  });

  test("gives up with PreconditionFailed after as many attempts as it was given", async () => {
    await using fixture = await setUp();
    const { hub, registry, requests } = fixture;
    await using other = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    let changes = 0;
    const change = async (twin: Twin): Promise<TwinPatch> => {
      await other.updateTwin("d", { tags: { other: ++changes } });
      return countUp(twin);
    };
    const expected = { code: "PreconditionFailed", statusCode: 412, operation: "updateTwin" };
    await assert.rejects(registry.modifyTwin("d", change, { maxAttempts: 3 }), expected);
    assert.equal(changes, 3);
    await assert.rejects(registry.modifyTwin("d", change), expected);
    assert.equal(changes, 13, "ten by default");
    assert.equal(requests.length, 2 * 13);
    assert.equal((await other.getTwin("d")).tags?.["count"], undefined);
  });

  test("passes on every other failure at once", async () => {
    await using fixture = await setUp();
    const { registry, requests } = fixture;
    await assert.rejects(registry.modifyTwin("nobody", countUp), { code: "DeviceNotFound", operation: "getTwin" });
    await assert.rejects(registry.modifyTwin("d", () => ({ tags: { "a.b": 1 } })), { statusCode: 400 });
    assert.deepEqual(requests, ["GET /twins/nobody", READ, WRITE]);
  });

  test("refuses a change that is no function, a patch that is none, and a number of attempts that is none", async () => {
    await using fixture = await setUp();
    const { registry, requests } = fixture;
    await assert.rejects(registry.modifyTwin("d", {} as () => undefined), {
      name: "TypeError",
      message: "Cannot use change: it must be a function, got an object",
    });
    for (const maxAttempts of [0, -1, 1.5, NaN]) {
      await assert.rejects(registry.modifyTwin("d", countUp, { maxAttempts }), RangeError);
    }
    await assert.rejects(registry.modifyTwin("d", countUp, { timeoutInMs: -1 }), RangeError);
    assert.deepEqual(requests, []);
    await assert.rejects(registry.modifyTwin("d", () => "count" as unknown as TwinPatch), TypeError);
    assert.deepEqual(requests, [READ]);
  });

  describe("a time-out", () => {
    test("holds for all attempts together", async () => {
      using time = new MockedTime();
      await using fixture = await setUp();
      const { hub, registry } = fixture;
      await using other = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
      let changes = 0;
      const change = async (twin: Twin): Promise<TwinPatch> => {
        await other.updateTwin("d", { tags: { other: ++changes } });
        return countUp(twin);
      };
      const started = performance.now();
      const ended = assert.rejects(
        registry.modifyTwin("d", change, { timeoutInMs: 10_000, maxAttempts: 1_000_000 }),
        { code: "Timeout", retryable: true },
      );
      await time.passUntil(() => changes > 1);
      await time.settle(ended, 100);
      const took = performance.now() - started;
      assert.ok(took >= 10_000 && took <= 10_200, `${changes} attempts in ${took} ms`);
    });

    test("holds for a change that takes too long, and what it returns then is not written", async () => {
      using time = new MockedTime();
      await using fixture = await setUp();
      const { registry, requests } = fixture;
      let finish = (_patch: TwinPatch): void => {};
      const late = new Promise<TwinPatch>((resolve) => finish = resolve);
      const called = Promise.withResolvers<void>();
      const change = (): Promise<TwinPatch> => (called.resolve(), late);
      const ended = assert.rejects(registry.modifyTwin("d", change, { timeoutInMs: 40 }), {
        code: "Timeout",
        operation: "modifyTwin",
        message: "Cannot complete modifyTwin: it took longer than 40 ms",
      });
      await called.promise;
      time.pass(40);
      await ended;
      finish({ tags: { late: true } });
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(requests, [READ]);
    });

    test("leaves a change alone, however long it takes, where none was given", async () => {
      using time = new MockedTime();
      await using fixture = await setUp();
      const twin = await fixture.registry.modifyTwin("d", async (twin) => {
        await time.passInSteps(3_600_000, 600_000);
        return countUp(twin);
      });
      assert.equal(twin.tags?.["count"], 1);
    });
  });

  describe("does not count twice", () => {
    const faults: [string, (forward: () => Promise<Response>) => Promise<Response>][] = [
      ["when the connection breaks after the write", async (forward) => {
        await forward();
        throw reset();
      }],
      ["when the connection breaks in the middle of the answer", async (forward) => {
        const text = await (await forward()).text();
        return new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(new TextEncoder().encode(text.slice(0, 20)));
            },
            pull(controller) {
              controller.error(reset());
            },
          }),
        );
      }],
      ["when the hub answers 500 after the write", async (forward) => {
        await forward();
        return new Response(null, { status: 500 });
      }],
      ["when the connection breaks before the write", () => Promise.reject(reset())],
    ];
    for (const [when, fault] of faults) {
      test(when, async () => {
        let writes = 0;
        await using fixture = await setUp((method, forward) =>
          method === "PATCH" && ++writes <= 2 ? fault(forward) : forward()
        );
        const { registry } = fixture;
        const twin = await registry.modifyTwin("d", countUp);
        assert.equal(twin.tags?.["count"], 1);
        assert.equal((await registry.getTwin("d")).tags?.["count"], 1);
      });
    }

    test("nor loses a count to another who wrote the same while the hub was busy", async () => {
      let writes = 0;
      let other = (): Promise<unknown> => Promise.resolve();
      await using fixture = await setUp(async (method, forward) => {
        if (method !== "PATCH" || ++writes > 1) return await forward();
        await other();
        return new Response(null, { status: 503 });
      });
      const { hub, registry } = fixture;
      await using second = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
      other = () => second.modifyTwin("d", countUp);
      assert.equal((await registry.modifyTwin("d", countUp)).tags?.["count"], 2);
    });
  });

  test("rejects with the reason of a signal that has fired, and makes no request", async () => {
    await using fixture = await setUp();
    const { registry, requests } = fixture;
    const reason = new Error("No longer needed");
    await assert.rejects(
      registry.modifyTwin("d", countUp, { abortSignal: AbortSignal.abort(reason) }),
      (error) => error === reason,
    );
    assert.deepEqual(requests, []);
  });
});

describe("modifyModuleTwin", () => {
  test("loses no count of twenty who count at once, and leaves the device's twin alone", async () => {
    await using fixture = await setUp();
    const { registry } = fixture;
    const options = { maxAttempts: 100 };
    await Promise.all(Array.from({ length: 20 }, () => registry.modifyModuleTwin("d", "m", countUp, options)));
    assert.equal((await registry.getModuleTwin("d", "m")).tags?.["count"], 20);
    assert.equal((await registry.getTwin("d")).tags?.["count"], undefined);
  });

  test("does what modifyTwin does: no change, no write; too late, no write", async () => {
    using time = new MockedTime();
    await using fixture = await setUp();
    const { registry, requests } = fixture;
    await registry.modifyModuleTwin("d", "m", () => undefined);
    const called = Promise.withResolvers<void>();
    const change = (): Promise<never> => (called.resolve(), new Promise(() => {}));
    const ended = assert.rejects(registry.modifyModuleTwin("d", "m", change, { timeoutInMs: 30 }), {
      code: "Timeout",
      operation: "modifyModuleTwin",
    });
    await called.promise;
    time.pass(30);
    await ended;
    await assert.rejects(registry.modifyModuleTwin("d", "none", countUp), {
      code: "DeviceNotFound",
      operation: "getModuleTwin",
    });
    assert.deepEqual(requests, ["GET /twins/d/modules/m", "GET /twins/d/modules/m", "GET /twins/d/modules/none"]);
  });
});
