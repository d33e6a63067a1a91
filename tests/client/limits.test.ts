import assert from "node:assert/strict";
import process from "node:process";
import { describe, test, type TestContext } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { type CallLimits, type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";
import { collectGarbage } from "../support/garbage.ts";
import { MockedTime } from "../support/mocked_time.ts";
import { CONNECTION_STRING } from "../support/recorder.ts";
import { sized } from "../support/test_size.ts";

const MEGABYTE = 2 ** 20;
/** In bytes. A leak is more than this of each call. */
const LEAST_LEAK = 500;

/** A fetch whose answers come when the test says so, and that counts. */
class HeldFetch {
  readonly paths: string[] = [];
  readonly #waiting: (() => void)[] = [];
  inFlight = 0;
  most = 0;

  readonly fetch: NonNullable<ClientOptions["fetch"]> = async (url) => {
    this.paths.push(new URL(url).pathname);
    this.most = Math.max(this.most, ++this.inFlight);
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.inFlight--;
    return new Response("{}");
  };

  /** Answers the oldest request. */
  answer(): void {
    this.#waiting.shift()!();
  }

  /** Answers the next request when it comes, and so on, for ever. */
  answerAll(): void {
    for (const answer of this.#waiting.splice(0)) answer();
    this.#waiting.push = (answer) => {
      answer();
      return 0;
    };
  }

  /** Waits until so many requests have been made, and for those that should not be. */
  async reached(requests: number): Promise<void> {
    while (this.paths.length < requests) await settled();
    await settled();
  }

  connect(limits: CallLimits): IoTHubRegistryManager {
    return IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { fetch: this.fetch, limits });
  }
}

/** What is alive, and what the collector has not found to be dead. */
function heapNow(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

function inMegabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(1)} MB`;
}

/** Lets everything happen that waits for nothing more. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe("a limit of requests under way", () => {
  const calls = sized(1_000, 10_000);
  test(`lets ${calls} calls at once through in order, never more than 50 together, in little memory`, async () => {
    const ids = Array.from({ length: calls }, (_, index) => `d${index}`);
    await using hub = new LocalHub();
    await using admin = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    for (let at = 0; at < calls; at += 100) {
      await admin.bulkCreateOrUpdateDevices(ids.slice(at, at + 100).map((id) => ({ id, importMode: "create" })));
    }

    const asked: string[] = [];
    let inFlight = 0;
    let most = 0;
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
      limits: { maxConcurrentRequests: 50 },
      fetch: async (url, init) => {
        asked.push(url);
        most = Math.max(most, ++inFlight);
        // On a wire an answer takes its time, too.
        await new Promise((resolve) => setImmediate(resolve));
        try {
          return await hub.clientOptions.fetch(url, init);
        } finally {
          inFlight--;
        }
      },
    });

    // The first round fills what is kept on purpose, such as compiled code. After the others garbage may still lie about for
    // some time; but it does not grow from round to round, as a leak does.
    const after: number[] = [];
    const growth = (): number => after.at(-1)! - after[0]!;
    const mostGrowth = (): number => (after.length - 1) * calls * LEAST_LEAK;
    while (after.length < 3 || (growth() >= mostGrowth() && after.length < 7)) {
      await settled();
      const before = heapNow();
      asked.length = 0;
      const started = performance.now();
      const results = Promise.all(ids.map((id) => registry.getTwin(id)));
      const pending = heapNow() - before;
      for (const [index, { deviceId }] of (await results).entries()) assert.equal(deviceId, ids[index]);
      const milliseconds = performance.now() - started;
      assert.equal(most, 50);
      assert.deepEqual(asked.map((url) => new URL(url).pathname), ids.map((id) => `/twins/${id}`));
      await settled();
      after.push(heapNow());
      console.log(
        `limits: ${calls} getTwin, at most ${most} in flight, ${Math.round(milliseconds)} ms; ` +
          `${Math.round(pending / calls)} bytes a waiting call, ${
            inMegabytes(after.at(-1)! - before)
          } of heap left at the end, ` +
          `${inMegabytes(process.memoryUsage().rss)} resident`,
      );
    }
    assert.ok(growth() < mostGrowth(), `the heap grew by ${inMegabytes(growth())} in ${after.length - 1} rounds`);
  });

  test("starts the next call when one has ended, whatever its outcome", async () => {
    const held = new HeldFetch();
    await using registry = held.connect({ maxConcurrentRequests: 2 });
    const calls = ["a", "b", "c", "d"].map((id) => registry.getTwin(id));
    await held.reached(2);
    assert.deepEqual(held.paths, ["/twins/a", "/twins/b"]);
    held.answer();
    await calls[0];
    await held.reached(3);
    assert.deepEqual(held.paths, ["/twins/a", "/twins/b", "/twins/c"]);
    held.answerAll();
    await Promise.all(calls);
    assert.equal(held.most, 2);
  });

  test("gives the place back of a call that failed, was aborted or ran out of time", async () => {
    using time = new MockedTime();
    let requests = 0;
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
      limits: { maxConcurrentRequests: 1 },
      retryOptions: { maxRetries: 0 },
      fetch: () => {
        switch (++requests) {
          case 1:
            return Promise.resolve(new Response(null, { status: 404 }));
          case 2:
            return Promise.reject(new Error("no network"));
          case 3:
          case 4:
            return new Promise(() => {});
        }
        return Promise.resolve(new Response("{}"));
      },
    });
    const controller = new AbortController();
    const outcomes = Promise.allSettled([
      registry.getTwin("d"),
      registry.getTwin("d"),
      registry.getTwin("d", { abortSignal: controller.signal }),
      registry.getTwin("d", { timeoutInMs: 1000 }),
      registry.getTwin("d"),
    ]);
    while (requests < 3) await settled();
    controller.abort(new Error("enough"));
    while (requests < 4) await settled();
    time.pass(1000);
    const reasons = (await outcomes).map((outcome) =>
      outcome.status === "fulfilled" ? "done" : outcome.reason.code ?? outcome.reason.message
    );
    assert.deepEqual(reasons, ["GenericNotFound", "NetworkError", "enough", "Timeout", "done"]);
  });

  test("does not count a call that waits for its repetition", async () => {
    using time = new MockedTime();
    const paths: string[] = [];
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
      limits: { maxConcurrentRequests: 1 },
      fetch: (url) => {
        paths.push(new URL(url).pathname);
        const isBusy = paths.length === 1;
        return Promise.resolve(
          new Response("{}", isBusy ? { status: 429, headers: { "Retry-After": "1" } } : { status: 200 }),
        );
      },
    });
    const [first, second] = [registry.getTwin("a"), registry.getTwin("b")];
    await second;
    await time.settle(first, 100);
    assert.deepEqual(paths, ["/twins/a", "/twins/b", "/twins/a"]);
  });

  test("lets nobody pass who waits, and rejects at once with the reason when aborted there", async () => {
    const held = new HeldFetch();
    await using registry = held.connect({ maxConcurrentRequests: 1 });
    const controller = new AbortController();
    const reason = new Error("No longer needed");
    const first = registry.getTwin("a");
    const aborted = registry.getTwin("b", { abortSignal: controller.signal });
    const last = registry.getTwin("c");
    await held.reached(1);
    controller.abort(reason);
    await assert.rejects(aborted, (error) => error === reason);
    assert.deepEqual(held.paths, ["/twins/a"]);
    held.answerAll();
    await Promise.all([first, last]);
    assert.deepEqual(held.paths, ["/twins/a", "/twins/c"]);
  });

  test("a time-out covers the wait for a turn", async () => {
    using time = new MockedTime();
    const held = new HeldFetch();
    await using registry = held.connect({ maxConcurrentRequests: 1 });
    const first = registry.getTwin("a");
    await held.reached(1);
    const waits = assert.rejects(registry.getTwin("b", { timeoutInMs: 30 }), { code: "Timeout", operation: "getTwin" });
    time.pass(30);
    await waits;
    assert.deepEqual(held.paths, ["/twins/a"]);
    held.answerAll();
    await first;
  });

  for (const limits of [{ maxConcurrentRequests: 1 }, { maxRequestsPerSecond: 1 }, { maxRequestsPerSecond: 1000 }]) {
    test(`close() ends those that wait, and nothing is sent after it, with ${JSON.stringify(limits)}`, async () => {
      const held = new HeldFetch();
      const registry = held.connect(limits);
      const calls = ["a", "b", "c", "d"].map((id) => registry.getTwin(id));
      await held.reached(1);
      const outcomes = Promise.allSettled(calls);
      const sent = held.paths.length;
      await registry.close();
      for (const outcome of await outcomes) {
        assert.equal(outcome.status === "rejected" && outcome.reason.code, "Closed");
      }
      await settled();
      assert.equal(held.paths.length, sent);
    });
  }
});

interface HeldClock extends Disposable {
  /** Lets time pass, and with it timers fire. */
  advance(milliseconds: number): Promise<void>;
  /** Lets time pass while the process is too busy for its timers. */
  stall(milliseconds: number): void;
}

/** Puts the clock of limits and deadlines into the test's hand; both go by `performance.now`. */
function holdClock(t: TestContext): HeldClock {
  const original = Object.getOwnPropertyDescriptor(performance, "now");
  let now = 1_000_000;
  Object.defineProperty(performance, "now", { value: () => now, configurable: true, writable: true });
  t.mock.timers.enable({ apis: ["setTimeout"] });
  return {
    async advance(milliseconds) {
      now += milliseconds;
      t.mock.timers.tick(milliseconds);
      await settled();
    },
    stall(milliseconds) {
      now += milliseconds;
    },
    [Symbol.dispose]() {
      t.mock.timers.reset();
      if (original !== undefined) Object.defineProperty(performance, "now", original);
      else delete (performance as { now?: unknown }).now;
    },
  };
}

describe("a limit of requests in a second", () => {
  test("spaces them evenly, in order", async (t) => {
    const held = new HeldFetch();
    held.answerAll();
    await using registry = held.connect({ maxRequestsPerSecond: 10 });
    await registry.getTwin("first");
    using clock = holdClock(t);
    await clock.advance(1000);
    const calls = ["a", "b", "c", "d", "e"].map((id) => registry.getTwin(id));
    await settled();
    const sent: number[] = [held.paths.length];
    for (let step = 0; step < 20; step++) {
      await clock.advance(25);
      sent.push(held.paths.length);
    }
    // One at once, then one each 100 ms: four steps of 25 ms.
    assert.deepEqual(sent, [2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 6]);
    assert.deepEqual(held.paths.slice(1), ["/twins/a", "/twins/b", "/twins/c", "/twins/d", "/twins/e"]);
    await Promise.all(calls);
  });

  test("is not made up for by a burst after a pause", async (t) => {
    const held = new HeldFetch();
    held.answerAll();
    await using registry = held.connect({ maxRequestsPerSecond: 10 });
    await registry.getTwin("first");
    using clock = holdClock(t);
    await clock.advance(60_000);
    const calls = ["a", "b", "c"].map((id) => registry.getTwin(id));
    await settled();
    assert.deepEqual(held.paths, ["/twins/first", "/twins/a"]);
    await clock.advance(99);
    assert.equal(held.paths.length, 2);
    await clock.advance(1);
    assert.equal(held.paths.length, 3);
    await clock.advance(100);
    await Promise.all(calls);
  });

  test("is not used up by a call that was aborted while it waited", async (t) => {
    const held = new HeldFetch();
    held.answerAll();
    await using registry = held.connect({ maxRequestsPerSecond: 10 });
    await registry.getTwin("first");
    using clock = holdClock(t);
    await clock.advance(1000);
    const controller = new AbortController();
    const calls = [
      registry.getTwin("a"),
      registry.getTwin("b", { abortSignal: controller.signal }),
      registry.getTwin("c"),
    ];
    await settled();
    controller.abort(new Error("enough"));
    await assert.rejects(calls[1]!, { message: "enough" });
    await clock.advance(100);
    assert.deepEqual(held.paths.slice(1), ["/twins/a", "/twins/c"]);
    await Promise.all([calls[0], calls[2]]);
  });

  test("lets nobody through who gets a turn by the end of another, once the manager is closed", async (t) => {
    const held = new HeldFetch();
    held.answerAll();
    const registry = held.connect({ maxRequestsPerSecond: 10 });
    await registry.getTwin("first");
    using clock = holdClock(t);
    await registry.getTwin("a");
    const calls = Promise.allSettled(["b", "c", "d"].map((id) => registry.getTwin(id)));
    await settled();
    clock.stall(60_000);
    await registry.close();
    for (const outcome of await calls) assert.equal(outcome.status === "rejected" && outcome.reason.code, "Closed");
    assert.deepEqual(held.paths, ["/twins/first", "/twins/a"]);
  });

  test("goes together with a limit of requests under way", async () => {
    const held = new HeldFetch();
    await using registry = held.connect({ maxRequestsPerSecond: 500, maxConcurrentRequests: 3 });
    const started = performance.now();
    const calls = Array.from({ length: 20 }, (_, index) => registry.getTwin(`d${index}`));
    await held.reached(3);
    assert.equal(held.inFlight, 3);
    held.answerAll();
    await Promise.all(calls);
    assert.deepEqual(held.paths, calls.map((_, index) => `/twins/d${index}`));
    // Nineteen spaces of 2 ms; a timer may fire a little early, and the test may run late.
    assert.ok(performance.now() - started >= 30);
  });
});

describe("limits", () => {
  const bad: [unknown, typeof TypeError | typeof RangeError, RegExp][] = [
    [null, TypeError, /Cannot use limits: it must be an object, got null/],
    [50, TypeError, /Cannot use limits: it must be an object, got a number/],
    [{ maxConcurrentRequests: "50" }, TypeError, /limits\.maxConcurrentRequests: it must be a number, got a string/],
    [{ maxConcurrentRequests: 0 }, RangeError, /limits\.maxConcurrentRequests 0/],
    [{ maxConcurrentRequests: 0.5 }, RangeError, /limits\.maxConcurrentRequests 0\.5/],
    [{ maxConcurrentRequests: -1 }, RangeError, /limits\.maxConcurrentRequests -1/],
    [{ maxConcurrentRequests: NaN }, RangeError, /limits\.maxConcurrentRequests NaN/],
    [{ maxRequestsPerSecond: null }, TypeError, /limits\.maxRequestsPerSecond: it must be a number, got null/],
    [{ maxRequestsPerSecond: 0 }, RangeError, /limits\.maxRequestsPerSecond 0/],
    [{ maxRequestsPerSecond: -5 }, RangeError, /limits\.maxRequestsPerSecond -5/],
    [{ maxRequestsPerSecond: NaN }, RangeError, /limits\.maxRequestsPerSecond NaN/],
  ];
  for (const [limits, kind, message] of bad) {
    test(`${JSON.stringify(limits)} (${kind.name}, ${message.source}) are refused`, () => {
      assert.throws(
        () => IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { limits: limits as CallLimits }),
        (error: Error) => error.constructor === kind && message.test(error.message),
      );
    });
  }

  test("may be left out, be infinite, or be under one in a second", async () => {
    for (
      const limits of [{}, { maxConcurrentRequests: Infinity, maxRequestsPerSecond: Infinity }, {
        maxRequestsPerSecond: 0.1,
      }]
    ) {
      const held = new HeldFetch();
      held.answerAll();
      await using registry = held.connect(limits);
      await registry.getTwin("d");
      assert.equal(held.paths.length, 1);
    }
  });
});
